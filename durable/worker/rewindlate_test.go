package worker_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// newWaiting is a hub whose instance "one" starts the child "kid", which waits for an event, and fails as long as broken.
func newWaiting(t *testing.T, broken *bool) *hub {
	t.Helper()
	h := newHub(t, worker.Config{}, greet.Bind(func(context.Context, string) (string, error) {
		if *broken {
			return "", errors.New("not yet")
		}
		return "mended", nil
	}), childOrch.Bind(func(ctx durable.Context, _ string) (string, error) {
		ok, err := yes.Next(ctx).Await()
		if err == nil && !ok {
			err = errors.New("no")
		}
		return "heard", err
	}), hello.Bind(func(ctx durable.Context, in string) (string, error) {
		kid := childOrch.Start(ctx, in, durable.ID("kid"))
		if err := durable.Sleep(ctx, time.Second); err != nil {
			return "", err
		}
		if _, err := greet.Call(ctx, in); err != nil {
			return "", err
		}
		return kid.Await()
	}))
	h.submit("one")
	h.advance(2 * time.Second)
	h.is("one", durable.Failed)
	h.is("kid", durable.Running)
	return h
}

// held runs what is ready, but for messages of that kind, which it returns.
func (h *hub) held(kind hist.Kind, instance string) []backend.Delivery {
	h.t.Helper()
	var held []backend.Delivery
	for {
		wake, inbox := h.take(h.ports.Wake), h.take(h.ports.Inbox)
		if len(wake)+len(inbox) == 0 && len(h.work()) == 0 {
			return held
		}
		h.done(h.Wake(h.t.Context(), wake))
		inbox = slices.DeleteFunc(inbox, func(d backend.Delivery) bool {
			m := message(h.t, d)
			if m.Event.Kind != kind || m.Instance != instance {
				return false
			}
			held = append(held, d)
			return true
		})
		h.done(h.Inbox(h.t.Context(), inbox))
	}
}

// A parent was rewound twice, and its child hears of the first time last: it tells whom it is to tell.
func TestALateRewindOfTheParentDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, batch := range map[string]bool{"alone": false, "in one batch": true} {
		for _, answer := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				broken := true
				h := newWaiting(t, &broken)
				h.manage("one", durable.Rewind, "")
				first := h.held(hist.ExecutionRewound, "kid")
				h.is("one", durable.Failed)
				broken = false
				h.manage("one", durable.Rewind, "")
				second := h.held(hist.ExecutionRewound, "kid")
				if len(first) != 1 || len(second) == 0 {
					t.Fatalf("%d and %d rewinds of the parent are sent to the child", len(first), len(second))
				}
				if batch {
					h.done(h.Inbox(t.Context(), append(second, first...)))
				} else {
					h.done(h.Inbox(t.Context(), second))
					h.done(h.Inbox(t.Context(), first))
				}
				h.settle()
				if !answer { // the child fails, and is not rewound by what comes late once more
					if err := yes.Raise(t.Context(), h.client, "kid", false); err != nil {
						t.Fatal(err)
					}
					h.settle()
					h.is("kid", durable.Failed)
					h.done(h.Inbox(t.Context(), first))
					h.settle()
					h.is("kid", durable.Failed)
					h.is("one", durable.Failed)
					return
				}
				h.raise("kid")
				h.settle()
				h.is("kid", durable.Completed)
				h.is("one", durable.Completed)
			})
		}
	}
}

// A child that ends in the batch which brings the rewind of its parent answers it.
func TestAChildThatEndsWithTheRewindOfItsParentAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(*hub)
		want durable.Status
		kid  durable.Status
	}{
		"terminated": {func(h *hub) { h.manage("kid", durable.Terminate, "enough") }, durable.Failed, durable.Terminated},
		"completed":  {func(h *hub) { h.raise("kid") }, durable.Completed, durable.Completed},
		"failed, and so rewound": {func(h *hub) {
			if err := yes.Raise(h.t.Context(), h.client, "kid", false); err != nil {
				h.t.Fatal(err)
			}
		}, durable.Failed, durable.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := true
			h := newWaiting(t, &broken)
			broken = false
			h.manage("one", durable.Rewind, "")
			rewind := h.held(hist.ExecutionRewound, "kid")
			c.end(h)
			h.done(h.Inbox(t.Context(), append(h.take(h.ports.Inbox), rewind...)))
			h.settle()
			h.is("kid", c.kid)
			h.is("one", c.want)
		})
	}
}

