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
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
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

func TestPurgeWhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		req  durable.PurgeRequest
		want int
		left string
	}{
		{"all that has ended", durable.PurgeRequest{}, 3, "c6 b4 a1"},
		{"what has failed", durable.PurgeRequest{Where: durable.Query{Statuses: []durable.Status{durable.Failed, durable.Running}}}, 1, "c6 b5 b4 a2 a1"},
		{"what runs", durable.PurgeRequest{Where: durable.Query{Statuses: []durable.Status{durable.Running}}}, 0, "c6 b5 b4 b3 a2 a1"},
		{"until then", durable.PurgeRequest{Where: durable.Query{To: epoch.Add(3 * time.Second)}}, 2, "c6 b5 b4 a1"},
		{"by prefix", durable.PurgeRequest{Where: durable.Query{IDPrefix: "b"}}, 2, "c6 b4 a2 a1"},
		{"two, the newest", durable.PurgeRequest{Where: durable.Query{Limit: 2}}, 2, "c6 b4 a2 a1"},
	} {
		h := listed(t)
		got, err := h.PurgeWhere(t.Context(), c.req)
		if got.Instances != c.want || err != nil {
			t.Errorf("%s: purged %d, %v, want %d", c.name, got.Instances, err, c.want)
		}
		if left := h.pages(t, durable.Query{}, 0); left != c.left {
			t.Errorf("%s: left are %s, want %s", c.name, left, c.left)
		}
	}
	_, err := listed(t).PurgeWhere(t.Context(), durable.PurgeRequest{Where: durable.Query{Continue: "zzz"}})
	wantError(t, "from nowhere", err, durable.ErrInvalid, "zzz")
}

// Each purge takes a while; the budget is looked at after each, and what is left is purged by going on.
func TestPurgeWhereGoesOnWhenItsTimeIsUp(t *testing.T) {
	t.Parallel()
	h := newHub()
	const all = 60
	for n := range all {
		ref := h.start(t, durable.StartRequest{ID: fmt.Sprint("i", n)})
		h.commit(t, ref.ID, ref.Incarnation, completed)
	}
	h.start(t, durable.StartRequest{ID: "running"})
	h.fault = func(op string) backendtest.Fault {
		if op == "table.query" { // twice in each purge
			h.now = h.now.Add(time.Second / 2)
		}
		return backendtest.None
	}
	req := durable.PurgeRequest{Budget: 7 * time.Second}
	calls, total := 0, 0
	for calls == 0 || req.Where.Continue != "" {
		if calls++; calls > all {
			t.Fatal("it does not end")
		}
		got, err := h.PurgeWhere(t.Context(), req)
		if err != nil || got.Instances > 7 || got.Instances < 7 && got.Continue != "" {
			t.Errorf("call %d purges %d, then %q, %v", calls, got.Instances, got.Continue, err)
		}
		total += got.Instances
		req.Where.Continue = got.Continue
	}
	if left := h.pages(t, durable.Query{}, 0); total != all || left != "running" {
		t.Errorf("purged %d of %d in %d calls, left are %s", total, all, calls, left)
	}
}

func TestPurgeWhereSaysHowFarItCame(t *testing.T) {
	t.Parallel()
	h := listed(t)
	n := 0
	h.fault = func(op string) backendtest.Fault {
		if op == "table.query" { // twice in each purge
			if n++; n == 4 {
				return backendtest.Before
			}
		}
		return backendtest.None
	}
	got, err := h.PurgeWhere(t.Context(), durable.PurgeRequest{})
	wantError(t, "the second", err, backendtest.ErrInjected, "")
	if got.Instances != 1 || got.Continue == "" {
		t.Errorf("purged %+v", got)
	}
	got, err = h.PurgeWhere(t.Context(), durable.PurgeRequest{Where: durable.Query{Continue: got.Continue}})
	if left := h.pages(t, durable.Query{}, 0); got.Instances != 2 || err != nil || left != "c6 b4 a1" {
		t.Errorf("then purged %+v, %v; left are %s", got, err, left)
	}
}

// An instance that goes on between the read of its row and its purge is passed over.
func TestPurgeWherePassesOverWhatGoesOn(t *testing.T) {
	t.Parallel()
	h := newHub()
	for _, id := range []string{"a", "b"} {
		ref := h.start(t, durable.StartRequest{ID: id})
		h.commit(t, id, ref.Incarnation, failed)
		if id == "a" { // its row is behind: it was rewound
			loaded, err := h.store.Load(t.Context(), id, ref.Incarnation, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.store.Commit(t.Context(), loaded, &history.Segment{Time: h.now, Released: true,
				Events: []history.Event{{Kind: history.ExecutionRewound, MessageID: "m"}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := h.PurgeWhere(t.Context(), durable.PurgeRequest{})
	if left := h.pages(t, durable.Query{}, 0); got.Instances != 1 || err != nil || left != "a" {
		t.Errorf("purged %+v, %v; left are %s", got, err, left)
	}
}

func TestPurgeAll(t *testing.T) {
	t.Parallel()
	h := listed(t)
	n, err := durable.PurgeAll(t.Context(), h, "a2", "nobody", "a1", "b3", "a2")
	if left := h.pages(t, durable.Query{}, 0); n != 2 || err != nil || left != "c6 b5 b4 a1" {
		t.Errorf("purged %d, %v; left are %s", n, err, left)
	}
	h.on("table.put", backendtest.Before, nil)
	n, err = durable.PurgeAll(t.Context(), h, "a1", "b5")
	wantError(t, "a fault", err, backendtest.ErrInjected, "")
	if n != 0 {
		t.Errorf("purged %d", n)
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
