package worker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// post is a queue that counts its calls, and refuses those that have a message for one group.
type post struct {
	backend.Queue
	sends   []int
	refuses string
}

func (p *post) Send(ctx context.Context, messages []backend.Message) []error {
	p.sends = append(p.sends, len(messages))
	errs := make([]error, len(messages))
	failed := false
	for i, m := range messages {
		if m.Group == p.refuses {
			errs[i], failed = errors.New("it is too large"), true
		} else if got := p.Queue.Send(ctx, []backend.Message{m}); got != nil {
			errs[i], failed = got[0], true
		}
	}
	if !failed {
		return nil
	}
	return errs
}

// posted is a hub whose activities' queue is counted.
func posted(t *testing.T) (*hub, *post) {
	h := newHub(t, worker.Config{})
	p := &post{Queue: h.ports.Activities}
	h.ports.Activities = p
	h.cfg.Store = store.New(store.Config{Backend: h.ports, Now: h.cfg.Store.Now})
	h.deploy("build 1", greet.Bind(func(_ context.Context, in string) (string, error) { return in, nil }),
		hello.Bind(func(ctx durable.Context, in string) (string, error) {
			ctx.SetStatus("working")
			return greet.Call(ctx, in)
		}))
	return h, p
}

func TestABatchIsSentTogether(t *testing.T) {
	h, p := posted(t)
	for i := range 10 {
		h.submit(fmt.Sprint("i", i))
	}
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	if got := fmt.Sprint(p.sends); got != "[10]" {
		t.Errorf("the activities of ten instances are sent as %s", got)
	}
	for _, d := range h.take(p.Queue) {
		h.done([]worker.Outcome{h.Activity(t.Context(), d)})
	}
	h.orchestrate()
	for i := range 10 {
		if in, err := h.client.Get(t.Context(), fmt.Sprint("i", i)); err != nil || in.Status != durable.Completed {
			t.Errorf("i%d is %s, %v", i, in.Status, err)
		}
	}
}

func TestWhatCannotBeSentIsItsInstancesOwnFailure(t *testing.T) {
	h, p := posted(t)
	for _, id := range []string{"a", "bad", "c"} {
		h.submit(id)
	}
	p.refuses = store.Group("bad")
	batch := h.take(h.ports.Wake)
	for i, o := range h.Wake(t.Context(), batch) {
		if bad := batch[i].Group == store.Group("bad") || message(t, batch[i]).Instance == "bad"; o.Ack == bad {
			t.Errorf("the start of %s: %+v", message(t, batch[i]).Instance, o)
		}
	}
	for _, id := range []string{"a", "bad", "c"} {
		in, err := h.client.Get(t.Context(), id)
		if want := map[bool]string{true: "", false: `"working"`}[id == "bad"]; err != nil || string(in.CustomStatus) != want {
			t.Errorf("%s shows %s, want %s: what was not sent must not be shown", id, in.CustomStatus, want)
		}
	}
}

// TestWhoMayTakeOthersAlongComesAfterThem: before a message that was received again and again, the others of its batch are done with.
func TestWhoMayTakeOthersAlongComesAfterThem(t *testing.T) {
	h, p := posted(t)
	for _, id := range []string{"suspect", "a", "b"} {
		h.submit(id)
	}
	batch := h.take(h.ports.Wake)
	batch[0].Receives = 9
	h.done(h.Wake(t.Context(), batch))
	if got := fmt.Sprint(p.sends); got != "[2 1]" {
		t.Errorf("sent as %s", got)
	}
}
