package worker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// A purge breaks off when segments are overwritten; the tombstones expire before anybody goes on with it. What comes late then finds a row of its life and no history.
func TestALifeWhosePurgeBrokeOffDoesNotBeginAnew(t *testing.T) {
	t.Parallel()
	runs := 0
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		runs++
		_, err := yes.Next(ctx).Await()
		return "done", err
	}))
	h.submit("one")
	start := h.take(h.ports.Wake)
	h.done(h.Wake(t.Context(), start))
	h.raise("one")
	event := h.take(h.ports.Inbox)
	h.done(h.Inbox(t.Context(), event))
	h.is("one", durable.Completed)
	row, err := h.cfg.Store.Row(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	puts := 0
	broken := store.New(store.Config{Now: func() time.Time { return h.now }, Backend: backendtest.Faulty(h.ports, func(op string) backendtest.Fault {
		if op == "table.put" {
			puts++
		}
		return map[bool]backendtest.Fault{puts > 2: backendtest.Before}[op == "table.put"] // the seal is put, and a tombstone
	})})
	if err := broken.Purge(t.Context(), row); err == nil {
		t.Fatal("the purge did not break off")
	}
	for _, item := range h.memory.Items() {
		if strings.HasPrefix(item.Sort, "h#") {
			if err := h.ports.Table.Delete(t.Context(), item.Key); err != nil {
				t.Fatal(err)
			}
		}
	}
	runs = 0
	for name, messages := range map[string][]backend.Delivery{"an event": event, "the start": start} {
		h.done(h.Inbox(t.Context(), messages))
		if segments, err := h.cfg.Store.Load(t.Context(), "one", row.Incarnation, 0); err != nil || len(segments.Segments) > 0 || runs > 0 {
			t.Errorf("%s begins the instance anew: %v", name, err)
		}
	}
	if _, err := h.Checkup(t.Context(), "one"); !errors.Is(err, worker.ErrAhead) {
		t.Errorf("a checkup says %v", err)
	}
	if sent, err := h.Repair(t.Context(), "one"); !errors.Is(err, worker.ErrAhead) || len(sent)+len(h.take(h.ports.Inbox)) > 0 {
		t.Errorf("a repair sends %v, %v", sent, err)
	}
	// It is still found, and so can be purged.
	if err := h.cfg.Store.Purge(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(31 * 24 * time.Hour)
	h.memory.DeleteExpired()
	if items := h.memory.Items(); len(items) > 0 {
		t.Errorf("%s and %d more are left", items[0].Sort, len(items)-1)
	}
}

// Another worker begins the instance after its history was read, and before its row is.
func TestAHistoryThatBeginsMeanwhileIsNotGone(t *testing.T) {
	t.Parallel()
	waits := hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		_, err := yes.Next(ctx).Await()
		return "done", err
	})
	h := newHub(t, worker.Config{}, waits)
	h.submit("one")
	h.raise("one")
	gets := 0
	late, err := worker.New(worker.Config{Handlers: []durable.Handler{waits}, Store: store.New(store.Config{Now: func() time.Time { return h.now },
		Backend: backendtest.Faulty(h.ports, func(op string) backendtest.Fault {
			if op == "table.get" {
				if gets++; gets == 1 {
					h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
				}
			}
			return backendtest.None
		})})})
	if err != nil {
		t.Fatal(err)
	}
	h.done(late.Inbox(t.Context(), h.take(h.ports.Inbox)))
	h.is("one", durable.Completed)
}
