package store

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// folding is a store that folds early, and how many items its queries returned.
func folding(t *testing.T, foldBytes int) (*Store, *countingTable) {
	t.Helper()
	b := memory.New(memory.Options{}).Backend()
	table := &countingTable{Table: b.Table}
	b.Table = table
	return New(Config{Backend: b, FoldBytes: foldBytes}), table
}

type countingTable struct {
	backend.Table
	queries, items int
}

func (c *countingTable) Query(ctx context.Context, partition, from, to string, limit int) ([]backend.Item, error) {
	items, err := c.Table.Query(ctx, partition, from, to, limit)
	c.queries++
	c.items += len(items)
	return items, err
}

// grow commits n segments, and folds after each as the worker does.
func grow(t *testing.T, s *Store, h *History, n int) {
	t.Helper()
	for range n {
		seg := &history.Segment{Time: time.UnixMilli(1), Released: true, Events: []history.Event{
			{Kind: history.EventRaised, Name: strings.Repeat("x", 80), MessageID: fmt.Sprint("m", len(h.Segments))}}}
		if err := s.Commit(t.Context(), h, seg); err != nil {
			t.Fatal(err)
		}
		if err := s.Fold(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
}

func load(t *testing.T, s *Store) *History {
	t.Helper()
	h, err := s.Load(t.Context(), "one", "01", 0)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// reads fails unless the history that is loaded is h's.
func reads(t *testing.T, s *Store, h *History) {
	t.Helper()
	got := load(t, s)
	if len(got.Segments) != len(h.Segments) || got.Bytes != h.Bytes {
		t.Fatalf("loaded %d segments of %d bytes, want %d of %d", len(got.Segments), got.Bytes, len(h.Segments), h.Bytes)
	}
	for n := range h.Segments {
		if !bytes.Equal(got.Segments[n].Encode(), h.Segments[n].Encode()) {
			t.Errorf("segment %d is another", n)
		}
	}
}

func TestALongHistoryIsReadThroughItsFolds(t *testing.T) {
	t.Parallel()
	s, table := folding(t, 10_000)
	h := &History{Instance: "one", Incarnation: "01"}
	const n = 5000
	grow(t, s, h, n)
	reads(t, s, h)
	if table.queries > 2 || table.items > 2*firstPage+10_000/80 {
		t.Errorf("%d segments were read with %d queries of %d items", n, table.queries, table.items)
	}
	if folds := len(load(t, s).folds); folds < 20 {
		t.Errorf("there are %d folds", folds)
	}
}

// Where the folds end, and how long the history is, does not matter: the first page may end anywhere.
func TestEveryLengthIsRead(t *testing.T) {
	t.Parallel()
	for _, foldBytes := range []int{1, 1000, 5000, 1 << 20} {
		s, _ := folding(t, foldBytes)
		h := &History{Instance: "one", Incarnation: "01"}
		for range 3 * firstPage {
			grow(t, s, h, 1)
			reads(t, s, h)
		}
	}
}

func TestAHistoryWithoutFoldsIsReadInPages(t *testing.T) {
	t.Parallel()
	s, table := folding(t, 1<<30)
	h := &History{Instance: "one", Incarnation: "01"}
	for _, n := range []int{1, firstPage - 1, 1, 1, loadPage, 1} {
		grow(t, s, h, n)
		table.queries = 0
		reads(t, s, h)
		if want := 1 + (len(h.Segments)+loadPage-firstPage)/loadPage; table.queries > want {
			t.Errorf("%d segments were read with %d queries, want %d", len(h.Segments), table.queries, want)
		}
	}
}

// Two workers that fold the same history, from different places on, lose nothing.
func TestTwoFoldsOfOneHistory(t *testing.T) {
	t.Parallel()
	s, _ := folding(t, 1<<30)
	h := &History{Instance: "one", Incarnation: "01"}
	grow(t, s, h, 10)
	early := load(t, s)
	grow(t, s, h, 10)
	late := load(t, s)
	s.foldBytes = 1
	for _, x := range []*History{early, late, early, late, h} {
		if err := s.Fold(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		reads(t, s, h)
	}
	if late.folded() != 19 || h.folded() != 19 {
		t.Errorf("folded are %d and %d segments, want 19: all but the last", late.folded(), h.folded())
	}
	grow(t, s, h, 3)
	reads(t, s, h)
}

// Keys are part of the stored format.
func TestKeysOfFolds(t *testing.T) {
	t.Parallel()
	if got := foldSort("01", 3); got != "h#01#00000003!fold" || got >= segmentSort("01", 3, 0) || got <= segmentSort("01", 2, 1<<32-1) {
		t.Errorf("a fold is at %s", got)
	}
	if got := foldBlob("one", "01", 3, 16, 300); got != "2a348d0ed7c4e4ce8816f638b7fc6b76/01/fold-00000003-00000010-0000012c" {
		t.Errorf("its blob is at %s", got)
	}
}

func TestAFoldThatIsGoneIsMadeUpFor(t *testing.T) {
	t.Parallel()
	s, _ := folding(t, 1000)
	h := &History{Instance: "one", Incarnation: "01"}
	grow(t, s, h, 100)
	ends := h.folds
	for i, from := range append([]uint64{0}, ends[:len(ends)-1]...) {
		if i%3 == 1 {
			if err := s.b.Blobs.Delete(t.Context(), foldBlob("one", "01", 0, from, ends[i])); err != nil {
				t.Fatal(err)
			}
		}
	}
	reads(t, s, h)
}

func TestADamagedFoldIsAnError(t *testing.T) {
	t.Parallel()
	s, _ := folding(t, 1)
	h := &History{Instance: "one", Incarnation: "01"}
	grow(t, s, h, 5)
	item, err := s.b.Table.Get(t.Context(), foldKey("one", "01", 0))
	if err != nil || item == nil {
		t.Fatal(item, err)
	}
	for name, value := range map[string][]byte{
		"newer":        {history.FormatVersion + 1, 0, 1},
		"compressed":   {history.FormatVersion, 1, 1},
		"empty":        {},
		"nothing more": {history.FormatVersion, 0, 1, 0},
		"cut":          {history.FormatVersion, 0, 0x80},
		"too many":     {history.FormatVersion, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
	} {
		item.Value = value
		if err := s.b.Table.Put(t.Context(), *item, backend.Always()); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Load(t.Context(), "one", "01", 0); err == nil {
			t.Errorf("%s: %d segments", name, len(got.Segments))
		}
	}
	for _, b := range [][]byte{{1}, {5, 1, 0}, {0x80}, {2, 1, 0, 2, 1, 0}} {
		if err := new(History).appendFold(b, 1); err == nil {
			t.Errorf("a fold of % x is read", b)
		}
	}
}
