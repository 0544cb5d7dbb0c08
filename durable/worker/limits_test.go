package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// suspendedWith fails unless the instance is suspended with a reason that says all that.
func (h *hub) suspendedWith(id string, parts ...string) {
	h.t.Helper()
	in := h.is(id, durable.Suspended)
	for _, p := range parts {
		if !strings.Contains(in.SuspendReason, p) {
			h.t.Errorf("the reason is %q, want %q in it", in.SuspendReason, p)
		}
	}
}

func (h *hub) suspended(id string) bool {
	h.t.Helper()
	in, err := h.client.Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return in.Status == durable.Suspended
}

// patiently settles an instance that begins anew again and again: messages come once more until they are acknowledged.
func (h *hub) patiently() {
	h.t.Helper()
	for {
		wake, inbox := h.take(h.ports.Wake), h.take(h.ports.Inbox)
		if len(wake)+len(inbox) == 0 && len(h.work()) == 0 {
			return
		}
		h.done(h.Wake(h.t.Context(), wake))
		for len(inbox) > 0 {
			outcomes := h.Inbox(h.t.Context(), inbox)
			left := inbox[:0]
			for i, o := range outcomes {
				if !o.Ack {
					left = append(left, inbox[i])
				}
			}
			inbox = append(left, h.take(h.ports.Inbox)...)
		}
	}
}

func quick(context.Context) (string, error) { return "", nil }

func TestTurnActions(t *testing.T) {
	t.Parallel()
	asks := func(n int, step bool) durable.Handler {
		return hello.Bind(func(ctx durable.Context, _ string) (string, error) {
			for i := range n {
				if step {
					durable.Go(ctx, func(ctx durable.Context) (string, error) {
						return durable.Step(ctx, "quick", quick)
					})
				} else {
					greet.Start(ctx, fmt.Sprint(i))
				}
			}
			_, err := yes.Next(ctx).Await()
			return "enough", err
		})
	}
	for name, step := range map[string]bool{"activities": false, "steps": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, worker.Config{TurnActions: 50}, greet.Bind(greetBody), asks(1e9, step))
			h.submit("one")
			h.settle()
			h.suspendedWith("one", "more than 50 things in one turn", "limits_test.go", "resume")
			if n := len(h.segments("one")); n != 1 {
				t.Errorf("%d segments, want one: nothing that it asked for counts", n)
			}
			h.deploy("build 2", greet.Bind(greetBody), asks(50, step))
			h.manage("one", durable.Resume, "")
			h.settle()
			h.raise("one") // 50 in one turn are not too many, nor are they counted with those of the next
			h.settle()
			h.is("one", durable.Completed)
		})
	}
}

func TestHistoryLimits(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]worker.Config{"events": {HistoryEvents: 40}, "bytes": {HistoryBytes: 1200}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			limits.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
			handlers := []durable.Handler{greet.Bind(greetBody), hello.Bind(func(ctx durable.Context, _ string) (string, error) {
				for range 30 {
					if _, err := greet.Call(ctx, "you"); err != nil {
						return "", err
					}
				}
				return "done", nil
			})}
			h := newHub(t, limits, handlers...)
			h.submit("one")
			h.settle()
			h.suspendedWith("one", "its history has", name+", and at most", "continue as new in time")
			if n := strings.Count(log.String(), "half as long"); n != 1 {
				t.Errorf("%d warnings in the log, want one:\n%s", n, &log)
			}
			h.manage("one", durable.Resume, "")
			h.settle()
			h.suspendedWith("one", "its history has")
			h.cfg.HistoryEvents, h.cfg.HistoryBytes = 0, 0
			h.deploy("build 1", handlers...)
			h.manage("one", durable.Resume, "")
			h.settle()
			h.is("one", durable.Completed)
		})
	}
}

// A turn that was committed in pieces is finished, and the next one is not begun.
func TestHistoryLimitOfAnUnfinishedTurn(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{HistoryEvents: 12, SegmentCommands: 5, NearDeadline: func(context.Context) bool { return true }}, greet.Bind(greetBody),
		hello.Bind(func(ctx durable.Context, _ string) (string, error) {
			for i := range 30 {
				greet.Start(ctx, fmt.Sprint(i))
			}
			_, err := yes.Next(ctx).Await()
			return "", err
		}))
	h.submit("one")
	h.orchestrate()
	if n := len(h.take(h.ports.Activities)); n != 30 {
		t.Errorf("%d activities are sent, want all of its first turn", n)
	}
	h.is("one", durable.Running)
	h.raise("one")
	h.orchestrate()
	h.suspendedWith("one", "its history has")
	h.cfg.HistoryEvents = 1000
	h.deploy("build 2", h.cfg.Handlers...)
	h.raise("one")
	h.settle()
	h.is("one", durable.Completed)
}

func TestSpin(t *testing.T) {
	t.Parallel()
	anew := func(between func(durable.Context, round)) durable.Handler {
		return eternal.Bind(func(ctx durable.Context, r round) (string, error) {
			between(ctx, r)
			if r.N == 400 {
				return "tired", nil
			}
			return "", eternal.ContinueAsNew(ctx, round{N: r.N + 1})
		})
	}
	loop := func(between func(durable.Context, round)) durable.Handler {
		return eternal.Bind(func(ctx durable.Context, _ round) (string, error) {
			for i := range 400 {
				between(ctx, round{N: i})
			}
			return "tired", nil
		})
	}
	wait := func(d time.Duration) func(durable.Context, round) {
		return func(ctx durable.Context, _ round) { _ = durable.Sleep(ctx, d) }
	}
	call := func(ctx durable.Context, r round) {
		if r.N%10 == 0 {
			_, _ = greet.Call(ctx, "you")
		}
	}
	for name, c := range map[string]struct {
		code  durable.Handler
		every time.Duration // how far apart its turns are
		spins bool
	}{
		"continues as new at once":     {anew(func(durable.Context, round) {}), 0, true},
		"continues as new with a step": {anew(func(ctx durable.Context, _ round) { _, _ = durable.Step(ctx, "quick", quick) }), 0, true},
		"short timers":                 {loop(wait(100 * time.Millisecond)), 100 * time.Millisecond, true},
		"short timers, and anew":       {anew(wait(100 * time.Millisecond)), 100 * time.Millisecond, true},
		"timers of a second":           {loop(wait(time.Second)), time.Second, false},
		"activities between":           {anew(call), 0, false},
		"short timers on a slow hub":   {loop(wait(100 * time.Millisecond)), time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, worker.Config{SpinTurns: 100}, greet.Bind(greetBody), c.code)
			h.submitEternal(round{})
			h.raiseSay("never read", "say-1")
			h.patiently()
			for range 420 {
				h.now = h.now.Add(c.every)
				h.patiently()
			}
			if !c.spins {
				h.is("one", durable.Completed)
				return
			}
			h.suspendedWith("one", "it spins: 100 turns", "resume")
			for range 10 { // every resume is a cause, and is worth as many turns again
				if !h.suspended("one") {
					return
				}
				h.manage("one", durable.Resume, "")
				h.patiently()
				for range 110 {
					h.now = h.now.Add(c.every)
					h.patiently()
				}
			}
			h.is("one", durable.Completed)
		})
	}
}
