package worker

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/internal/code"
)

const (
	// defaultTimeout of one attempt of an activity.
	defaultTimeout = 5 * time.Minute
	// visibilityMargin is how much longer than an attempt may take its message stays hidden.
	visibilityMargin = 30 * time.Second
	// unregisteredWait is how long an activity that nobody has registered is re-sent: deployments take their time.
	unregisteredWait  = 5 * time.Minute
	unregisteredPause = 10 * time.Second
	// reportTries is how often an outcome is sent that no other attempt could find again.
	reportTries = 3
)

// Activity runs one attempt of an activity: execute, then send the result or the next attempt, then acknowledge
// (rule 12). It blocks as long as the body does.
func (w *Worker) Activity(ctx context.Context, d backend.Delivery) Outcome {
	m, err := read(d)
	if err == nil && m.Event.Kind == history.Notified {
		return w.notify(ctx, m)
	}
	if err == nil && m.Event.Kind != history.TaskScheduled {
		err = fmt.Errorf("a %s is no activity", m.Event.Kind)
	}
	if err != nil {
		w.log.Error("a message cannot be read by this version; it is kept for a newer one, or for the dead-letter queue", "error", err)
		return Outcome{Foreign: true, Err: err}
	}
	if err := w.activity(ctx, m, d); err != nil {
		return w.again(fmt.Errorf("activity %s of %s: %w", m.Event.Name, m.Instance, err))
	}
	return Outcome{Ack: true}
}

func (w *Worker) activity(ctx context.Context, m *history.Message, d backend.Delivery) error {
	if !m.Pending.IsZero() {
		return w.lookAfter(ctx, m)
	}
	if m.Attempt > 1 {
		wanted, err := w.wanted(ctx, m)
		if err != nil || !wanted {
			return err
		}
	}
	known, pending, gone, err := w.takeUp(ctx, m)
	if err != nil || gone {
		return err
	}
	if pending {
		return w.pend(ctx, m)
	}
	timeout, late := w.bound(m)
	if timeout <= 0 {
		return w.unrun(ctx, m, &history.Failure{Kind: string(durable.ActivityTimedOut), Message: late.text, Permanent: true})
	}
	handler, ok := w.activities[m.Event.Name]
	if !ok {
		return w.unregistered(ctx, m)
	}
	if failure := w.tooLong(m.Event.Name, m.Event.Policy); failure != nil {
		return w.unrun(ctx, m, failure)
	}
	if err := w.hide(ctx, m, d, timeout); err != nil {
		return err
	}
	if err := w.store.Hydrate(ctx, &m.Event.Data); err != nil {
		if wanted, failed := w.wanted(ctx, m); errors.Is(err, backend.ErrNoBlob) && failed == nil && !wanted {
			return nil // a purge has taken its input
		}
		return err
	}
	if timeout, late = w.bound(m); timeout <= 0 { // that has taken its time
		return w.unrun(ctx, m, &history.Failure{Kind: string(durable.ActivityTimedOut), Message: late.text, Permanent: true})
	}
	if policy(m).AtMostOnce {
		mine, since, err := w.store.Claim(ctx, m)
		if err != nil {
			return err
		}
		if !mine {
			m.Pending = since.Add(bodyTimeout(policy(m))) // when its work may be handed on at the latest
			return w.lookAfter(ctx, m)
		}
		timeout = max(timeout-w.store.Now().Sub(since), time.Millisecond) // for whoever finds the claim it has begun then
	}
	return w.ended(ctx, m, w.run(ctx, handler, m, d, known.Details, timeout, late))
}

// ended sends what comes of an attempt whose body has come to an end.
func (w *Worker) ended(ctx context.Context, m *history.Message, r result) error {
	stopped := ctx.Err()
	ctx = context.WithoutCancel(ctx) // what is done is reported
	switch {
	case r.canceled:
		w.log.Info("an activity was canceled", "instance", m.Instance, "activity", m.Event.Name)
		return nil
	case r.failure == code.Pending:
		if r.failure = noPending(m, r.token); r.failure == nil {
			return w.pend(ctx, m)
		}
	case r.failure == nil:
		return w.report(ctx, m, history.Event{Kind: history.TaskCompleted, Data: history.Payload{Bytes: r.output}})
	case stopped != nil && !policy(m).AtMostOnce:
		return stopped // the worker is stopping: that is nobody's failed attempt
	}
	if err := w.failed(ctx, m, r.failure); err != nil || !r.token {
		return err
	}
	// Nobody is to report another failure of this attempt. If that is not kept, the next attempt may be made twice.
	if _, err := w.store.Mark(ctx, m, store.Over, nil); err != nil {
		w.log.Warn("an attempt is not marked as over", "instance", m.Instance, "activity", m.Event.Name, "error", err)
	}
	return nil
}

// unrun is failed for an attempt whose body this worker does not run. Somebody may have begun it all the same.
func (w *Worker) unrun(ctx context.Context, m *history.Message, f *history.Failure) error {
	if policy(m).AtMostOnce && f.Kind != string(durable.OutcomeUnknown) {
		claimed, err := w.store.Claimed(ctx, m)
		if err != nil {
			return err
		}
		if claimed {
			f.Causes = append(f.Causes, history.Failure{Kind: string(durable.OutcomeUnknown)})
		}
	}
	return w.failed(ctx, m, f)
}

