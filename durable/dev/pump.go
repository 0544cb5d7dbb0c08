package dev

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

const (
	inboxPumps    = 32
	wakePumps     = 4
	activityPumps = 32
	longPoll      = 20 * time.Second
	sweepEvery    = time.Minute
	expireEvery   = time.Hour
	// stopWithin is how long activities may take to notice that the server stops.
	stopWithin = 10 * time.Second
)

// pumps move messages from the queues to the worker.
type pumps struct {
	log  *slog.Logger
	poll context.Context // ends when no more is to be received
	work context.Context // ends when what is under way is to give up
	wg   sync.WaitGroup
}

// startPumps starts them and returns what stops them and waits until they have.
func startPumps(w *worker.Worker, s *store.Store, db *pebble.Backend, log *slog.Logger) (stop func()) {
	poll, stopPolling := context.WithCancel(context.Background())
	work, giveUp := context.WithCancel(context.Background())
	p := &pumps{log: log, poll: poll, work: work}
	b := s.Backend()
	for range inboxPumps {
		p.start(b.Inbox, backend.MaxBatch, w.Inbox)
	}
	for range wakePumps {
		p.start(b.Wake, backend.MaxBatch, w.Wake)
	}
	for range activityPumps {
		p.start(b.Activities, 1, func(ctx context.Context, batch []backend.Delivery) []worker.Outcome {
			return []worker.Outcome{w.Activity(ctx, batch[0])}
		})
	}
	p.wg.Go(func() { p.every(sweepEvery, "the sweep of due timers", w.Sweep) })
	p.wg.Go(func() { p.every(expireEvery, "the removal of expired records", db.DeleteExpired) })
	return func() {
		stopPolling()
		timer := time.AfterFunc(stopWithin/10, giveUp)
		defer timer.Stop()
		p.wait()
		giveUp()
	}
}

// wait returns when all pumps have ended, or when one does not for too long: its message is delivered again next time.
func (p *pumps) wait() {
	done := make(chan struct{})
	go func() { p.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(stopWithin):
		p.log.Warn("something does not stop; its work is done again at the next start")
	}
}

func (p *pumps) start(q backend.Queue, batch int, handle func(context.Context, []backend.Delivery) []worker.Outcome) {
	p.wg.Go(func() {
		for p.poll.Err() == nil { // a body that calls runtime.Goexit takes only the goroutine of its loop along
			done := make(chan struct{})
			go func() { defer close(done); p.loop(q, batch, handle) }()
			<-done
		}
	})
}

func (p *pumps) loop(q backend.Queue, batch int, handle func(context.Context, []backend.Delivery) []worker.Outcome) {
	for p.poll.Err() == nil {
		deliveries, err := q.Receive(p.poll, batch, longPoll)
		if err != nil {
			if p.poll.Err() == nil {
				p.log.Error("a queue cannot be read", "error", err)
				p.pause()
			}
			continue
		}
		if len(deliveries) > 0 {
			p.conclude(q, deliveries, handle(p.work, deliveries))
		}
	}
}

// conclude acknowledges what is done and puts back what is not. There is no dead-letter queue here: what this version
// cannot read is hidden until a newer one has started.
func (p *pumps) conclude(q backend.Queue, deliveries []backend.Delivery, outcomes []worker.Outcome) {
	var done []backend.Delivery
	for i, o := range outcomes {
		if o.Ack {
			done = append(done, deliveries[i])
			continue
		}
		if o.Foreign {
			o.Retry = backend.MaxVisibility
		}
		p.log.Debug("a message is put back", "error", o.Err, "retry", o.Retry)
		if err := q.Defer(context.WithoutCancel(p.work), deliveries[i], o.Retry); err != nil {
			p.log.Error("a message cannot be put back", "error", err)
		}
	}
	if err := q.Ack(context.WithoutCancel(p.work), done); err != nil {
		p.log.Error("messages cannot be acknowledged; they come again", "error", err)
	}
}

// every does something at once and then every so often, until the pumps stop.
func (p *pumps) every(interval time.Duration, what string, do func(context.Context) (int, error)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if _, err := do(p.work); err != nil && p.poll.Err() == nil {
			p.log.Error(what+" failed; the next one does its work", "error", err)
		}
		select {
		case <-p.poll.Done():
			return
		case <-ticker.C:
		}
	}
}

func (p *pumps) pause() {
	select {
	case <-p.poll.Done():
	case <-time.After(time.Second):
	}
}
