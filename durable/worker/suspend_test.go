package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

func plain(ctx durable.Context, name string) (string, error) {
	s, err := greet.Call(ctx, name)
	if err != nil {
		return "", err
	}
	_, err = yes.Next(ctx).Await()
	return s, err
}

func TestAnUnknownOrchestrationWaitsForABuildThatKnowsIt(t *testing.T) {
	t.Parallel()
	second := hello.Bind(plain)
	second.Version = 2
	for name, handlers := range map[string][]durable.Handler{
		"orchestration Hello is not registered in this build":              nil,
		"version 0 of orchestration Hello is not registered in this build": {second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, worker.Config{}, handlers...)
			h.submit("one")
			h.orchestrate()
			if in := h.is("one", durable.Suspended); !strings.Contains(in.SuspendReason, name) {
				t.Errorf("the reason is %q, want %q", in.SuspendReason, name)
			}
			h.raise("one") // the same build only keeps it
			h.orchestrate()
			h.is("one", durable.Suspended)

			h.deploy("build 2", greet.Bind(greetBody)) // no better
			h.raise("one")
			h.orchestrate()
			if got := len(h.segments("one")); got != 3 {
				t.Errorf("there are %d commits, want one for each message", got)
			}
			h.is("one", durable.Suspended)

			h.deploy("build 3", greet.Bind(greetBody), hello.Bind(plain))
			h.raise("one") // any message will do, without a resume
			h.settle()
			if in := h.is("one", durable.Completed); string(in.Output) != `"Hello, in"` {
				t.Errorf("the output is %s", in.Output)
			}
		})
	}
}

func TestAnUnknownOrchestrationIsGivenTime(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{UnknownReceives: 2})
	h.submit("one")
	start := h.take(h.ports.Wake)
	for range 2 {
		if o := h.Wake(t.Context(), start)[0]; o.Ack || o.Foreign || o.Retry <= 0 {
			t.Errorf("got %+v, want a retry", o)
		}
		h.is("one", durable.Pending)
		start[0].Receives++
	}
	h.done(h.Wake(t.Context(), start))
	h.is("one", durable.Suspended)
}

func TestAMismatchSuspendsAndLosesNothing(t *testing.T) {
	t.Parallel()
	other := durable.NewActivity[string, string]("Other")
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), hello.Bind(plain))
	h.submit("one")
	h.orchestrate()
	h.deploy("build 2", greet.Bind(greetBody), hello.Bind(func(ctx durable.Context, name string) (string, error) {
		return other.Call(ctx, name)
	}))
	h.settle() // the result comes
	in := h.is("one", durable.Suspended)
	for _, want := range []string{"activity Greet (operation 0, event 2)", "the code asked for activity Other", "suspend_test.go:"} {
		if !strings.Contains(in.SuspendReason, want) {
			t.Errorf("the reason is %q, want %q in it", in.SuspendReason, want)
		}
	}
	h.raise("one")
	h.manage("one", durable.Resume, "hoping")
	h.orchestrate()
	h.is("one", durable.Suspended)

	h.deploy("build 3", greet.Bind(greetBody), hello.Bind(plain))
	h.manage("one", durable.Resume, "fixed")
	h.settle()
	if in := h.is("one", durable.Completed); string(in.Output) != `"Hello, in"` {
		t.Errorf("the output is %s", in.Output)
	}
}

func TestResumingTheSameBuildTriesAgain(t *testing.T) {
	t.Parallel()
	broken := true
	h := newHub(t, worker.Config{}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		if broken {
			panic("a broken cable")
		}
		return "fine", nil
	}))
	h.submit("one")
	h.orchestrate()
	h.is("one", durable.Suspended)
	h.manage("one", durable.Resume, "")
	h.orchestrate()
	h.is("one", durable.Suspended)
	broken = false
	h.manage("one", durable.Resume, "")
	h.orchestrate()
	h.is("one", durable.Completed)
}

