package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// ErrAhead: a status row shows more than its history holds. No crash does that: something was deleted or restored.
var ErrAhead = errors.New("worker: the status row shows more than the history holds")

// ErrRow: a status row shows something else than the history of which it is. No crash does that either.
var ErrRow = errors.New("worker: the status row does not show what its history says")

// Checkup is what an instance waits for, and whether what can be read of it is true.
type Checkup struct {
	Row *history.Row
	// Segments of the history, and the time of the last one.
	Segments int
	Changed  time.Time
	// Open is what only a message can bring.
	Open []Open
	// Behind says that the row shows an earlier state than the history.
	Behind bool
}

// Open is something that an instance waits for and that a message brings: if the message is lost, nothing ever does.
type Open struct {
	// Kind is TaskScheduled, TimerCreated or SubOrchestrationCreated; Continued, for the rest of a turn that is unfinished; or ExecutionStarted, for a
	// start that was accepted and has not begun.
	Kind history.Kind
	// ID is the identity of the message; that of a start or a timer is the one in the wake queue.
	ID string
	// Op and Name of an activity, a timer or a child, and the instance that the child is.
	Op, Name, Child string
	// Since is when it was asked for, Until when it should have been done, with every attempt and pause of its policy.
	Since, Until time.Time
}

// Checkup examines an instance, and changes nothing; nil when there is none. A row that shows more than its history is
// ErrAhead, one that shows something else of all of it ErrRow.
func (w *Worker) Checkup(ctx context.Context, instance string) (*Checkup, error) {
	a, row, err := w.examine(ctx, instance)
	if err != nil || row == nil {
		return nil, err
	}
	c := &Checkup{Row: row, Segments: len(a.st.h.Segments), Changed: a.st.last}
	switch {
	case a.st.sealed:
	case a.st.start == nil:
		c.Open = append(c.Open, begin(row))
	default:
		c.Open = a.waits()
		for _, k := range a.waitedFor() {
			open, _, err := a.kid(ctx, k)
			if err != nil {
				return nil, err
			}
			c.Open = append(c.Open, open...)
		}
		if c.Behind = a.differs(row); c.Behind && row.Generation == a.st.h.Generation && row.Number == uint64(len(a.st.h.Segments)) {
			return nil, ErrRow
		}
	}
	return c, nil
}

// Repair sends again everything that an instance waits for, as a message that came again would have a worker do (rules 5
// and 6), and brings its row up to date. It runs no code, commits nothing, and decides nothing: what is unfinished, or has
// not begun, is asked to go on. Receivers drop what they know already, so that repairing what is not broken does no harm;
// but an activity that is under way is then run a second time beside the first, under the same idempotency key. It returns
// what it has sent again. Within five minutes of the loss it may be in vain: a queue remembers the outcome that it lost for as
// long, and drops its repetition. A row that shows more than its history is ErrAhead, and nothing is done.
func (w *Worker) Repair(ctx context.Context, instance string) ([]Open, error) {
	a, row, err := w.examine(ctx, instance)
	if err != nil || row == nil || a.st.sealed {
		return nil, err
	}
	if a.st.start == nil {
		// Not the start: if the instance were replaced or removed meanwhile, a start could begin it anew.
		a.goOn()
		return []Open{begin(row)}, a.flush(ctx)
	}
	a.repairs = true
	a.sendFrom(0)
	if a.st.unfinished() || a.st.renewed() {
		a.goOn()
	}
	a.project = true
	open := a.waits()
	for _, k := range a.waitedFor() {
		missing, ended, err := a.kid(ctx, k)
		if err == nil && ended {
			_, err = w.Repair(ctx, missing[0].Child) // it tells once more
		}
		if err != nil {
			return nil, err
		}
		open = append(open, missing...)
	}
	return open, a.settle(ctx)
}

// examine loads an instance. The row is read first: the history that is read after it can only be longer.
func (w *Worker) examine(ctx context.Context, instance string) (*attempt, *history.Row, error) {
	row, err := w.store.Row(ctx, instance)
	if err != nil || row == nil || row.Purged {
		return nil, nil, err
	}
	h, err := w.store.Latest(ctx, instance, row.Incarnation, row.Generation)
	if err != nil {
		return nil, nil, err
	}
	if n := shows(row); row.Generation == h.Generation && n > uint64(len(h.Segments)) {
		return nil, nil, fmt.Errorf("%w: it shows %d segments, and there are %d", ErrAhead, n, len(h.Segments))
	}
	g := &group{instance: instance, incarnation: row.Incarnation}
	return &attempt{w: w, g: g, st: fold(h), loaded: len(h.Segments), out: w.store.Outbox(), sent: map[int]bool{}, head: true}, row, nil
}

