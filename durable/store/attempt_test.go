package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

func task() *history.Message {
	return &history.Message{ID: "op", Instance: "i", Incarnation: life, Attempt: 1, Event: history.Event{Kind: history.TaskScheduled, Op: "0"}}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	h := newHub()
	for i, want := range []bool{true, false, false} {
		if got, err := h.Claim(t.Context(), task()); err != nil || got != want {
			t.Errorf("claim %d is %v (%v), want %v", i, got, err, want)
		}
	}
	h.is(t, "c#"+life+"#op")
}

// twice puts everything twice, as a client does that repeats a request whose answer was lost.
type twice struct{ backend.Table }

func (t twice) Put(ctx context.Context, item backend.Item, c backend.Condition) error {
	return errors.Join(t.Table.Put(ctx, item, c), t.Table.Put(ctx, item, c))
}

func TestAClaimWhoseAnswerWasLostIsTheOnesWhoMadeIt(t *testing.T) {
	t.Parallel()
	h := newHubOn(func(b backend.Backend) backend.Backend { b.Table = twice{b.Table}; return b })
	if mine, err := h.Claim(t.Context(), task()); !mine || err != nil {
		t.Errorf("it is mine: %v (%v)", mine, err)
	}
	if mine, err := h.Claim(t.Context(), task()); mine || err != nil {
		t.Errorf("another one is mine, too: %v (%v)", mine, err)
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	h := newHub()
	if got, err := h.Heartbeat(t.Context(), task()); got != nil || err != nil {
		t.Errorf("there is a heartbeat before any: %s (%v)", got, err)
	}
	for _, details := range []string{"1", `"two"`} {
		if err := h.KeepHeartbeat(t.Context(), task(), []byte(details)); err != nil {
			t.Fatal(err)
		}
		if got, err := h.Heartbeat(t.Context(), task()); string(got) != details || err != nil {
			t.Errorf("the heartbeat is %s (%v), want %s", got, err, details)
		}
	}
	h.is(t, "b#"+life+"#op")
}

// is fails unless the instance's one item has the key.
func (h *hub) is(t *testing.T, sort string) {
	t.Helper()
	items := h.memory.Items()
	if len(items) != 1 || items[0].Partition != "i#i" || items[0].Sort != sort || items[0].Expires.IsZero() {
		t.Errorf("the items are %+v, want one at %s that expires", items, sort)
	}
}