// What a parent waits for and somebody else has the id of is not repaired with it.
func TestARepairLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), childOrch.Bind(func(ctx durable.Context, in string) (string, error) {
		return greet.Call(ctx, in)
	}), hello.Bind(func(ctx durable.Context, in string) (string, error) {
		return childOrch.Call(ctx, in, durable.ID("kid"))
	}))
	if _, err := childOrch.Submit(t.Context(), h.client, "in", durable.ID("kid")); err != nil {
		t.Fatal(err)
	}
	h.orchestrate()
	h.take(h.ports.Activities) // it is under way elsewhere
	h.submit("one")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	h.done(h.Inbox(t.Context(), h.take(h.ports.Inbox)))
	h.take(h.ports.Wake) // the child's start is lost
	if _, err := h.Repair(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	h.orchestrate()
	if got := h.take(h.ports.Activities); len(got) > 0 {
		t.Errorf("%d activities of somebody else are sent again", len(got))
	}
	if in := h.is("one", durable.Failed); in.Failure.Kind != string(durable.InstanceExists) {
		t.Errorf("it failed of %+v", in.Failure)
	}
}

// A child that was replaced after it had continued as new says that it is gone.
func TestAReplacedChildOfManyGenerationsSaysSo(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, childOrch.Bind(func(ctx durable.Context, in string) (string, error) {
		switch in {
		case "first":
			return "", childOrch.ContinueAsNew(ctx, "second")
		case "second":
			return "", errors.New("no")
		}
		return "another", nil
	}), hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		return childOrch.Call(ctx, "first", durable.ID("kid"))
	}))
	h.submit("one")
	h.settle()
	h.is("one", durable.Failed)
	if _, err := childOrch.Submit(t.Context(), h.client, "other", durable.ID("kid")); err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.is("kid", durable.Completed)
	h.manage("one", durable.Rewind, "")
	h.settle()
	if in := h.is("one", durable.Failed); in.Failure.Kind != string(durable.InstanceGone) {
		t.Errorf("it failed of %+v, want InstanceGone", in.Failure)
	}
}

// A repair sends an event again that was sent lately, and none that its receiver may have forgotten.
func TestARepairSendsOnlyNewEventsAgain(t *testing.T) {
	t.Parallel()
	for later, want := range map[time.Duration]int{7 * time.Minute: 1, time.Hour: 0} { // a queue remembers for five minutes that it had one
		h := newHub(t, worker.Config{}, childOrch.Bind(func(ctx durable.Context, _ string) (string, error) {
			_, err := yes.Next(ctx).Await()
			return "", err
		}), hello.Bind(func(ctx durable.Context, _ string) (string, error) {
			if err := yes.Send(ctx, "other", true); err != nil {
				return "", err
			}
			_, err := yes.Next(ctx).Await()
			return "", err
		}))
		if _, err := childOrch.Submit(t.Context(), h.client, "", durable.ID("other")); err != nil {
			t.Fatal(err)
		}
		h.orchestrate()
		h.submit("one")
		h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
		if n := len(h.take(h.ports.Inbox)); n != 1 { // it is lost, or was heard long ago
			t.Fatalf("%d events are sent, want one", n)
		}
		h.is("one", durable.Running)
		h.now = h.now.Add(later)
		if _, err := h.Repair(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		if got := len(h.take(h.ports.Inbox)); got != want {
			t.Errorf("%v later %d events are sent again, want %d", later, got, want)
		}
	}
}
