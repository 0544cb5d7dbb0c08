package worker_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// hub is a task hub whose messages move one by one, when the test says so.
type hub struct {
	t      *testing.T
	now    time.Time
	memory *memory.Backend
	ports  backend.Backend
	client durable.Client
	cfg    worker.Config
	*worker.Worker
}

func newHub(t *testing.T, cfg worker.Config, handlers ...durable.Handler) *hub {
	t.Helper()
	h := &hub{t: t, now: durabletest.Epoch, cfg: cfg}
	clock := func() time.Time { return h.now }
	h.memory = memory.New(memory.Options{Now: clock})
	h.ports = h.memory.Backend()
	h.cfg.Store = store.New(store.Config{Backend: h.ports, Now: clock})
	if h.cfg.Log == nil {
		h.cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	h.cfg.Jitter = func() float64 { return 0 }
	h.cfg.StrictInputs = true
	h.client = client.New(h.cfg.Store)
	h.deploy("build 1", handlers...)
	return h
}

func (h *hub) deploy(build string, handlers ...durable.Handler) {
	h.t.Helper()
	h.cfg.Build, h.cfg.Handlers = build, handlers
	w, err := worker.New(h.cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Worker = w
}

func (h *hub) submit(id string) {
	h.t.Helper()
	if _, err := hello.Submit(h.t.Context(), h.client, "in", durable.ID(id)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hub) raise(id string) {
	h.t.Helper()
	if err := yes.Raise(h.t.Context(), h.client, id, true); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hub) manage(id string, c durable.Command, reason string) {
	h.t.Helper()
	if err := h.client.Manage(h.t.Context(), durable.ManageRequest{Instance: id, Command: c, Reason: reason}); err != nil {
		h.t.Fatal(err)
	}
}

// take removes all messages that are ready from a queue.
func (h *hub) take(q backend.Queue) []backend.Delivery {
	h.t.Helper()
	var out []backend.Delivery
	for {
		batch, err := q.Receive(context.Background(), backend.MaxBatch, 0)
		if err == nil {
			err = q.Ack(context.Background(), batch)
		}
		if err != nil {
			h.t.Fatal(err)
		}
		if len(batch) == 0 {
			return out
		}
		out = append(out, batch...)
	}
}

// done fails unless every delivery is acknowledged.
func (h *hub) done(outcomes []worker.Outcome) {
	h.t.Helper()
	for _, o := range outcomes {
		if !o.Ack {
			h.t.Fatalf("not acknowledged: %+v", o)
		}
	}
}

// orchestrate handles what is in the wake queue and the inbox until both are empty. Activities stay where they are.
func (h *hub) orchestrate() {
	h.t.Helper()
	for {
		wake, inbox := h.take(h.ports.Wake), h.take(h.ports.Inbox)
		if len(wake)+len(inbox) == 0 {
			return
		}
		h.done(h.Wake(h.t.Context(), wake))
		h.done(h.Inbox(h.t.Context(), inbox))
	}
}

// work runs the activities that are ready, and returns their names.
func (h *hub) work() []string {
	h.t.Helper()
	var names []string
	for _, d := range h.take(h.ports.Activities) {
		names = append(names, message(h.t, d).Event.Name)
		h.done([]worker.Outcome{h.Activity(h.t.Context(), d)})
	}
	return names
}

// settle runs everything that can run now.
func (h *hub) settle() {
	h.t.Helper()
	for h.orchestrate(); len(h.work()) > 0; h.orchestrate() {
	}
}

// advance moves the clock in steps of a second, and runs everything that can run at each.
func (h *hub) advance(d time.Duration) {
	h.t.Helper()
	for end := h.now.Add(d); h.now.Before(end); {
		h.now = h.now.Add(time.Second)
		if h.now.Second() == 0 {
			if _, err := h.Sweep(context.Background()); err != nil {
				h.t.Fatal(err)
			}
		}
		h.settle()
	}
}

func message(t *testing.T, d backend.Delivery) *hist.Message {
	t.Helper()
	m, err := hist.DecodeMessage(d.Body)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// operations is which operations messages are for, in order.
func operations(t *testing.T, deliveries []backend.Delivery) []string {
	t.Helper()
	var out []string
	for _, d := range deliveries {
		out = append(out, message(t, d).Event.Op)
	}
	slices.SortFunc(out, hist.CompareOps)
	return out
}

// is fails unless the instance has the status.
func (h *hub) is(id string, want durable.Status) durable.Instance {
	h.t.Helper()
	in, err := h.client.Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	if in.Status != want {
		h.t.Fatalf("%s is %s (%s%s), want %s", id, in.Status, in.Output, in.SuspendReason, want)
	}
	return in
}

// segments is the history of an instance, a list of events for each commit.
func (h *hub) segments(id string) [][]durable.HistoryEvent {
	h.t.Helper()
	events, err := h.client.History(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	var out [][]durable.HistoryEvent
	for _, e := range events {
		for uint64(len(out)) <= e.Segment {
			out = append(out, nil)
		}
		out[e.Segment] = append(out[e.Segment], e)
	}
	return out
}
