package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// waiter is a Receive that found nothing. Of those that wait one is woken at a time, and wakes another when it leaves something: to wake all for each message would cost more
// than all else that a queue does.
type waiter struct {
	woken chan struct{}
	rung  bool // it was woken, and has not looked yet
}

// Receive is Take that waits up to wait for something to be ready. Waiting, it uses timers of package time: what becomes
// due is noticed in real time, whatever the clock is. It returns ctx's error when that ends, backend.ErrClosed after Close.
func (s *Schedule) Receive(ctx context.Context, max int, wait time.Duration) ([]Taken, error) {
	if err := backend.CheckReceive(max); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var timeout <-chan time.Time
	var w *waiter
	for {
		var taken []Taken
		var err error
		if taken, w, err = s.look(w, max, wait > 0); w == nil {
			return taken, err
		}
		if timeout == nil {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-w.woken:
		case <-ctx.Done():
		case <-timeout:
			wait = 0
		}
		if err := ctx.Err(); err != nil {
			s.give(w)
			return nil, err
		}
	}
}

// look takes what is ready, for one who may have waited. When there is nothing, and it is to wait, it returns who waits.
func (s *Schedule) look(waited *waiter, max int, wait bool) ([]Taken, *waiter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(waited)
	if s.closed {
		return nil, nil, backend.ErrClosed
	}
	if taken := s.take(max, s.opts.Now()); len(taken) > 0 || !wait {
		s.ring()
		return taken, nil, nil
	}
	w := &waiter{woken: make(chan struct{})}
	s.waiting = append(s.waiting, w)
	s.arm()
	return nil, w, nil
}

// give ends a wait. Who was woken and does not look leaves that to another.
func (s *Schedule) give(w *waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(w)
	s.ring()
}

// forget ends a wait.
func (s *Schedule) forget(w *waiter) {
	if w == nil {
		return
	}
	if w.rung {
		s.rung--
	} else if i := slices.Index(s.waiting, w); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
}

// ring wakes one who waits, the last that came, if more is ready than others were woken for, and sees to it that somebody looks when more is due.
func (s *Schedule) ring() {
	if n := len(s.waiting); n > 0 && len(s.ready) > s.rung {
		w := s.waiting[n-1]
		s.waiting[n-1] = nil
		s.waiting = s.waiting[:n-1]
		w.rung = true
		s.rung++
		close(w.woken)
	}
	s.arm()
}

// arm has the bell ring when the next hidden message is due, if anybody waits.
func (s *Schedule) arm() {
	at, ok := s.next()
	if !ok || len(s.waiting) == 0 || s.alarm != nil && !at.Before(s.alarmAt) {
		return
	}
	if s.alarm != nil {
		s.alarm.Stop()
	}
	var alarm *time.Timer
	alarm = time.AfterFunc(at.Sub(s.opts.Now()), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.alarm == alarm && !s.closed {
			s.alarm = nil
			s.advance(s.opts.Now())
			s.ring()
		}
	})
	s.alarm, s.alarmAt = alarm, at
}

// Close makes every Receive, waiting or later, return backend.ErrClosed.
func (s *Schedule) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, w := range s.waiting {
		close(w.woken)
	}
	s.waiting = nil
	if s.alarm != nil {
		s.alarm.Stop()
	}
}