func TestAnotherBuildLeavesAPersonsSuspensionAlone(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), hello.Bind(plain))
	h.submit("one")
	h.orchestrate()
	h.manage("one", durable.Suspend, "holidays")
	h.orchestrate()
	h.deploy("build 2", greet.Bind(greetBody), hello.Bind(plain))
	h.settle()
	h.raise("one")
	h.settle()
	if in := h.is("one", durable.Suspended); in.SuspendReason != "holidays" {
		t.Errorf("the reason is %q", in.SuspendReason)
	}
	h.manage("one", durable.Resume, "")
	h.settle()
	h.is("one", durable.Completed)
}

func TestTerminate(t *testing.T) {
	t.Parallel()
	const reason = "not wanted any more"
	for name, prepare := range map[string]func(*hub){
		"pending":   func(*hub) {},
		"running":   func(h *hub) { h.orchestrate() },
		"suspended": func(h *hub) { h.orchestrate(); h.manage("one", durable.Suspend, "x"); h.orchestrate() },
		"in the batch that would go on": func(h *hub) {
			h.orchestrate()
			h.done(h.Inbox(h.t.Context(), nil))
			h.raise("one")
		},
		"suspended because of its code": func(h *hub) { h.deploy("build 2"); h.orchestrate() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, worker.Config{}, greet.Bind(greetBody), hello.Bind(func(ctx durable.Context, _ string) (string, error) {
				greet.Start(ctx, "a")
				_, err := yes.Next(ctx).Await()
				greet.Start(ctx, "b")
				_, err2 := yes.Next(ctx).Await()
				return "", errors.Join(err, err2)
			}))
			h.submit("one")
			prepare(h)
			h.take(h.ports.Activities)
			h.manage("one", durable.Terminate, reason)
			h.done(h.Inbox(t.Context(), h.take(h.ports.Inbox)))
			h.orchestrate()
			if in := h.is("one", durable.Terminated); string(in.Output) != `"`+reason+`"` {
				t.Errorf("the output is %s, want the reason", in.Output)
			}
			if got := operations(t, h.take(h.ports.Activities)); len(got) > 0 {
				t.Errorf("activities %v were sent", got)
			}
		})
	}
}

func TestAnUnawaitedActivityRunsAfterTheEnd(t *testing.T) {
	t.Parallel()
	ran := 0
	h := newHub(t, worker.Config{}, greet.Bind(func(context.Context, string) (string, error) { ran++; return "", nil }),
		hello.Bind(func(ctx durable.Context, name string) (string, error) { greet.Start(ctx, name); return "", nil }))
	h.submit("one")
	h.settle()
	h.is("one", durable.Completed)
	if ran != 1 {
		t.Errorf("it ran %d times, want 1", ran)
	}
}

func TestTheTimeOfATurnNeverGoesBack(t *testing.T) {
	t.Parallel()
	var seen []time.Time
	h := newHub(t, worker.Config{}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		for range 2 {
			seen = append(seen, ctx.Now())
			if _, err := yes.Next(ctx).Await(); err != nil {
				return "", err
			}
		}
		return "", nil
	}))
	h.submit("one")
	h.orchestrate()
	h.now = h.now.Add(-time.Hour) // another worker, with another clock
	h.raise("one")
	h.orchestrate()
	h.is("one", durable.Running)
	if n := len(seen); seen[n-1].Before(seen[0]) {
		t.Errorf("time went back: %v", seen)
	}
	for i, events := range h.segments("one") {
		for _, e := range events {
			if e.Time.Before(seen[0]) {
				t.Errorf("commit %d is of %v, before the first", i, e.Time)
			}
		}
	}
}

func TestAWorkersSuspensionKeepsTheStartFirst(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{})
	h.submit("one")
	h.raise("one")
	h.done(h.Inbox(t.Context(), h.take(h.ports.Inbox))) // the event is faster than the start
	first := h.segments("one")[0]
	var kinds []hist.Kind
	for _, e := range first {
		kinds = append(kinds, e.Kind)
	}
	if len(kinds) != 3 || kinds[0] != hist.ExecutionStarted || kinds[1] != hist.ExecutionSuspended || kinds[2] != hist.EventRaised {
		t.Errorf("the first commit is %v", kinds)
	}
}
