package bodies_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/examples/drills"
	"github.com/durable-lambda/durable-lambda/examples/drills/bodies"
)

func open(t *testing.T) *durabletest.System {
	t.Helper()
	return durabletest.New(t, append(bodies.Orchestrations(), bodies.Activities()...)...)
}

// start starts an instance and lets everything happen that can.
func start[I, O any](t *testing.T, sys *durabletest.System, o durable.Orchestration[I, O], in I) durable.Run[O] {
	t.Helper()
	run, err := o.Submit(t.Context(), sys.Client, in, durable.ID("drill"))
	if err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	return run
}

// wait returns the output of an instance that has ended. One that has not would be waited for for ever.
func wait[O any](t *testing.T, run durable.Run[O]) (O, error) {
	t.Helper()
	if in, err := run.Status(t.Context()); err != nil || !in.Status.Ended() {
		t.Fatalf("it is %s, %v; want it to have ended", in.Status, err)
	}
	return run.Wait(t.Context())
}

// works counts the calls of Work that were asked for before each turn's end: the numbers per turn.
func works(t *testing.T, sys *durabletest.System) (perTurn []int) {
	t.Helper()
	events, err := sys.Client.History(t.Context(), "drill")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, e := range events {
		switch {
		case e.Kind == history.TaskScheduled && e.Name == drills.Work.Name():
			asked++
		case e.Kind == history.TaskCompleted && asked > 0:
			perTurn, asked = append(perTurn, asked), 0
		}
	}
	return perTurn
}

func TestChainCallsOneAfterAnother(t *testing.T) {
	t.Parallel()
	sys := open(t)
	n, err := wait(t, start(t, sys, drills.Chain, drills.Load{Activities: 5}))
	if err != nil || n != 5 {
		t.Errorf("Chain = %d, %v; want 5", n, err)
	}
	if got := works(t, sys); len(got) != 5 {
		t.Errorf("Work was asked for in portions of %v; want five of 1", got)
	}
}

func TestFanOutCallsAllAtOnce(t *testing.T) {
	t.Parallel()
	sys := open(t)
	n, err := wait(t, start(t, sys, drills.FanOut, drills.Load{Activities: 25}))
	if err != nil || n != 25 {
		t.Errorf("FanOut = %d, %v; want 25", n, err)
	}
	if got := works(t, sys); len(got) != 1 || got[0] != 25 {
		t.Errorf("Work was asked for in portions of %v; want one of 25", got)
	}
}

func TestResultsOfOthersAreNoticed(t *testing.T) {
	t.Parallel()
	mixedUp := drills.Work.Bind(func(_ context.Context, job drills.Job) (drills.Job, error) {
		return drills.Job{Number: job.Number + 1}, nil
	})
	for name, o := range map[string]durable.Orchestration[drills.Load, int]{"chain": drills.Chain, "fan-out": drills.FanOut} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sys := durabletest.New(t, append(bodies.Orchestrations(), mixedUp)...)
			_, err := wait(t, start(t, sys, o, drills.Load{Activities: 2}))
			if err == nil || !strings.Contains(err.Error(), "call 1 of Work returned the result of call 2") {
				t.Errorf("got %v; want a sentence about the result of call 2", err)
			}
		})
	}
}

func TestNapWakesWhenItsTimerIsDue(t *testing.T) {
	t.Parallel()
	sys := open(t)
	run := start(t, sys, drills.Nap, drills.Pause{Millis: 45_000})
	sys.Advance(44 * time.Second)
	if in, err := run.Status(t.Context()); err != nil || in.Status != durable.Running {
		t.Fatalf("after 44 s it is %s, %v; want Running", in.Status, err)
	}
	sys.Advance(time.Second)
	rest, err := wait(t, run)
	if due := durabletest.Epoch.Add(45 * time.Second); err != nil || !rest.Due.Equal(due) || !rest.Woke.Equal(due) {
		t.Errorf("Nap = %+v, %v; want due and woke at %v", rest, err, due)
	}
}

func TestLingerStepsBetweenActivities(t *testing.T) {
	t.Parallel()
	sys := open(t)
	if _, err := wait(t, start(t, sys, drills.Linger, drills.Moment{Millis: 1})); err != nil {
		t.Fatal(err)
	}
	events, err := sys.Client.History(t.Context(), "drill")
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, e := range events {
		if e.Kind == history.TaskScheduled || e.Kind == history.StepCompleted {
			asked = append(asked, e.Name)
		}
	}
	if got := strings.Join(asked, " "); got != "Work linger Work" {
		t.Errorf("it did %q; want Work linger Work", got)
	}
}

// An instance that is started without any input passes the door.
func TestNoInputFailsWhereThereMustBeOne(t *testing.T) {
	t.Parallel()
	sys := open(t)
	if _, err := sys.Client.Start(t.Context(), durable.StartRequest{Name: drills.Chain.Name(), ID: "drill"}); err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	if in, err := sys.Client.Get(t.Context(), "drill"); err != nil || in.Status != durable.Failed {
		t.Errorf("it is %s, %v; want Failed", in.Status, err)
	}
}

// do runs the body of an activity.
func do(ctx context.Context, name, input string) ([]byte, *history.Failure) {
	for _, h := range bodies.Activities() {
		if h.Name == name {
			return h.Do(ctx, []byte(input))
		}
	}
	panic("there is no activity " + name)
}

func TestWorkTakesItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		output, failure := do(t.Context(), "Work", `{"number":7,"millis":1500}`)
		var job drills.Job
		if failure != nil || json.Unmarshal(output, &job) != nil || job != (drills.Job{Number: 7, Millis: 1500}) {
			t.Errorf("Work = %s, %v; want its input", output, failure)
		}
		if took := time.Since(begin); took != 1500*time.Millisecond {
			t.Errorf("it took %v; want 1.5 s", took)
		}
	})
}

func TestWorkEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, failure := do(ctx, "Work", `{"millis":20000}`); failure == nil {
		t.Error("it went on; want a failure")
	}
}

func TestWorkRefusesWhatIsTooLong(t *testing.T) {
	t.Parallel()
	if _, failure := do(t.Context(), "Work", `{"millis":20001}`); failure == nil || !failure.Permanent {
		t.Errorf("got %+v; want a permanent failure", failure)
	}
}

// TestCrash runs itself in a process of its own, which the activity ends.
func TestCrashEndsItsProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv("DRILLS_CRASH") == "1" {
		do(t.Context(), "Crash", `{}`)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashEndsItsProcess$")
	cmd.Env = append(os.Environ(), "DRILLS_CRASH=1")
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 86 {
		t.Errorf("the process ended with %v; want exit status 86", err)
	}
}
