package doctor_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/doctor"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

const day = 24 * time.Hour

// blobs are the keys of all payloads.
func (h *hub) blobs() []string {
	h.t.Helper()
	list, err := h.ports.Blobs.List(h.t.Context(), "", "", 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	var keys []string
	for _, b := range list {
		keys = append(keys, b.Key)
	}
	return keys
}

func TestPayloadsThatNothingRefersTo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	large := strings.Repeat(" ", history.InlinePayload)
	h.submit("current", large+"ship yes")
	h.submit("replaced", large)
	h.run(true)
	used := len(h.blobs())
	life := "01JGFJJZ00AAAAAAAAAAAAAAAA"
	for _, key := range []string{
		store.Group("current") + "/" + strings.Split(h.blobs()[0], "/")[1] + "/0123", // perhaps of the current life, perhaps of the other
		store.Group("nobody") + "/" + life + "/0123", store.Group("nobody") + "/" + life + "/4567",
		"something/else", "some/thing/else",
	} {
		if err := h.ports.Blobs.Put(t.Context(), key, bytes.Repeat([]byte("x"), 3000)); err != nil {
			t.Fatal(err)
		}
	}
	h.now = h.now.Add(day)
	h.submit("replaced", large+"ship")
	h.run(true)
	all := h.blobs()
	closed := func(c *doctor.Config) { c.Closed = true }
	h.now = h.now.Add(13*day + 23*time.Hour)
	h.want(h.examine(closed)) // some message may refer to them
	h.now = h.now.Add(2 * time.Hour)
	got := sorted(h.examine(closed))
	h.want(got, "orphan|current|1 payload of 3 KB that nothing refers to is left|delete 1 blob", "orphan||2 payloads of 6 KB of no instance are left|delete 2 blobs")
	h.now = h.now.Add(day)
	got = sorted(h.examine(closed))
	if len(got) != 3 || !strings.HasPrefix(got[1], "orphan|replaced|") {
		t.Errorf("a day later the replaced life is found, too: %q", got)
	}
	h.want(h.examine(nil))
	if n := len(h.blobs()); n != len(all) {
		t.Errorf("%d of %d blobs are left before the repair", n, len(all))
	}
	h.examine(func(c *doctor.Config) { c.Closed, c.Repair = true, true })
	h.want(h.examine(closed))
	left := strings.Join(h.blobs(), " ")
	if strings.Contains(left, store.Group("nobody")) || !strings.Contains(left, "something/else") || !strings.Contains(left, "some/thing/else") || used == 0 {
		t.Errorf("left are %s", left)
	}
	if err := yes.Raise(t.Context(), h.client, "current", true); err != nil {
		t.Fatal(err)
	}
	h.run(true)
	h.is("current", durable.Completed)
	for _, id := range []string{"current", "replaced"} {
		if _, err := h.client.History(t.Context(), id); err != nil {
			t.Errorf("the history of %s: %v", id, err)
		}
	}
}

// Folds of a life that was replaced are payloads that nothing refers to: not even the item that lists them is left, and whoever
// still comes for the history reads it segment by segment.
func TestFoldsOfAReplacedLife(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	reads := 0
	ports := backendtest.Faulty(h.ports, func(op string) backendtest.Fault {
		if op == "blobs.get" {
			reads++
		}
		return backendtest.None
	})
	h.store = store.New(store.Config{Backend: ports, Now: func() time.Time { return h.now }, FoldBytes: 1})
	h.client = client.New(h.store)
	h.worker = h.newWorker(order.Bind(body), ship.Bind(func(_ context.Context, s string) (string, error) { return s, nil }))
	h.submit("a", "ship ship ship")
	h.run(true)
	row, err := h.store.Row(t.Context(), "a")
	if err != nil || len(h.blobs()) == 0 {
		t.Fatalf("%d folds, %v", len(h.blobs()), err)
	}
	before, err := h.store.Load(t.Context(), "a", row.Incarnation, 0)
	if err != nil || reads == 0 {
		t.Fatalf("%d folds were read, %v", reads, err)
	}
	h.submit("a", "ship ship ship")
	h.run(true)
	h.now = h.now.Add(16 * day)
	kept := len(h.blobs()) / 2
	h.examine(func(c *doctor.Config) { c.Closed, c.Repair = true, true })
	if n := len(h.blobs()); n != kept || kept == 0 {
		t.Errorf("%d folds are left, want the %d of the life that is", n, kept)
	}
	reads = 0
	after, err := h.store.Load(t.Context(), "a", row.Incarnation, 0)
	if err != nil || len(after.Segments) != len(before.Segments)+1 { // with the seal
		t.Errorf("%d segments, %v; want %d", len(after.Segments), err, len(before.Segments)+1)
	}
	if reads > 0 {
		t.Errorf("%d folds were looked for that are gone", reads)
	}
	now, err := h.store.Row(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.Load(t.Context(), "a", now.Incarnation, 0); err != nil || reads != kept {
		t.Errorf("%d folds of the life that is were read, %v; want %d", reads, err, kept)
	}
}
