package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// press is somebody outside who is told of changes, and does not hear while it is closed.
type press struct {
	told   []worker.Notification
	closed bool
}

func (p *press) hear(_ context.Context, n worker.Notification) error {
	if p.closed {
		return errors.New("nobody is there")
	}
	p.told = append(p.told, n)
	return nil
}

func (p *press) changes() (out []string) {
	for _, n := range p.told {
		out = append(out, n.Instance+" "+n.Change+" "+n.Status)
	}
	return out
}

// tell handles what is in the activities' queue, and returns what is not done.
func (h *hub) tell() (left []worker.Outcome) {
	h.t.Helper()
	for _, d := range h.take(h.ports.Activities) {
		if o := h.Activity(h.t.Context(), d); !o.Ack {
			left = append(left, o)
		}
	}
	return left
}

func TestChangesAreTold(t *testing.T) {
	var p press
	h := newHub(t, worker.Config{Notify: p.hear}, hello.Bind(func(ctx durable.Context, in string) (string, error) {
		yes.Next(ctx).Await()
		if in == "bad" {
			return "", fmt.Errorf("secret: %w", durable.ErrorKind("Spoilt"))
		}
		return in, nil
	}))
	start := func(id, in string, opts ...durable.StartOption) {
		if _, err := hello.Submit(t.Context(), h.client, in, append(opts, durable.ID(id), durable.Tag("team", "blue"))...); err != nil {
			t.Fatal(err)
		}
		h.orchestrate()
	}
	start("a", "in")
	h.manage("a", durable.Suspend, "lunch")
	h.orchestrate()
	h.manage("a", durable.Resume, "")
	h.orchestrate()
	h.raise("a")
	start("b", "bad")
	h.raise("b")
	start("c", "in", durable.StartAt(h.now.Add(time.Hour)))
	h.manage("c", durable.Terminate, "enough")
	h.orchestrate()
	if left := h.tell(); len(left) > 0 {
		t.Fatalf("not told: %+v", left)
	}
	heard := map[string]bool{}
	p.told = slices.DeleteFunc(p.told, func(n worker.Notification) bool { // at least once is what is promised
		again := heard[n.ID]
		heard[n.ID] = true
		return again
	})
	want := []string{"a Started Running", "a Suspended Suspended", "a Resumed Running", "b Started Running", "a Completed Completed", "b Failed Failed", "c Terminated Terminated"}
	if got := p.changes(); !slices.Equal(got, want) {
		t.Fatalf("told %q, want %q", got, want)
	}
	for _, n := range p.told {
		if n.ID == "" || n.Incarnation == "" || n.Name != "Hello" || n.Tags["team"] != "blue" || !n.Time.Equal(durabletest.Epoch) {
			t.Errorf("told %+v", n)
		}
	}
	if got := p.told[5].ErrorType; got != "Spoilt" {
		t.Errorf("b failed with %q", got)
	}
}

func TestWhatNobodyHearsIsToldAgainForADay(t *testing.T) {
	p := press{closed: true}
	h := newHub(t, worker.Config{Notify: p.hear}, hello.Bind(func(durable.Context, string) (string, error) { return "", nil }))
	h.submit("a")
	h.orchestrate()
	letters := h.take(h.ports.Activities)
	if len(letters) != 2 {
		t.Fatalf("%d messages tell of a start and an end", len(letters))
	}
	for _, d := range letters {
		if o := h.Activity(t.Context(), d); o.Ack || o.Foreign || o.Retry <= 0 {
			t.Errorf("what nobody has heard comes to %+v", o)
		}
	}
	h.done(h.Dead(t.Context(), letters))
	again := h.take(h.ports.Activities)
	if len(again) != 2 || again[0].ID == letters[0].ID {
		t.Fatalf("%d come back from the dead-letter queue", len(again))
	}
	p.closed = false
	h.done([]worker.Outcome{h.Activity(t.Context(), again[0])})
	if len(p.told) != 1 {
		t.Errorf("told %q", p.changes())
	}
	h.now = h.now.Add(25 * time.Hour)
	h.done(h.Dead(t.Context(), letters))
	if left := h.take(h.ports.Activities); len(left) > 0 {
		t.Errorf("after a day %d are still tried", len(left))
	}
}

// What an outbox sends goes behind what it tells: once it has come back, an end does not tell it again.
func TestAnEndTellsAgainOnlyWhatMayNotHaveBeenTold(t *testing.T) {
	for _, asks := range []bool{true, false} {
		var p press
		h := newHub(t, worker.Config{Notify: p.hear}, greet.Bind(func(context.Context, string) (string, error) { return "", nil }),
			hello.Bind(func(ctx durable.Context, _ string) (string, error) {
				if asks {
					greet.Call(ctx, "")
				}
				yes.Next(ctx).Await()
				return "", nil
			}))
		h.submit("a")
		h.orchestrate()
		h.tell()
		h.orchestrate()
		h.raise("a")
		h.orchestrate()
		h.tell()
		want := []string{"a Started Running", "a Completed Completed"}
		if !asks {
			want = slices.Insert(want, 1, want[0])
		}
		if got := p.changes(); !slices.Equal(got, want) {
			t.Errorf("asks %v: told %q, want %q", asks, got, want)
		}
	}
}

func TestAWorkerThatCanTellNobodySaysSo(t *testing.T) {
	h := newHub(t, worker.Config{Notifies: true}, hello.Bind(func(durable.Context, string) (string, error) { return "", nil }))
	h.submit("a")
	h.orchestrate()
	all := h.take(h.ports.Activities)
	for _, d := range all {
		if message(t, d).Event.Kind != hist.Notified {
			t.Errorf("the queue has a %s", message(t, d).Event.Kind)
		}
		h.done([]worker.Outcome{h.Activity(t.Context(), d)})
	}
	if len(all) != 2 {
		t.Errorf("%d messages", len(all))
	}
}
