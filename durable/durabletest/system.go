// Package durabletest runs orchestrations in a test: the real engine over the memory backend, with a clock that moves
// only when the test says so. A wait of 72 hours takes no time, and every run takes the same path.
//
//	sys := durabletest.New(t, orders.ProcessOrder.Bind(fulfilment.ProcessOrder), …)
//	run, err := orders.ProcessOrder.Submit(ctx, sys.Client, order)
//	sys.Settle()                 // everything that can happen now has happened
//	sys.Advance(72 * time.Hour)  // and now everything that was due by then
package durabletest

import (
	"context"
	"log/slog"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/web"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// Epoch is when the clock of every System starts.
var Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// System is a whole task hub in a test. It is not safe for concurrent use.
type System struct {
	// Client starts and manages instances.
	Client durable.Client
	// Table is the hub's table, for activities that keep records there.
	Table backend.Table

	t      T
	memory *memory.Backend
	store  *store.Store
	worker *worker.Worker
	now    time.Time
}

// sweepEvery is how often due rows are looked at, as deployed hubs do.
const sweepEvery = time.Minute

// New returns a system that runs handlers. Whatever is wrong with them fails the test. An operation whose input differs
// from one replay to the next suspends the instance.
func New(t T, handlers ...durable.Handler) *System {
	t.Helper()
	s := &System{t: t, now: Epoch}
	s.memory = memory.New(memory.Options{Now: s.Now})
	s.store = store.New(store.Config{Backend: s.memory.Backend(), Now: s.Now})
	s.Client, s.Table = client.New(s.store), s.memory.Backend().Table
	s.Deploy("build 1", handlers...)
	return s
}

// Deploy replaces the handlers by those of another build. What is under way goes on with them.
func (s *System) Deploy(build string, handlers ...durable.Handler) {
	s.t.Helper()
	w, err := worker.New(worker.Config{Store: s.store, Handlers: handlers, Build: build, StrictInputs: true, HTTP: web.Do,
		Log: slog.New(slog.NewTextHandler(s.t.Output(), nil)), Jitter: func() float64 { return 0 }})
	if err != nil {
		s.t.Fatal(err)
	}
	s.worker = w
}

// Now is the system's time.
func (s *System) Now() time.Time { return s.now }

// Settle lets everything happen that can happen now.
func (s *System) Settle() {
	s.t.Helper()
	for range 1_000_000 {
		if !s.step() {
			return
		}
	}
	s.t.Fatal("durabletest: it does not come to rest")
}

// Advance moves the clock on by d, and lets everything happen that is due on the way, in its order.
func (s *System) Advance(d time.Duration) {
	s.t.Helper()
	end := s.now.Add(d)
	for {
		s.Settle()
		next := s.now.Truncate(sweepEvery).Add(sweepEvery)
		if due, ok := s.memory.NextDue(); ok && due.Before(next) {
			next = due
		}
		if next.After(end) {
			s.now = end
			s.Settle()
			return
		}
		s.now = next
		if next.Equal(next.Truncate(sweepEvery)) {
			if _, err := s.worker.Sweep(context.Background()); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// step handles one batch of each queue, and reports whether there was any.
func (s *System) step() bool {
	s.t.Helper()
	ctx, b := context.Background(), s.memory.Backend()
	activity := func(ctx context.Context, batch []backend.Delivery) []worker.Outcome {
		var out []worker.Outcome
		for _, d := range batch {
			out = append(out, s.worker.Activity(ctx, d))
		}
		return out
	}
	return s.pump(ctx, b.Wake, s.worker.Wake) || s.pump(ctx, b.Inbox, s.worker.Inbox) || s.pump(ctx, b.Activities, activity)
}

func (s *System) pump(ctx context.Context, q backend.Queue, handle func(context.Context, []backend.Delivery) []worker.Outcome) bool {
	s.t.Helper()
	batch, err := q.Receive(ctx, backend.MaxBatch, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	for i, o := range handle(ctx, batch) {
		if o.Err != nil {
			s.t.Errorf("durabletest: %v", o.Err)
		}
		if o.Foreign {
			o.Retry = backend.MaxVisibility
		}
		if o.Ack {
			err = q.Ack(ctx, batch[i:i+1])
		} else {
			err = q.Defer(ctx, batch[i], o.Retry)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return len(batch) > 0
}
