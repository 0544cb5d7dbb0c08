package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
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

// bound is how long an attempt that begins now may take, and what is to be said when it takes longer.
func (w *Worker) bound(m *history.Message) (time.Duration, *overdue) {
	p, timeout := policy(m), defaultTimeout
	if p.Timeout > 0 {
		timeout = p.Timeout
	}
	if end := deadline(m); !end.IsZero() {
		if left := end.Sub(w.store.Now()); left < timeout {
			return left, &overdue{fmt.Sprintf("the deadline of %v over all attempts passed before attempt %d came to an end",
				p.Deadline, m.Attempt), true, context.DeadlineExceeded}
		}
	}
	return timeout, &overdue{text: fmt.Sprintf("the attempt took longer than its time-out of %v", timeout), is: context.DeadlineExceeded}
}

// run runs the body once. It reports canceled when nobody wants the outcome.
func (w *Worker) run(ctx context.Context, h durable.Handler, m *history.Message, d backend.Delivery, timeout time.Duration, late *overdue) (
	output []byte, failure *history.Failure, canceled bool, err error) {
	within, end := w.cfg.Within(ctx, timeout, late)
	defer end()
	info := durable.ActivityInfo{Instance: m.Instance, Attempt: int(m.Attempt), Key: m.ID, MaxPayload: w.store.MaxPayload(),
		Log: w.log.With("instance", m.Instance, "activity", m.Event.Name)}
	attempt, cancel := context.WithCancelCause(within)
	defer cancel(nil)
	if every := policy(m).Heartbeat; every > 0 {
		p := &pulse{w: w, m: m, d: d, every: every, cancel: cancel, touched: w.store.Now()}
		if info.LastHeartbeat, err = p.before(ctx); err != nil {
			return nil, nil, false, err
		}
		info.Heartbeat = p.beat
		p.arm()
		defer func() {
			p.end(context.WithoutCancel(ctx), failure != nil && !canceled)
		}()
	}
	output, failure = h.Do(durable.WithActivityInfo(attempt, info), m.Event.Data.Bytes)
	cause := context.Cause(attempt)
	if errors.Is(cause, durable.ErrCanceled) {
		return nil, nil, true, nil
	}
	var why *overdue
	if failure != nil && ctx.Err() == nil && errors.As(cause, &why) {
		timedOut(failure, why)
	}
	return output, failure, false, nil
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
	if w.cfg.Longest <= 0 || p == nil || p.Timeout <= w.cfg.Longest {
		return nil
	}
	return &history.Failure{Kind: string(durable.NotRunnable), Permanent: true, Message: fmt.Sprintf(
		"activity %s has a time-out of %v, and a function here runs for at most %v: split its work into several activities, "+
			"or give the long work to something else that raises an event when it is done", name, p.Timeout, w.cfg.Longest)}
}
