package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// An attempt may be under way where no message stands for it: an Async body has handed its work on, or an at-most-once body
// was begun by somebody else. So that it cannot be waited for in vain, a message of its own looks after it: it arrives when the
// attempt must be over, and fails it if nothing was heard of it. Whoever fails an attempt first sends what comes of that, and
// then marks the attempt as over.

// takeUp looks what is known of an activity's attempts, and has a message that came again, or that was sent once more for an
// instance in repair, go on from there. It reports whether the attempt is pending already, and whether the message means
// nothing any more.
func (w *Worker) takeUp(ctx context.Context, m *history.Message) (known store.Attempt, pending, gone bool, err error) {
	p := policy(m)
	if !p.Async && p.Heartbeat <= 0 {
		return known, false, false, nil
	}
	known, err = w.store.Attempt(ctx, m)
	if err != nil || !p.Async || known.Number < m.Attempt {
		return known, false, false, err
	}
	if m.Attempt = known.Number; known.State == store.Over {
		m.Attempt++ // what came of it may be lost: there would be no such message otherwise
		awaits, err := w.awaits(ctx, m)
		return known, false, !awaits, err
	}
	return known, known.State == store.Pending, false, nil
}

// awaits reports whether the instance waits for the activity.
func (w *Worker) awaits(ctx context.Context, m *history.Message) (bool, error) {
	h, err := w.store.Load(ctx, m.Instance, m.Incarnation, m.Generation)
	return err == nil && h.Awaits(m.Event.Op, m.Event.Epoch) != nil, err
}

// noPending is the failure of a body that says that its outcome comes from elsewhere, and cannot; nil when it can.
func noPending(m *history.Message, token bool) *history.Failure {
	switch {
	case !policy(m).Async:
		return &history.Failure{Permanent: true, Message: "it returned ErrPending and was asked for by a contract that is not durable.Async: declare it so, and deploy the orchestrations as well"}
	case !token:
		return &history.Failure{Permanent: true, Message: "it returned ErrPending and has not asked for its durable.Token: nobody could report its outcome"}
	}
	return nil
}

// pend leaves the outcome of an attempt to somebody else.
func (w *Worker) pend(ctx context.Context, m *history.Message) error {
	live, err := w.store.Mark(ctx, m, store.Pending, nil)
	if err != nil || !live { // it has failed already
		return err
	}
	w.log.Info("an activity waits for its outcome from elsewhere", "instance", m.Instance, "activity", m.Event.Name, "attempt", m.Attempt)
	next := *m
	next.Pending = w.store.Now()
	at, _ := ends(&next, store.Attempt{Number: m.Attempt, State: store.Pending})
	if at.IsZero() {
		return nil
	}
	next.ID = store.WatchID(m)
	out := w.store.Outbox()
	out.At(&next, at)
	return out.Flush(ctx)
}

// lookAfter fails an attempt that is under way elsewhere if it must be over by now, or if the message says that it failed.
func (w *Worker) lookAfter(ctx context.Context, m *history.Message) error {
	known, err := w.store.Attempt(ctx, m)
	// What came of an at-most-once attempt that is over may have been lost: it is said again, as long as it is waited for.
	if err != nil || known.Number > m.Attempt || known.Number == m.Attempt && known.State == store.Over && policy(m).Async {
		return err
	}
	if awaits, err := w.awaits(ctx, m); err != nil || !awaits {
		return err
	}
	failure := m.Event.Failure
	if failure == nil {
		at, why := ends(m, known)
		if at.IsZero() {
			return nil
		}
		if at.After(w.store.Now()) {
			m.ID = store.WatchID(m)
			out := w.store.Outbox()
			out.Again(m, at) // not as a due row: it may be the very one that this message was in, and that is about to be deleted
			return out.Flush(ctx)
		}
		failure = silent(m, known, why)
	}
	failed := *m
	failed.ID, failed.Pending, failed.Event.Failure = store.AttemptID(m), time.Time{}, nil
	if err := w.failed(ctx, &failed, failure); err != nil {
		return err
	}
	_, err = w.store.Mark(ctx, m, store.Over, nil)
	return err
}

func isPending(m *history.Message, known store.Attempt) bool {
	return known.Number == m.Attempt && known.State == store.Pending
}

// ends is when an attempt must be over that is under way elsewhere, and what is to be said then; zero is never. A body that
// somebody runs gets a while more, to report by itself.
func ends(m *history.Message, known store.Attempt) (at time.Time, why *overdue) {
	p := policy(m)
	limit, since, more := p.Timeout, m.Pending, time.Duration(0)
	if !isPending(m, known) {
		limit, more = bodyTimeout(p), visibilityMargin
		since = since.Add(-limit)
	}
	beat := since
	if known.Number == m.Attempt && known.Beat.After(beat) {
		beat = known.Beat
	}
	earliest := func(t time.Time, last bool, format string, d time.Duration) {
		if t = t.Add(more); at.IsZero() || t.Before(at) {
			at, why = t, &overdue{text: fmt.Sprintf(format, d), last: last}
		}
	}
	if limit > 0 {
		earliest(since.Add(limit), false, "no outcome came within the time-out of %v", limit)
	}
	if p.Heartbeat > 0 {
		earliest(beat.Add(p.Heartbeat), false, "the heartbeat was missed: none came for %v", p.Heartbeat)
	}
	if end := deadline(m); !end.IsZero() {
		earliest(end, true, "the deadline of %v over all attempts passed before an outcome came", p.Deadline)
	}
	return at, why
}

// silent is the failure of an attempt of which nothing was heard.
func silent(m *history.Message, known store.Attempt, why *overdue) *history.Failure {
	unknown := string(durable.OutcomeUnknown)
	if !isPending(m, known) {
		return &history.Failure{Kind: unknown, Permanent: true,
			Message: "it was begun before, and is not begun again: it may have had effects, and nobody reported them"}
	}
	f := &history.Failure{Kind: string(durable.ActivityTimedOut), Message: why.text, Permanent: why.last}
	if policy(m).AtMostOnce {
		f.Causes = []history.Failure{{Kind: unknown}}
	}
	return f
}