// begin is what an instance waits for that has not begun.
func begin(row *history.Row) Open {
	return Open{Kind: history.ExecutionStarted, ID: store.StartID(row.Instance, row.Incarnation), Name: row.Start.Name, Since: row.Start.At, Until: row.Start.At}
}

// waits lists what was sent and has no outcome, in the order in which it was sent.
func (a *attempt) waits() []Open {
	var open []Open
	if a.st.end != nil { // nobody waits for anything, but that the rest is let go
		if a.st.unfinished() || a.st.renewed() {
			open = append(open, Open{Kind: history.Continued, Since: a.st.last, Until: a.st.last})
		}
		return open
	}
	add := func(e *history.Event, since, until time.Time) {
		open = append(open, Open{Kind: e.Kind, ID: a.message(e.Op, e.Epoch).ID, Op: e.Op, Name: e.Name, Since: since, Until: until})
	}
	for n, seg := range a.st.h.Segments {
		for _, op := range a.st.releasedIn(n) {
			if op.outcome < 0 && !op.gone {
				add(op.command, seg.Time, seg.Time.Add(longest(op.command.Policy)))
			}
		}
		for i := range seg.Events {
			e := &seg.Events[i]
			if op := a.st.scheduled(); e.Kind == history.ExecutionStarted && op != nil {
				add(op.command, seg.Time, op.command.At)
			}
			if op := a.st.ops[e.Op]; e.Kind == history.TimerCreated && op.command == e && op.waits() {
				add(e, seg.Time, e.At)
			}
		}
	}
	if a.st.unfinished() {
		open = append(open, Open{Kind: history.Continued, Since: a.st.last, Until: a.st.last})
	}
	return open
}

// waitedFor are the children that have no outcome, unless nobody waits for anything.
func (a *attempt) waitedFor() []*operation {
	if a.st.end != nil {
		return nil
	}
	return a.openChildren()
}

// kid is what is missing of a child: that it begins, or that its parent learns of its end. One that runs is waited for. The instance that
// has the id may be another's.
func (a *attempt) kid(ctx context.Context, op *operation) (missing []Open, ended bool, err error) {
	t := op.command.Target
	row, err := a.w.store.Row(ctx, t.Instance)
	if err != nil || row != nil && row.Incarnation == t.Incarnation && !row.Purged && !row.Status.Ended() {
		return nil, false, err
	}
	since := a.st.h.Segments[op.segment].Time
	o := Open{Kind: history.SubOrchestrationCreated, ID: store.StartID(t.Instance, t.Incarnation), Op: op.command.Op, Name: op.command.Name,
		Child: t.Instance, Since: since, Until: since}
	if row != nil && row.Incarnation == t.Incarnation {
		o.ID, o.Until, ended = a.message(o.Op, op.command.Epoch).ID, row.Updated, !row.Purged
	}
	return []Open{o}, ended, nil
}

// differs reports whether the row shows something else than the history.
func (a *attempt) differs(row *history.Row) bool {
	now := a.st.row()
	if row.Status == history.StatusPending && row.Number == 0 && row.Generation == 0 && now.Status == history.StatusRunning {
		now.Status = row.Status // that it has begun is not written
	}
	return now.Status != row.Status || now.SuspendReason != row.SuspendReason || (now.End == nil) != (row.End == nil) ||
		!slices.Equal(now.Custom.Bytes, row.Custom.Bytes)
}

// longest is how long an activity can take that goes wrong in every way but one: each attempt takes all of its time, and
// the worker that makes it dies once.
func longest(p *history.Policy) time.Duration {
	const most = 10 * 365 * 24 * time.Hour
	if p == nil {
		p = new(history.Policy)
	}
	if p.Async && p.Timeout <= 0 {
		return most // it may be waited for as long as one likes
	}
	attempt := 2 * (cmp.Or(p.Timeout, defaultTimeout) + visibilityMargin)
	total := attempt + unregisteredWait
	for n := uint32(1); n < p.Attempts && total < most; n++ {
		total += attempt + pauseAfter(p, n, 1)
	}
	return min(total, most)
}
