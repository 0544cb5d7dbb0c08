package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
)

var (
	greet = durable.NewActivity[string, string]("Greet")
	flaky = durable.NewActivity[int, int]("Flaky", durable.Retry{Attempts: 3, Initial: time.Second, Factor: 2})
	hello = durable.NewOrchestration[string, string]("Hello")
	yes   = durable.NewEvent[bool]("Yes")
)

const declined = durable.ErrorKind("Declined")

func greetBody(_ context.Context, name string) (string, error) { return "Hello, " + name, nil }

// start submits hello and lets everything happen that can.
func start(t *testing.T, sys *durabletest.System, in string) durable.Run[string] {
	t.Helper()
	run, err := hello.Submit(t.Context(), sys.Client, in, durable.ID("one"))
	if err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	return run
}

// status fails unless the instance has the status.
func status(t *testing.T, sys *durabletest.System, want durable.Status) durable.Instance {
	t.Helper()
	in, err := sys.Client.Get(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	if in.Status != want {
		t.Fatalf("status is %s (%s%s), want %s", in.Status, in.Output, in.SuspendReason, want)
	}
	return in
}

// history is the kinds and names of the events, in order.
func history(t *testing.T, sys *durabletest.System) string {
	t.Helper()
	events, err := sys.Client.History(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		s := e.Kind.String()
		if e.Name != "" {
			s += " " + e.Name
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestActivityResultCompletesTheInstance(t *testing.T) {
	t.Parallel()
	sys := durabletest.New(t, greet.Bind(greetBody),
		hello.Bind(func(ctx durable.Context, name string) (string, error) { return greet.Call(ctx, name) }))
	run := start(t, sys, "Ada")
	got, err := run.Wait(t.Context())
	if err != nil || got != "Hello, Ada" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, want := history(t, sys), "ExecutionStarted Hello, TaskScheduled Greet, TaskCompleted, ExecutionCompleted"; got != want {
		t.Errorf("history is %s, want %s", got, want)
	}
}

func TestRetriesCostTheOrchestrationNothing(t *testing.T) {
	t.Parallel()
	var attempts []time.Duration
	var sys *durabletest.System
	sys = durabletest.New(t,
		flaky.Bind(func(ctx context.Context, n int) (int, error) {
			attempts = append(attempts, sys.Now().Sub(durabletest.Epoch))
			if durable.Attempt(ctx) < 3 {
				return 0, errors.New("not yet")
			}
			return n, nil
		}),
		hello.Bind(func(ctx durable.Context, name string) (string, error) {
			n, err := flaky.Call(ctx, 7)
			return fmt.Sprint(name, n), err
		}))
	start(t, sys, "x")
	sys.Advance(10 * time.Second)
	in := status(t, sys, durable.Completed)
	if got, want := fmt.Sprint(attempts), "[0s 1s 3s]"; got != want {
		t.Errorf("attempts at %s, want %s", got, want)
	}
	if string(in.Output) != `"x7"` {
		t.Errorf("output is %s", in.Output)
	}
	if got := history(t, sys); strings.Count(got, "Task") != 2 {
		t.Errorf("history is %s, want one outcome", got)
	}
}

func TestErrorKindsSurviveTheRoundTrip(t *testing.T) {
	t.Parallel()
	sys := durabletest.New(t,
		flaky.Bind(func(ctx context.Context, n int) (int, error) {
			return 0, durable.Permanent(fmt.Errorf("the bank said no: %w", declined))
		}),
		hello.Bind(func(ctx durable.Context, name string) (string, error) {
			_, err := flaky.Call(ctx, 7)
			var failed *durable.ActivityError
			if !errors.As(err, &failed) || failed.Attempt != 1 || !errors.Is(err, declined) {
				return "", fmt.Errorf("unexpected: %v", err)
			}
			return "", err
		}))
	run := start(t, sys, "x")
	in := status(t, sys, durable.Failed)
	if _, err := run.Wait(t.Context()); !errors.Is(err, declined) {
		t.Errorf("Wait returned %v, want Declined", err)
	}
	if !strings.Contains(in.Failure.Message, "the bank said no") {
		t.Errorf("failure is %+v", in.Failure)
	}
}

func TestEventWithin(t *testing.T) {
	t.Parallel()
	body := hello.Bind(func(ctx durable.Context, name string) (string, error) {
		ctx.SetStatus("waiting")
		ok, err := yes.Within(ctx, 72*time.Hour)
		if errors.Is(err, durable.ErrTimeout) {
			return "too late", nil
		}
		return fmt.Sprint(ok), err
	})
	t.Run("the event comes", func(t *testing.T) {
		t.Parallel()
		sys := durabletest.New(t, body)
		start(t, sys, "")
		sys.Advance(71 * time.Hour)
		if in := status(t, sys, durable.Running); string(in.CustomStatus) != `"waiting"` {
			t.Errorf("custom status is %s", in.CustomStatus)
		}
		if err := yes.Raise(t.Context(), sys.Client, "one", true); err != nil {
			t.Fatal(err)
		}
		sys.Settle()
		if in := status(t, sys, durable.Completed); string(in.Output) != `"true"` {
			t.Errorf("output is %s", in.Output)
		}
		if got := history(t, sys); !strings.Contains(got, "TimerCanceled") {
			t.Errorf("history is %s, want the timer cancelled", got)
		}
		sys.Advance(2 * time.Hour)
	})
	t.Run("the time is up", func(t *testing.T) {
		t.Parallel()
		sys := durabletest.New(t, body)
		start(t, sys, "")
		sys.Advance(72*time.Hour - time.Millisecond)
		status(t, sys, durable.Running)
		sys.Advance(time.Millisecond)
		if in := status(t, sys, durable.Completed); string(in.Output) != `"too late"` {
			t.Errorf("output is %s", in.Output)
		}
	})
}

func TestPanicSuspendsAndAFixedBuildGoesOn(t *testing.T) {
	t.Parallel()
	bug := true
	body := hello.Bind(func(ctx durable.Context, name string) (string, error) {
		s, err := greet.Call(ctx, name)
		if bug {
			var m map[string]int
			m[s]++
		}
		return s, err
	})
	sys := durabletest.New(t, greet.Bind(greetBody), body)
	start(t, sys, "Ada")
	in := status(t, sys, durable.Suspended)
	if !strings.Contains(in.SuspendReason, "nil map") || !strings.Contains(in.SuspendReason, "worker_test.go") {
		t.Errorf("reason is %s", in.SuspendReason)
	}
	bug = false
	sys.Deploy("build 2", greet.Bind(greetBody), body)
	if err := sys.Client.Manage(t.Context(), durable.ManageRequest{Instance: "one", Command: durable.Resume}); err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	if in := status(t, sys, durable.Completed); string(in.Output) != `"Hello, Ada"` {
		t.Errorf("output is %s", in.Output)
	}
}

func TestStepsAreJournaledInTheTurn(t *testing.T) {
	t.Parallel()
	runs := 0
	sys := durabletest.New(t, greet.Bind(greetBody), hello.Bind(func(ctx durable.Context, name string) (string, error) {
		for i := range 3 {
			if _, err := durable.Step(ctx, "count", func(context.Context) (int, error) { runs++; return i, nil }); err != nil {
				return "", err
			}
		}
		return greet.Call(ctx, name)
	}))
	start(t, sys, "Ada")
	status(t, sys, durable.Completed)
	if runs != 3 {
		t.Errorf("the steps ran %d times, want 3", runs)
	}
}