// hide hides the message from others while the attempt may run, or while its heart may be silent.
func (w *Worker) hide(ctx context.Context, m *history.Message, d backend.Delivery, timeout time.Duration) error {
	switch p := policy(m); {
	case p.Heartbeat > 0:
		timeout = min(timeout, p.Heartbeat)
	case p.Timeout <= 0:
		return nil // as the queue has it
	}
	return w.store.Backend().Activities.Defer(ctx, d, hidden(timeout))
}

// wanted reports whether the instance still runs: a retry of a finished run's work is dropped.
func (w *Worker) wanted(ctx context.Context, m *history.Message) (bool, error) {
	row, err := w.store.Row(ctx, m.Instance)
	if err != nil {
		return false, err
	}
	return row != nil && row.Incarnation == m.Incarnation && !row.Status.Ended(), nil
}

// failed sends the next attempt, or the failure when there is none.
func (w *Worker) failed(ctx context.Context, m *history.Message, f *history.Failure) error {
	policy := policy(m)
	log := w.log.With("instance", m.Instance, "activity", m.Event.Name, "attempt", m.Attempt, "error", f.Message)
	pause, over := time.Duration(0), final(policy, f, m.Attempt)
	if !over {
		pause = w.pause(m)
		if end := deadline(m); !end.IsZero() && !w.store.Now().Add(pause).Before(end) {
			timedOut(f, &overdue{text: fmt.Sprintf("the next attempt would begin after the deadline of %v over all attempts", policy.Deadline), last: true})
			over = true
		}
	}
	if over {
		log.Warn("an activity failed")
		f.Activity, f.Attempt = m.Event.Name, m.Attempt
		return w.report(ctx, m, history.Event{Kind: history.TaskFailed, Failure: f})
	}
	log.Info("an attempt of an activity failed and will be made again", "pause", pause)
	next := *m
	next.Attempt, next.Waiting = m.Attempt+1, time.Time{}
	return w.resend(ctx, &next, pause)
}

func (w *Worker) resend(ctx context.Context, m *history.Message, pause time.Duration) error {
	out := w.store.Outbox()
	out.At(m, w.store.Now().Add(pause))
	return out.Flush(ctx)
}

// final reports whether there is no further attempt.
func final(p *history.Policy, f *history.Failure, attempt uint32) bool {
	if f.Permanent || attempt >= p.Attempts {
		return true
	}
	return isOf(f, p.NonRetryable)
}

// isOf reports whether a failure, or anything that it goes back to, is of one of the kinds.
func isOf(f *history.Failure, kinds []string) bool {
	return slices.Contains(kinds, f.Kind) || slices.ContainsFunc(f.Causes, func(c history.Failure) bool { return isOf(&c, kinds) })
}

// pause is how long to wait after an attempt: as the policy says, and up to its jitter less, or up to a tenth more, so that what
// failed together does not come back together.
func (w *Worker) pause(m *history.Message) time.Duration {
	p := policy(m)
	if p.Jitter > 0 {
		return time.Duration(float64(pauseAfter(p, m.Attempt, 0)) * (1 - p.Jitter*share(m.ID, m.Attempt)))
	}
	return pauseAfter(p, m.Attempt, w.cfg.Jitter())
}

// share is a number in [0, 1) that an attempt of an operation always gets.
func share(operation string, attempt uint32) float64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "jitter %s %d", operation, attempt))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

// pauseAfter takes how much of the tenth is added.
func pauseAfter(p *history.Policy, attempt uint32, jitter float64) time.Duration {
	pause := float64(p.Initial)
	if p.Factor > 0 {
		pause *= math.Pow(p.Factor, float64(attempt-1))
	}
	if p.Cap > 0 {
		pause = min(pause, float64(p.Cap))
	}
	pause = min(pause, float64(365*24*time.Hour))
	return time.Duration(pause * (1 + jitter/10))
}

// report sends an outcome to the instance.
func (w *Worker) report(ctx context.Context, m *history.Message, e history.Event) error {
	e.Op, e.Epoch, e.Attempt = m.Event.Op, m.Event.Epoch, m.Attempt
	if err := w.store.Offload(ctx, m.Instance, m.Incarnation, &e.Data); err != nil {
		return err
	}
	out := w.store.Outbox()
	out.Inbox(&history.Message{ID: m.ID, Instance: m.Instance, Incarnation: m.Incarnation, Generation: m.Generation,
		Event: e, Sent: w.store.Now()})
	err := out.Flush(ctx)
	for try := 1; err != nil && policy(m).AtMostOnce && try < reportTries; try++ {
		err = out.Flush(ctx)
	}
	return err
}

// unregistered sends an activity that this worker does not know to whoever comes after it, and gives up after a while.
// Such rounds are no attempts, and the retry policy does not apply.
func (w *Worker) unregistered(ctx context.Context, m *history.Message) error {
	now := w.store.Now()
	if m.Waiting.IsZero() {
		w.log.Warn("an activity is not registered in this worker; it is sent again until one has it", "activity", m.Event.Name, "instance", m.Instance)
	} else if now.Sub(m.Waiting) >= unregisteredWait {
		return w.unrun(ctx, m, &history.Failure{
			Kind:      string(durable.ActivityNotRegistered),
			Message:   fmt.Sprintf("no worker has had activity %s bound for %v", m.Event.Name, unregisteredWait),
			Permanent: true,
		})
	}
	next := *m
	if next.Waiting.IsZero() {
		next.Waiting = now
	}
	return w.resend(ctx, &next, unregisteredPause)
}
