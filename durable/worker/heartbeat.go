package worker

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// touchEvery is how often at most a beat reads the row, hides the message longer and keeps details. It is below
// visibilityMargin, so that a message whose body beats in time stays hidden.
const touchEvery = 10 * time.Second

// pulse is the heartbeat of one attempt.
type pulse struct {
	w      *Worker
	m      *history.Message
	d      backend.Delivery
	every  time.Duration
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	stop    func() bool
	touched time.Time
	// details of the last beat, and those that the store has.
	details, kept []byte
}

// arm lets the attempt end after a silence.
func (p *pulse) arm() {
	p.stop = p.w.cfg.After(p.every, func() {
		p.cancel(&overdue{text: fmt.Sprintf("the heartbeat was missed: none came for %v", p.every), is: durable.ErrHeartbeatMissed})
	})
}

// beat is what durable.Heartbeat calls. What fails in it is tried again by the next: it is no failure of the body.
func (p *pulse) beat(ctx context.Context, details []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if details != nil {
		p.details = details
	}
	p.stop() // what follows is not the body's silence
	defer p.arm()
	now := p.w.store.Now()
	if now.Sub(p.touched) < min(touchEvery, p.every/3) {
		return nil
	}
	wanted, err := p.w.wanted(ctx, p.m)
	if err == nil && !wanted {
		p.cancel(durable.ErrCanceled)
		return durable.ErrCanceled
	}
	if err == nil {
		err = p.w.store.Backend().Activities.Defer(ctx, p.d, hidden(p.every))
	}
	if err == nil {
		err = p.keep(ctx)
	}
	if err != nil {
		p.w.log.Warn("a heartbeat could not be kept", "instance", p.m.Instance, "activity", p.m.Event.Name, "error", err)
		return nil
	}
	p.touched = now
	return nil
}

// keep stores the details, if they are new. Others are to know, too, that an at-most-once body lives.
func (p *pulse) keep(ctx context.Context) error {
	if same := p.details == nil || bytes.Equal(p.details, p.kept); same && !policy(p.m).AtMostOnce {
		return nil
	}
	if _, err := p.w.store.Mark(ctx, p.m, store.Begun, p.details); err != nil {
		return err
	}
	p.kept = p.details
	return nil
}

// end stops the clock. What a failed attempt said last is kept for the next one.
func (p *pulse) end(ctx context.Context, failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	if !failed {
		return
	}
	if err := p.keep(ctx); err != nil {
		p.w.log.Warn("the last heartbeat of a failed attempt is lost", "instance", p.m.Instance, "activity", p.m.Event.Name, "error", err)
	}
}

// hidden is how long a message is to be hidden whose holder is silent for at most d.
func hidden(d time.Duration) time.Duration {
	return min(d, backend.MaxVisibility-visibilityMargin) + visibilityMargin
}
