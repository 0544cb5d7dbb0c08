package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const life = "01JGFJJZ00AAAAAAAAAAAAAAAA" // an incarnation

// hub is a store over a memory backend, with a clock that the test moves.
type hub struct {
	*store.Store
	memory *memory.Backend
	ports  backend.Backend // what the store uses
	now    time.Time
}

func newHub() *hub { return newHubOn(func(b backend.Backend) backend.Backend { return b }) }

// newHubOn puts something between the store and the backend.
func newHubOn(wrap func(backend.Backend) backend.Backend) *hub {
	h := &hub{now: epoch}
	clock := func() time.Time { return h.now }
	h.memory = memory.New(memory.Options{Now: clock})
	h.ports = wrap(h.memory.Backend())
	h.Store = store.New(store.Config{Backend: h.ports, Now: clock})
	return h
}

// failing returns a hub where the nth call of op meets fault, counted from 1.
func failing(op string, n int, fault backendtest.Fault) *hub {
	seen := 0
	return newHubOn(func(b backend.Backend) backend.Backend {
		return backendtest.Faulty(b, func(o string) backendtest.Fault {
			if o != op {
				return backendtest.None
			}
			if seen++; seen != n {
				return backendtest.None
			}
			return fault
		})
	})
}

// hooked is a table whose calls a test can see and replace.
type hooked struct {
	backend.Table
	put   func(ctx context.Context, item backend.Item, cond backend.Condition, next putFunc) error
	index func(entries []backend.Indexed) []backend.Indexed
}

type putFunc func(context.Context, backend.Item, backend.Condition) error

func (h *hooked) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	if h.put == nil {
		return h.Table.Put(ctx, item, cond)
	}
	return h.put(ctx, item, cond, h.Table.Put)
}

func (h *hooked) Index(ctx context.Context, partition, from, to string, limit int) ([]backend.Indexed, error) {
	entries, err := h.Table.Index(ctx, partition, from, to, limit)
	if h.index != nil {
		entries = h.index(entries)
	}
	return entries, err
}

func newHooked(h *hooked) *hub {
	return newHubOn(func(b backend.Backend) backend.Backend {
		h.Table = b.Table
		b.Table = h
		return b
	})
}

// putTwice loses the answer to every put and tries again, as an SDK does.
func putTwice(ctx context.Context, item backend.Item, cond backend.Condition, next putFunc) error {
	_ = next(ctx, item, cond)
	return next(ctx, item, cond)
}

func (h *hub) load(t *testing.T, id, incarnation string) *store.History {
	t.Helper()
	got, err := h.Load(t.Context(), id, incarnation, 0)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (h *hub) row(t *testing.T, id string) *history.Row {
	t.Helper()
	row, err := h.Row(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// start is the start message of a life.
func start(id, incarnation string, replaces *history.Version) *history.Message {
	return &history.Message{ID: store.StartID(id, incarnation), Instance: id, Incarnation: incarnation, Replaces: replaces, Sent: epoch,
		Event: history.Event{Kind: history.ExecutionStarted, Name: "Hello", At: epoch, Data: history.Payload{Bytes: []byte(`"Ada"`)}}}
}

// create makes the row of a new instance.
func (h *hub) create(t *testing.T, m *history.Message) *history.Row {
	t.Helper()
	ok, row, err := h.Create(t.Context(), m)
	if err != nil || !ok {
		t.Fatalf("Create of %s: %v, %v", m.Instance, ok, err)
	}
	return row
}

// segment is a segment with one external event.
func segment(name string) *history.Segment {
	return &history.Segment{Time: epoch, Released: true, Events: []history.Event{{Kind: history.EventRaised, Name: name, MessageID: name}}}
}

func (h *hub) commit(t *testing.T, to *store.History, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := h.Commit(t.Context(), to, segment(name)); err != nil {
			t.Fatal(err)
		}
	}
}

// end shows the instance as ended after n segments.
func (h *hub) end(t *testing.T, row *history.Row, n uint64) {
	t.Helper()
	row.Status, row.Number = history.StatusCompleted, n
	row.End = &history.Event{Kind: history.ExecutionCompleted}
	if err := h.Project(t.Context(), row); err != nil {
		t.Fatal(err)
	}
}

// names are those of a history's events.
func names(h *store.History) string {
	var out []string
	for _, s := range h.Segments {
		for _, e := range s.Events {
			out = append(out, e.Name)
		}
	}
	return strings.Join(out, " ")
}

// received takes everything that can be received from a queue now, as "kind instance op".
func received(t *testing.T, q backend.Queue) []string {
	t.Helper()
	var out []string
	for {
		batch, err := q.Receive(t.Context(), backend.MaxBatch, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			return out
		}
		for _, d := range batch {
			m, err := history.DecodeMessage(d.Body)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprintf("%s %s %s", m.Event.Kind, m.Instance, m.Event.Op))
		}
		if err := q.Ack(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
}
