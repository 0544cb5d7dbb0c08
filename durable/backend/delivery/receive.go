package delivery

import (
	"context"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// Receive is Take that waits up to wait for something to be ready. Waiting, it uses timers of package time: what becomes
// due is noticed in real time, whatever the clock is. It returns ctx's error when that ends, backend.ErrClosed after Close.
func (s *Schedule) Receive(ctx context.Context, max int, wait time.Duration) ([]Taken, error) {
	if err := backend.CheckReceive(max); err != nil {
		return nil, err
	}
	var timeout <-chan time.Time
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		taken, next, err := s.look(max, wait > 0)
		if len(taken) > 0 || wait <= 0 || err != nil {
			return taken, err
		}
		if timeout == nil {
			timeout = time.After(wait)
		}
		select {
		case <-timeout:
			wait = 0
		case <-ctx.Done():
		case <-next.changed:
		case <-next.due:
		}
	}
}

// event is what a Receive that found nothing waits for.
type event struct {
	changed <-chan struct{}
	due     <-chan time.Time
}

func (s *Schedule) look(max int, wait bool) ([]Taken, event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, event{}, backend.ErrClosed
	}
	now := s.opts.Now()
	taken := s.take(max, now)
	next := event{changed: s.changed}
	if at, ok := s.next(); ok && wait && len(taken) == 0 {
		next.due = time.After(at.Sub(now))
	}
	return taken, next, nil
}

// Close makes every Receive, waiting or later, return backend.ErrClosed.
func (s *Schedule) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.signal()
}

// signal makes every waiting Receive look again.
func (s *Schedule) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}
