//go:build e2e

package e2e_test

import (
	"encoding/json"
	"testing"
	"time"
)

// It is under way for most of the time, whatever is killed, deployed and crashed beside it.
func TestFortyActivitiesOneAfterAnother(t *testing.T) {
	t.Parallel()
	s := start(t, "Chain", "chain", `{"activities":40}`).end("Completed")
	if string(s.Output) != "40" || len(s.completed("Work")) != 40 {
		t.Errorf("it returned %s after %d outcomes of Work; want 40", s.Output, len(s.completed("Work")))
	}
}

func TestFiftyActivitiesAtOnce(t *testing.T) {
	robust(t)
	s := start(t, "FanOut", "fan-out", `{"activities":50}`).end("Completed")
	if string(s.Output) != "50" || len(s.completed("Work")) != 50 {
		t.Errorf("it returned %s after %d calls of Work; want 50", s.Output, len(s.completed("Work")))
	}
}

func TestAPurgedInstanceIsGone(t *testing.T) {
	t.Parallel()
	in := start(t, "Chain", "purged", `{"activities":2}`)
	in.end("Completed")
	where := management + "/instances/" + in.id
	if code, reply := request(t, "DELETE", where, ""); code != 200 {
		t.Fatalf("the purge was answered with %d %s", code, reply)
	}
	if code, reply := request(t, "GET", where, ""); code != 404 {
		t.Errorf("it is still there: %d %s", code, reply)
	}
	start(t, "Chain", "purged", `{"activities":1}`).end("Completed") // under the same id
}

// The timer is longer than what a queue is trusted with here, so it waits in the table, and the sweep of a minute sends it.
func TestATimerThroughTheTable(t *testing.T) {
	robust(t)
	const long = 45 * time.Second
	begun := time.Now()
	s := start(t, "Nap", "nap", `{"millis":45000}`).end("Completed")
	var rest struct{ Due, Woke time.Time }
	if err := json.Unmarshal(s.Output, &rest); err != nil {
		t.Fatalf("%v: %s", err, s.Output)
	}
	if rest.Due.Before(begun.Add(long - time.Second)) {
		t.Errorf("it was due %v after the start; want 45 s", rest.Due.Sub(begun))
	}
	if late := rest.Woke.Sub(rest.Due); late < 0 {
		t.Errorf("it woke %v before it was due", -late)
	} else {
		t.Logf("it woke %v after it was due; sweeps are a minute apart, and LocalStack's schedule drifts", late)
	}
}
