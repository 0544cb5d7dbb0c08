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

// before is what the attempt before, or the same one in a process that died, said last.
func (p *pulse) before(ctx context.Context) ([]byte, error) {
	if p.m.Attempt == 1 && p.d.Receives <= 1 {
		return nil, nil
	}
	details, err := p.w.store.Heartbeat(ctx, p.m)
	p.kept = details
	return details, err
}

// arm lets the attempt end after a silence.
func (p *pulse) arm() {
	if p.stop != nil {
		p.stop()
	}
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
	p.arm()
	if details != nil {
		p.details = details
	}
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

func (p *pulse) keep(ctx context.Context) error {
	if p.details == nil || bytes.Equal(p.details, p.kept) {
		return nil
	}
	if err := p.w.store.KeepHeartbeat(ctx, p.m, p.details); err != nil {
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
