package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

func TestPurge(t *testing.T) {
	t.Parallel()
	h := newHub()
	ref := h.start(t, durable.StartRequest{ID: "i", Input: text(100_000)})
	if err := h.Purge(t.Context(), "i"); !errors.Is(err, durable.ErrNotEnded) || !strings.Contains(err.Error(), "terminate it first") {
		t.Errorf("purging what has not ended: %v", err)
	}
	for _, id := range []string{"nobody", "", "@entity"} {
		if err := h.Purge(t.Context(), id); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("purging %q: %v", id, err)
		}
	}
	h.commit(t, "i", ref.Incarnation, history.Event{Kind: history.ExecutionCompleted})
	if err := h.Purge(t.Context(), "i"); err != nil {
		t.Fatal(err)
	}
	_, getErr := h.Get(t.Context(), "i")
	_, historyErr := h.History(t.Context(), "i")
	for what, err := range map[string]error{
		"Get": getErr, "History": historyErr, "Purge": h.Purge(t.Context(), "i"),
		"Raise":  h.Raise(t.Context(), durable.EventRequest{Instance: "i", Name: "Yes"}),
		"Manage": h.Manage(t.Context(), durable.ManageRequest{Instance: "i", Command: durable.Terminate}),
	} {
		if !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("%s of what was purged: %v", what, err)
		}
	}
	// Its id is free, even for those who never replace anything.
	again := h.start(t, durable.StartRequest{ID: "i", Reuse: durable.ReuseNever})
	if again.Incarnation <= ref.Incarnation || h.get(t, "i").Status != durable.Running {
		t.Errorf("started again as %s after %s", again.Incarnation, ref.Incarnation)
	}
}

// A purge may delete a payload between the read of the row and that of the payload.
func TestReadingWhatIsJustBeingPurged(t *testing.T) {
	t.Parallel()
	h := newHub()
	ref := h.start(t, durable.StartRequest{ID: "i", Input: text(100_000)})
	h.commit(t, "i", ref.Incarnation, completed)
	h.start(t, durable.StartRequest{ID: "other"})
	before, err := h.store.Row(t.Context(), "i")
	if err != nil {
		t.Fatal(err)
	}
	stale := &staleRows{Table: h.store.Backend().Table, row: before.Instance}
	b := h.store.Backend()
	b.Table = stale
	c := client.New(store.New(store.Config{Backend: b, Now: func() time.Time { return h.now }}))
	stale.keep(t)
	if err := h.Purge(t.Context(), "i"); err != nil {
		t.Fatal(err)
	}
	if in, err := c.Get(t.Context(), "i"); !errors.Is(err, durable.ErrNotFound) {
		t.Errorf("it is read as %v, %v", in, err)
	}
	stale.again()
	if page, err := c.List(t.Context(), durable.Query{}); err != nil || len(page.Instances) != 1 {
		t.Errorf("%v are listed, %v", page.Instances, err)
	}
}

// staleRows answers one read of a row with what was there before.
type staleRows struct {
	backend.Table
	row    string
	old    *backend.Item
	listed map[string][]backend.Indexed
	armed  bool
}

func (s *staleRows) keep(t *testing.T) {
	t.Helper()
	var err error
	if s.old, err = s.Table.Get(t.Context(), backend.Key{Partition: "i#" + s.row, Sort: "row"}); err != nil {
		t.Fatal(err)
	}
	s.listed = map[string][]backend.Indexed{}
	for _, state := range []string{"open", "closed"} {
		for shard := range 4 {
			p := fmt.Sprint(state, "#", shard)
			if s.listed[p], err = s.Table.Index(t.Context(), p, "", "", 100); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.armed = true
}

func (s *staleRows) again() { s.armed = true }

func (s *staleRows) Get(ctx context.Context, k backend.Key) (*backend.Item, error) {
	if s.armed && k == s.old.Key {
		s.armed = false
		return s.old, nil
	}
	return s.Table.Get(ctx, k)
}

func (s *staleRows) Index(_ context.Context, partition, _, _ string, _ int) ([]backend.Indexed, error) {
	return s.listed[partition], nil
}
