package client_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
)

func TestRestart(t *testing.T) {
	t.Parallel()
	for _, newID := range []bool{false, true} {
		h := newHub()
		first := h.start(t, durable.StartRequest{Name: "Hello", Version: 3, ID: "i", Input: text(100_000), Tags: map[string]string{"team": "blue"},
			TraceParent: "00-1-2-01"})
		if !newID {
			_, err := h.Restart(t.Context(), durable.RestartRequest{Instance: "i"})
			wantError(t, "while it runs", err, durable.ErrExists, "a run of Hello")
		}
		h.commit(t, "i", first.Incarnation, completed)
		old := h.get(t, "i")
		ref, err := h.Restart(t.Context(), durable.RestartRequest{Instance: "i", NewID: newID})
		if err != nil || ref.ID == "i" == newID || ref.Incarnation == first.Incarnation {
			t.Fatalf("new id %v: restarted as %v, %v", newID, ref, err)
		}
		want := durable.Instance{ID: ref.ID, Incarnation: ref.Incarnation, Name: "Hello", Version: 3, Status: durable.Pending,
			Input: old.Input, Tags: old.Tags, Created: epoch, Updated: epoch}
		if diff := cmp.Diff(want, h.get(t, ref.ID)); diff != "" {
			t.Errorf("new id %v: -want +got:\n%s", newID, diff)
		}
		m := receive(t, h.ports.Wake)
		if m.Event.Start.TraceParent != "" {
			t.Errorf("the new run is part of the trace %s", m.Event.Start.TraceParent)
		}
		if !h.run(t, m) {
			t.Errorf("new id %v: the worker refuses it", newID)
		}
		if newID {
			if in := h.get(t, "i"); in.Status != durable.Completed {
				t.Errorf("the first instance is %s", in.Status)
			}
			// What still runs can be started beside it.
			if _, err := h.Restart(t.Context(), durable.RestartRequest{Instance: ref.ID, NewID: true}); err != nil {
				t.Error(err)
			}
		}
	}
	_, err := newHub().Restart(t.Context(), durable.RestartRequest{Instance: "nobody", NewID: true})
	wantError(t, "nobody", err, durable.ErrNotFound, "nobody")
}

// A purge that broke off has left the instance to be found, and has taken its input.
func TestRestartOfWhatIsHalfPurged(t *testing.T) {
	t.Parallel()
	h := newHub()
	ref := h.start(t, durable.StartRequest{ID: "i", Input: text(100_000)})
	h.commit(t, "i", ref.Incarnation, completed)
	h.breakPurge(t, "i")
	if in := h.get(t, "i"); in.Status != durable.Completed || in.Input != nil {
		t.Fatalf("it is not half purged: %+v", in)
	}
	for _, newID := range []bool{false, true} {
		_, err := h.Restart(t.Context(), durable.RestartRequest{Instance: "i", NewID: newID})
		wantError(t, "half purged", err, durable.ErrNotFound, "being purged")
	}
	_, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "i", Reuse: durable.ReuseNever, Conflict: durable.UseSame})
	wantError(t, "the same as what is half purged", err, durable.ErrExists, "another input")
}

// breakPurge has a purge fail when it has emptied the row.
func (h *hub) breakPurge(t *testing.T, id string) {
	t.Helper()
	puts := 0
	h.fault = func(op string) backendtest.Fault {
		if op == "table.put" {
			puts++
		}
		if puts > 2 {
			return backendtest.Before
		}
		return backendtest.None
	}
	wantError(t, "a purge that breaks off", h.Purge(t.Context(), id), backendtest.ErrInjected, "")
	h.fault = nil
}
