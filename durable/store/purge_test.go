package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

const secret = "a customer's name"

// buried makes an instance that has ended, with a payload in a blob, and returns its history.
func buried(t *testing.T, h *hub, incarnation string, replaces *history.Version) *store.History {
	t.Helper()
	m := start("i", incarnation, replaces)
	m.Event.Data.Bytes = json(18_000)
	if err := h.Offload(t.Context(), "i", incarnation, &m.Event.Data); err != nil {
		t.Fatal(err)
	}
	h.create(t, m)
	hist := h.load(t, "i", incarnation)
	for _, seg := range []*history.Segment{
		{Released: true, Events: []history.Event{m.Event, {Kind: history.EventRaised, Name: secret, MessageID: "1", Data: history.Payload{Bytes: json(20_000)}}}},
		{Released: true, Events: []history.Event{{Kind: history.ExecutionTerminated, Reason: secret, MessageID: "2"}}},
	} {
		if err := h.Commit(t.Context(), hist, seg); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Mark(t.Context(), &history.Message{Instance: "i", Incarnation: incarnation, Attempt: 1}, store.Begun, []byte(secret)); err != nil {
		t.Fatal(err)
	}
	row := h.row(t, "i")
	row.Number, row.Status, row.End = 2, history.StatusTerminated, &hist.Segments[1].Events[0]
	if err := h.Project(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	return hist
}

// gone fails unless nothing of the instance is left but tombstones, which expire.
func gone(t *testing.T, h *hub) {
	t.Helper()
	for _, item := range h.memory.Items() {
		if strings.Contains(string(item.Value), secret) || item.Index != nil || item.Expires.Sub(h.now) != 30*24*time.Hour {
			t.Errorf("%s is left, listed %v, until %v", item.Sort, item.Index != nil, item.Expires)
		}
	}
	if blobs, err := h.ports.Blobs.List(t.Context(), "", "", 10); len(blobs) > 0 || err != nil {
		t.Errorf("blobs are left: %+v, %v", blobs, err)
	}
}

func TestPurgeLeavesTombstones(t *testing.T) {
	t.Parallel()
	h := newHub()
	stalled := buried(t, h, life, nil)
	row := h.row(t, "i")
	if err := h.Purge(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	gone(t, h)
	now := h.row(t, "i")
	if !now.Purged || *now.Version() != *row.Version() {
		t.Errorf("the row is %+v", now)
	}
	segments := h.load(t, "i", life).Segments
	if len(segments) != 3 {
		t.Fatalf("there are %d segments, want 3 with the seal", len(segments))
	}
	for _, seg := range segments {
		if !seg.Tombstone || len(seg.Events) != 1 || seg.Events[0].Kind != history.Sealed {
			t.Errorf("a segment reads as %+v", seg)
		}
	}
	// Who has stalled neither goes on nor shows anything.
	if err := h.Commit(t.Context(), stalled, &history.Segment{Released: true}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a segment is committed after the purge: %v", err)
	}
	if err := h.Project(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	gone(t, h)
	if rows, _, err := h.List(t.Context(), store.Selection{Limit: 10}); len(rows) != 0 || err != nil {
		t.Errorf("listed %v, %v", rows, err)
	}
}

func TestPurgeGoesOnWhereItFailed(t *testing.T) {
	t.Parallel()
	for _, fault := range []backendtest.Fault{backendtest.Before, backendtest.After} {
		for _, op := range []string{"table.put", "table.query", "blobs.list", "blobs.delete"} {
			for n := 1; ; n++ {
				calls := 0
				h := newHubOn(func(b backend.Backend) backend.Backend {
					return backendtest.Faulty(b, func(o string) backendtest.Fault {
						if o != op || calls < 0 {
							return backendtest.None
						}
						if calls++; calls != n {
							return backendtest.None
						}
						return fault
					})
				})
				calls = -1
				buried(t, h, life, nil)
				row := h.row(t, "i")
				calls = 0
				err := h.Purge(t.Context(), row)
				if done := calls < n; done != (err == nil) {
					t.Fatalf("%s %d: %v", op, n, err)
				}
				calls = -1
				if err := h.Hydrate(t.Context(), &h.row(t, "i").Start.Data); err != nil {
					t.Errorf("%s %d: the row shows what is gone: %v", op, n, err)
				}
				if err := h.Purge(t.Context(), row); err != nil {
					t.Errorf("%s %d: purging again: %v", op, n, err)
				}
				gone(t, h)
				if err == nil {
					break
				}
			}
		}
	}
}

func TestPurgeTakesTheLivesBeforeAlong(t *testing.T) {
	t.Parallel()
	h := newHub()
	buried(t, h, life, nil)
	buried(t, h, lifeB, h.row(t, "i").Version())
	if err := h.Purge(t.Context(), h.row(t, "i")); err != nil {
		t.Fatal(err)
	}
	gone(t, h)
}

// The newest life has put no blob; one before it has.
func TestPurgeLooksForBlobsOfTheLivesBefore(t *testing.T) {
	t.Parallel()
	h := newHub()
	buried(t, h, life, nil)
	row := h.create(t, start("i", lifeB, h.row(t, "i").Version()))
	h.commit(t, h.load(t, "i", lifeB), "a")
	h.end(t, row, 1)
	if err := h.Purge(t.Context(), h.row(t, "i")); err != nil {
		t.Fatal(err)
	}
	gone(t, h)
}

func TestPurgeSparesTheLifeThatFollows(t *testing.T) {
	t.Parallel()
	h := newHub()
	buried(t, h, life, nil)
	row := h.row(t, "i")
	newer := buried(t, h, lifeB, row.Version())
	if err := h.Purge(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if now := h.row(t, "i"); now.Incarnation != lifeB || now.Purged {
		t.Errorf("the row is %+v", now)
	}
	if got := h.load(t, "i", lifeB); len(got.Segments) != 2 || got.Segments[0].Tombstone {
		t.Errorf("the newer life has %d segments", len(got.Segments))
	}
	if err := h.Hydrate(t.Context(), &newer.Segments[0].Events[1].Data); err != nil {
		t.Error(err)
	}
	if got := h.load(t, "i", life); !got.Segments[0].Tombstone {
		t.Error("the older life is still there")
	}
}

// A start that was on its way when the instance was purged replaces the tombstone as it would have replaced the row.
func TestAPurgedInstanceIsStartedAnew(t *testing.T) {
	t.Parallel()
	h := newHub()
	buried(t, h, life, nil)
	v := h.row(t, "i").Version()
	if err := h.Purge(t.Context(), h.row(t, "i")); err != nil {
		t.Fatal(err)
	}
	h.create(t, start("i", lifeB, v))
	if now := h.row(t, "i"); now.Incarnation != lifeB || now.Purged || now.Status != history.StatusPending {
		t.Errorf("the row is %+v", now)
	}
	if accepted, _, err := h.Create(t.Context(), start("i", "01JGFJJZ00CCCCCCCCCCCCCCCC", v)); accepted || err != nil {
		t.Errorf("a second start replaces the same version: %v", err)
	}
}

func TestPurgeStopsWhereTheHistoryWentOn(t *testing.T) {
	t.Parallel()
	h := newHub()
	hist := buried(t, h, life, nil)
	row := h.row(t, "i")
	if err := h.Commit(t.Context(), hist, &history.Segment{Released: true, Events: []history.Event{{Kind: history.EventRaised, MessageID: "3"}}}); err != nil {
		t.Fatal(err)
	}
	if err := h.Purge(t.Context(), row); !errors.Is(err, store.ErrWentOn) {
		t.Errorf("error is %v", err)
	}
	if h.row(t, "i").Purged || h.load(t, "i", life).Segments[0].Tombstone {
		t.Error("part of it is gone")
	}
}

// A purge that has sealed stalls, another one finishes, and then the first goes on, and dies: what it put expires all the same.
func TestAStalledPurgeLeavesNothingForEver(t *testing.T) {
	t.Parallel()
	h := newHub()
	buried(t, h, life, nil)
	row := h.row(t, "i")
	puts := 0
	s := store.New(store.Config{Now: func() time.Time { return h.now }, Backend: backendtest.Faulty(h.ports, func(op string) backendtest.Fault {
		if op != "table.put" {
			return backendtest.None
		}
		if puts++; puts == 2 { // of the row
			if err := h.Purge(t.Context(), row); err != nil {
				t.Error(err)
			}
		}
		return map[bool]backendtest.Fault{true: backendtest.Before}[puts > 2]
	})})
	if err := s.Purge(t.Context(), row); err == nil || h.row(t, "i").Purged {
		t.Fatalf("the purge did not die just after the row: %v", err)
	}
	h.now = h.now.Add(31 * 24 * time.Hour)
	h.memory.DeleteExpired()
	if items := h.memory.Items(); len(items) > 0 {
		t.Errorf("%s and %d more are left", items[0].Sort, len(items)-1)
	}
}

// Segments are large, and only their keys are wanted.
func TestAPurgeReadsFewSegmentsAtATime(t *testing.T) {
	t.Parallel()
	h := newHub()
	m := start("i", life, nil)
	h.create(t, m)
	hist := h.load(t, "i", life)
	for i := range 200 {
		e := history.Event{Kind: history.EventRaised, MessageID: fmt.Sprint(i)}
		if i == 0 {
			e = m.Event
		}
		if err := h.Commit(t.Context(), hist, &history.Segment{Released: true, Events: []history.Event{e}}); err != nil {
			t.Fatal(err)
		}
	}
	row := h.row(t, "i")
	row.Number, row.Status, row.End = 200, history.StatusTerminated, &history.Event{Kind: history.ExecutionTerminated}
	if err := h.Project(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	queries := 0
	s := store.New(store.Config{Now: func() time.Time { return h.now }, Backend: backendtest.Faulty(h.ports, func(op string) backendtest.Fault {
		if op == "table.query" {
			queries++
		}
		return backendtest.None
	})})
	if err := s.Purge(t.Context(), h.row(t, "i")); err != nil {
		t.Fatal(err)
	}
	gone(t, h)
	if want := 200/64 + 2; queries < want { // with one of heartbeats
		t.Errorf("it was read by %d queries, want %d", queries, want)
	}
}

// Whoever has stalled in an earlier life finds the place of its folds taken, too.
func TestPurgeTakesThePlaceOfFoldsInEveryLife(t *testing.T) {
	t.Parallel()
	h := newHub()
	stalled := buried(t, h, life, nil)
	buried(t, h, lifeB, h.row(t, "i").Version())
	if err := h.Purge(t.Context(), h.row(t, "i")); err != nil {
		t.Fatal(err)
	}
	s := store.New(store.Config{Backend: h.ports, Now: func() time.Time { return h.now }, FoldBytes: 1})
	stalled.Segments = append(stalled.Segments, stalled.Segments...)
	if err := s.Fold(t.Context(), stalled); err != nil {
		t.Fatal(err)
	}
	gone(t, h)
}
