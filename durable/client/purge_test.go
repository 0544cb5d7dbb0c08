package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
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
