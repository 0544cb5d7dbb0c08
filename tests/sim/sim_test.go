package sim

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seeds = flag.Int("seeds", 0, "how many seeds to run; SEEDS in the environment, or 1000, without it")
	until = flag.Int("failures", 5, "after how many seeds that fail to stop")
	from  = flag.Uint64("from", 1, "the first of the seeds")
	try   = flag.Uint64("try", 0, "a seed to run before the others")
	seed  = flag.Uint64("seed", 0, "the only seed to run, with its trace")
	file  = flag.String("program", "", "the only program to run, with its trace: a file of JSON, as a failing seed prints it")
)

// tail is how many steps of a failing run are shown without -v.
const tail = 80

func count() int {
	if *seeds > 0 {
		return *seeds
	}
	if n, err := strconv.Atoi(os.Getenv("SEEDS")); err == nil && n > 0 {
		return n
	}
	return 1000
}

func TestSim(t *testing.T) {
	if *seed != 0 {
		report(t, Run(*seed, true), testing.Verbose(), fmt.Sprint("-seed ", *seed))
		return
	}
	if *file != "" {
		report(t, readCase(t, *file).Run(true), testing.Verbose(), "-program "+*file)
		return
	}
	if *try != 0 {
		if r := Run(*try, false); r.Err != nil {
			report(t, Run(*try, true), false, fmt.Sprint("-seed ", *try))
			return
		}
	}
	var next, failures atomic.Int64
	var lock sync.Mutex
	total := newTotals()
	begin := time.Now()
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for failures.Load() < int64(*until) {
				s := next.Add(1) - 1
				if s >= int64(count()) {
					return
				}
				r := Run(*from+uint64(s), false)
				lock.Lock()
				total.add(r)
				lock.Unlock()
				if r.Err != nil && failures.Add(1) <= int64(*until) {
					report(t, Run(r.Seed, true), false, fmt.Sprint("-seed ", r.Seed))
				}
			}
		})
	}
	all.Wait()
	t.Log(total.table(time.Since(begin)))
}

// totals sums up runs.
type totals struct {
	seeds, steps, segments int
	faults, seen           map[string]int
}

func newTotals() *totals { return &totals{faults: map[string]int{}, seen: map[string]int{}} }

func (t *totals) add(r Result) {
	t.seeds++
	t.steps += r.Steps
	t.segments += r.Segments
	for f, n := range r.Faults {
		t.faults[f] += n
	}
	for s, n := range r.Seen {
		t.seen[s] += n
	}
}

// table is what went wrong, by kind, and what came of it.
func (t *totals) table(took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d seeds in %v, %.0f a second: %d steps, %d segments", t.seeds, took.Round(time.Millisecond),
		float64(t.seeds)/took.Seconds(), t.steps, t.segments)
	for _, counts := range []map[string]int{t.faults, t.seen} {
		b.WriteString("\n")
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			if counts[name] > 0 {
				fmt.Fprintf(&b, "\n  %8d  %s", counts[name], name)
			}
		}
	}
	return b.String()
}

// report fails for a run that did, and shows the end of it, or all.
func report(t *testing.T, r Result, whole bool, again string) {
	t.Helper()
	lines := r.Trace
	if !whole && len(lines) > tail {
		lines = lines[len(lines)-tail:]
	}
	text := strings.Join(lines, "\n")
	if r.Err == nil {
		if whole {
			t.Logf("seed %d: %v\n%s", r.Seed, r.Plan, text)
		}
		return
	}
	t.Errorf("seed %d: %v\n%s\n\nseed %d failed: %v\nagain: go test ./tests/sim -run TestSim -v %s\n%s",
		r.Seed, r.Plan, text, r.Seed, r.Err, again, shrunk(t, r.Plan))
}
