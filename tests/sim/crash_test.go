package sim

import (
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// crashAt crashes whoever is at one of these places.
func crashAt(places ...int) director {
	return func(p place) fault {
		for _, n := range places {
			if p.n == n {
				return crash
			}
		}
		return none
	}
}

func nobody(place) fault { return none }

// TestCrashEverywhere crashes every scenario before and after each call of a port, whoever makes it, and short ones at each
// pair of such places: all must come to what they come to without a crash, and keep every rule on the way.
func TestCrashEverywhere(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	var runs atomic.Int64
	t.Run("scenarios", func(t *testing.T) {
		for _, sc := range scenarios {
			t.Run(sc.name, func(t *testing.T) {
				t.Parallel()
				calm := sc.run(nobody, false)
				if calm.Err != nil {
					t.Fatal(calm.Err)
				}
				n := sc.crashEverywhere(t, calm)
				t.Logf("%d places, %d runs; it ends as %v", calm.places, n, calm.ends)
				runs.Add(int64(n))
			})
		}
	})
	t.Logf("%d runs in %v", runs.Load(), time.Since(begin).Round(time.Millisecond))
}

// pairs is up to how many places a scenario has when it is crashed at each pair of them.
const pairs = 80

func (sc scenario) crashEverywhere(t *testing.T, calm outcome) (runs int) {
	for first := 1; first <= calm.places && !t.Failed(); first++ {
		once := sc.crashes(t, calm, first)
		runs++
		if sc.long || calm.places > pairs {
			continue
		}
		for second := first + 1; second <= once.places && !t.Failed(); second++ {
			sc.crashes(t, calm, first, second)
			runs++
		}
	}
	return runs
}

// crashes runs the scenario with crashes at these places.
func (sc scenario) crashes(t *testing.T, calm outcome, places ...int) outcome {
	t.Helper()
	got := sc.run(crashAt(places...), false)
	if got.Err == nil && got.Faults[crash.String()] != len(places) {
		t.Errorf("crashes at %v: %d happened", places, got.Faults[crash.String()])
	}
	if got.Err != nil || !maps.Equal(got.ends, calm.ends) {
		trace := sc.run(crashAt(places...), true).Trace
		t.Errorf("crashes at %v: it ends as %v, want %v; %v\n%s", places, got.ends, calm.ends, got.Err, strings.Join(trace, "\n"))
	}
	return got
}
