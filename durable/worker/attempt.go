package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/code"
)

// overdue is why an attempt's context ended before the body did.
type overdue struct {
	text string
	// last: there is no time for another attempt.
	last bool
	is   error
}

func (e *overdue) Error() string { return e.text }
func (e *overdue) Unwrap() error { return e.is }

// policy is how the activity is to be run; never nil.
func policy(m *history.Message) *history.Policy {
	if p := m.Event.Policy; p != nil {
		return p
	}
	return new(history.Policy)
}

// deadline is when all attempts must be over; zero is never.
func deadline(m *history.Message) time.Time {
	if p := policy(m); p.Deadline > 0 {
		return m.Event.At.Add(p.Deadline)
	}
	return time.Time{}
}

// bodyTimeout is how long a body may take. What an Async one waits for may take longer.
func bodyTimeout(p *history.Policy) time.Duration {
	if p.Timeout <= 0 || p.Async && p.Timeout > defaultTimeout {
		return defaultTimeout
	}
	return p.Timeout
}

// bound is how long an attempt that begins now may take, and what is to be said when it takes longer.
func (w *Worker) bound(m *history.Message) (time.Duration, *overdue) {
	p, timeout := policy(m), bodyTimeout(policy(m))
	if end := deadline(m); !end.IsZero() {
		if left := end.Sub(w.store.Now()); left < timeout {
			return left, &overdue{fmt.Sprintf("the deadline of %v over all attempts passed before attempt %d came to an end",
				p.Deadline, m.Attempt), true, context.DeadlineExceeded}
		}
	}
	return timeout, &overdue{text: fmt.Sprintf("the attempt took longer than its time-out of %v", timeout), is: context.DeadlineExceeded}
}

// result is what became of one run of a body.
type result struct {
	output  []byte
	failure *history.Failure
	// canceled: nobody wants the outcome.
	canceled bool
	// token: the body has asked for its token.
	token bool
}

// run runs the body once. before is what it said last when it ran before.
func (w *Worker) run(ctx context.Context, h durable.Handler, m *history.Message, d backend.Delivery, before []byte, timeout time.Duration, late *overdue) (r result) {
	within, end := w.cfg.Within(ctx, timeout, late)
	defer end()
	var token atomic.Bool
	info := durable.ActivityInfo{Instance: m.Instance, Attempt: int(m.Attempt), Key: m.ID, MaxPayload: w.store.MaxPayload(),
		Log:   w.log.With("instance", m.Instance, "activity", m.Event.Name),
		Token: func() string { token.Store(true); return m.Token() }}
	attempt, cancel := context.WithCancelCause(within)
	defer cancel(nil)
	if every := policy(m).Heartbeat; every > 0 {
		p := &pulse{w: w, m: m, d: d, every: every, cancel: cancel, touched: w.store.Now(), kept: before}
		info.LastHeartbeat, info.Heartbeat = before, p.beat
		p.arm()
		defer func() {
			p.end(context.WithoutCancel(ctx), r.failure != nil && !r.canceled)
		}()
	}
	r.output, r.failure = h.Do(durable.WithActivityInfo(attempt, info), m.Event.Data.Bytes)
	r.token = token.Load()
	cause := context.Cause(attempt)
	if errors.Is(cause, durable.ErrCanceled) {
		return result{canceled: true}
	}
	var why *overdue
	if r.failure != nil && r.failure != code.Pending && ctx.Err() == nil && errors.As(cause, &why) {
		timedOut(r.failure, why)
	}
	return r
}

// timedOut adds to a failure that time has run out. A kind that the body gave stays the first.
func timedOut(f *history.Failure, why *overdue) {
	is := func(c history.Failure) bool { return c.Kind == string(durable.ActivityTimedOut) }
	switch {
	case f.Kind == "":
		f.Kind = string(durable.ActivityTimedOut)
	case !is(*f) && !slices.ContainsFunc(f.Causes, is):
		f.Causes = append(f.Causes, history.Failure{Kind: string(durable.ActivityTimedOut)})
	}
	if !strings.Contains(f.Message, why.text) { // a body may return the cause itself
		f.Message = why.text + ": " + f.Message
	}
	f.Permanent = f.Permanent || why.last
}

// tooLong is the failure of an activity that asks for more time than there is here; nil when it does not.
func (w *Worker) tooLong(name string, p *history.Policy) *history.Failure {
	if w.cfg.Longest <= 0 || p == nil || p.Async || p.Timeout <= w.cfg.Longest {
		return nil
	}
	return &history.Failure{Kind: string(durable.NotRunnable), Permanent: true, Message: fmt.Sprintf(
		"activity %s has a time-out of %v, and a function here runs for at most %v: split its work into several activities, or declare it "+
			"durable.Async and have the long work done elsewhere, which reports with the activity's durable.Token", name, p.Timeout, w.cfg.Longest)}
}
