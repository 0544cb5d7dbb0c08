package store_test

import (
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// saying commits n segments that say the same, so that each is stored by what is before it.
func (h *hub) saying(t *testing.T, n int) *store.History {
	t.Helper()
	mine := h.load(t, "i", life)
	for range n {
		if err := h.Commit(t.Context(), mine, &history.Segment{Released: true, Events: []history.Event{
			{Kind: history.EventRaised, MessageID: "1", Name: "a", Data: history.Payload{Bytes: json(2000)}}}}); err != nil {
			t.Fatal(err)
		}
	}
	return mine
}

func (h *hub) segments(t *testing.T) []backend.Item {
	t.Helper()
	items, err := h.memory.Backend().Table.Query(t.Context(), "i#i", "h#", "h$", 100)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func TestSegmentsAreStoredByWhatIsBeforeThem(t *testing.T) {
	t.Parallel()
	h := newHub()
	mine := h.saying(t, 4)
	for n, item := range h.segments(t) {
		if size := len(item.Value); size > 300 {
			t.Errorf("segment %d has %d bytes", n, size)
		}
	}
	again := h.load(t, "i", life)
	if len(again.Segments) != 4 || again.Bytes != mine.Bytes || again.Bytes < 8000 {
		t.Errorf("%d segments of %d bytes are read, %d were written", len(again.Segments), again.Bytes, mine.Bytes)
	}
	if err := h.Commit(t.Context(), again, &history.Segment{Events: again.Segments[3].Events}); err != nil {
		t.Fatal(err)
	}
	if n := len(h.load(t, "i", life).Segments); n != 5 {
		t.Errorf("%d segments are read after another writer went on", n)
	}
	if sealed, err := h.Seal(t.Context(), "i", history.Version{Incarnation: life, Number: 4}); sealed || err != nil {
		t.Errorf("a history that went on is sealed: %v, %v", sealed, err)
	}
}

// TestAHistoryThatIsBeingPurgedIsRead: what is behind a tombstone cannot be read any more, and its place can.
func TestAHistoryThatIsBeingPurgedIsRead(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.saying(t, 4)
	first := h.segments(t)[0]
	first.Owner, first.Value = "purged", (&history.Segment{Tombstone: true, Released: true}).Encode()
	if err := h.memory.Backend().Table.Put(t.Context(), first, backend.Always()); err != nil {
		t.Fatal(err)
	}
	got := h.load(t, "i", life)
	if len(got.Segments) != 4 || got.Segments[3].Events[0].Kind != history.Sealed {
		t.Errorf("%d segments are read, the last with %v", len(got.Segments), got.Segments[len(got.Segments)-1].Events)
	}
}
