package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// maxConflicts is how often one call decides again because another worker was first. More is not a race but a fault.
const maxConflicts = 20

// errCold says that a warm copy is not enough to decide on.
var errCold = errors.New("worker: decide again on what is stored")

// errHandedOn says that the rest of a turn is left to a Continued message that has been sent.
var errHandedOn = errors.New("worker: the turn goes on elsewhere")

// instance handles the messages of one life of an instance. Nil means that every one of them is done; but what an open attempt has decided is still
// to be sent and shown.
func (w *Worker) instance(ctx context.Context, g *group) error {
	// A start is decided before what was sent to the instance that it starts.
	messages := slices.Clone(g.messages)
	slices.SortStableFunc(messages, func(a, b *history.Message) int {
		return boolOrder(b.Event.Kind == history.ExecutionStarted) - boolOrder(a.Event.Kind == history.ExecutionStarted)
	})
	for try := range maxConflicts {
		// Rule 3: after a conflict nothing in memory counts, and every message is decided again.
		err := w.attempt(ctx, g, messages, try == 0)
		if errors.Is(err, errHandedOn) {
			return nil
		}
		if !errors.Is(err, store.ErrConflict) && !errors.Is(err, errCold) {
			return err
		}
		w.log.Debug("an instance is decided again", "instance", g.instance, "why", err)
	}
	return fmt.Errorf("lost %d commits in a row", maxConflicts)
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// attempt is one life of the decision: it holds what was loaded, and what has been committed since.
type attempt struct {
	w        *Worker
	g        *group
	st       *state
	loaded   int // segments that were there when it began
	out      *store.Outbox
	abroad   []*history.Message // for other instances, without an address or a payload of theirs yet
	sent     map[int]bool       // segments whose open commands this attempt has put into an outbox
	consumed []history.Event
	project  bool

	// replay is the code, once it was needed, and seen how many segments it has seen.
	replay *replay.Turn
	seen   int
	since  time.Time // of the load
	// renewals counts the generations that this attempt has begun, and left says that a message is to come again.
	renewals int
	left     bool
	// repairs: it sends again what was sent long ago, perhaps.
	repairs bool
	// decided: it has still to send and to show what it has decided.
	decided bool
	// warm: the state is a warm copy's. head: nobody had committed more when that was looked at last.
	warm, head bool
}

// attempt handles the messages once; on a warm copy, if there is one and it may be used.
func (w *Worker) attempt(ctx context.Context, g *group, messages []*history.Message, mayBeWarm bool) error {
	a := &attempt{w: w, g: g, out: w.store.Outbox(), sent: map[int]bool{}}
	var err error
	if !mayBeWarm || !a.thaw() && !a.expect(messages) {
		err = a.load(ctx, messages)
	}
	for err == nil {
		if err = a.handle(ctx, messages); err != nil || !a.st.renewed() {
			break
		}
		err = a.renew(ctx, messages)
	}
	if a.decided && err == nil {
		g.open = a
		return nil
	}
	a.leave(err)
	return err
}

// handle handles the messages in the generation that is loaded, as far as it goes.
func (a *attempt) handle(ctx context.Context, messages []*history.Message) error {
	a.loaded = len(a.st.h.Segments)
	if a.st.unfinished() { // whoever meets an unfinished turn finishes it first
		if err := a.reopen(ctx); err != nil {
			return err
		}
		if err := a.continuation(ctx, messages); err != nil {
			return err
		}
	}
	if a.st.renewed() {
		return nil
	}
	if i := a.cuts(messages); i >= 0 {
		if i > 0 {
			return a.apart(ctx, messages, i)
		}
		if err := a.cut(ctx, messages[0]); err != nil {
			return err
		}
		return a.handle(ctx, messages)
	}
	if err := a.decide(ctx, messages); err != nil {
		return err
	}
	if len(a.consumed) > 0 {
		if err := a.turn(ctx); err != nil {
			return err
		}
		if unheard := a.unheard(messages); len(unheard) > 0 {
			if err := a.settle(ctx); err != nil {
				return err
			}
			a.consumed = nil
			return a.handle(ctx, unheard)
		}
	}
	if a.st.renewed() {
		return nil
	}
	if !a.left {
		a.decided = true
		return a.address(ctx)
	}
	if err := a.settle(ctx); err != nil {
		return err
	}
	return errRenewing
}

// continuation finishes the turn that somebody else has begun, and sends what it asks for.
func (a *attempt) continuation(ctx context.Context, messages []*history.Message) error {
	var err error
	if a.st.end != nil {
		if !slices.ContainsFunc(messages, func(m *history.Message) bool { return asksFor(m, a.st.h.Generation, uint64(a.loaded)) }) {
			a.release(a.last()) // who asks to go on has sent it
		}
		err = a.drain(ctx)
	} else {
		err = a.run(ctx, nil, nil)
	}
	generation := a.st.h.Generation
	ours := func(m *history.Message) bool {
		return m.Event.Kind != history.Continued || m.Generation != generation || m.Number < uint64(a.loaded)
	}
	if errors.Is(err, errHandedOn) && slices.ContainsFunc(messages, ours) {
		return errors.New("a long turn is being finished first") // ours have not been looked at
	}
	if err != nil {
		return err
	}
	return a.flush(ctx)
}

// drain lets go what an instance that has ended still holds back. Each segment is committed when all before it is sent, so
// that whoever goes on need only know about the last.
func (a *attempt) drain(ctx context.Context) error {
	for a.st.end != nil && a.st.more {
		if err := a.flush(ctx); err != nil {
			return err
		}
		if err := a.commit(ctx, &history.Segment{Time: a.st.last}); err != nil {
			return err
		}
		if a.st.more && a.w.cfg.NearDeadline(ctx) {
			return a.handOn(ctx)
		}
	}
	return nil
}

// decide sorts the messages into what the next segment consumes, what is owed again, and what means nothing.
func (a *attempt) decide(ctx context.Context, messages []*history.Message) error {
	var t taken
	t.carry(a.consumed)
	if a.st.start == nil && !a.st.sealed && a.st.h.Generation == 0 && messages[0].Event.Kind != history.ExecutionStarted {
		// The row is the record of the start: any message of an accepted start begins the instance.
		row, err := a.w.store.Row(ctx, a.g.instance)
		if err != nil {
			return err
		}
		if row != nil && row.Incarnation == a.g.incarnation && !row.Purged {
			if shows(row) > 0 {
				return a.begun(ctx, row)
			}
			a.consumed = append(a.consumed, row.Start)
			t.started = true
		}
		if a.awaitsStart(row, messages) {
			return errUnborn
		}
	}
	late := false
	for _, m := range messages {
		switch v, segment := a.st.decide(m, &t); v {
		case consume:
			if m.Event.Kind == history.ExecutionStarted {
				if accepted, err := a.accept(ctx, m); err != nil || !accepted {
					return err
				}
			}
			if a.crowded(&m.Event) {
				continue
			}
			t.take(m)
			e := m.Event
			switch e.Kind {
			case history.ExecutionRewound:
				e.Kind = history.ParentRewound
			case history.ExecutionReset:
				e.Failure = a.st.futile(m)
			}
			a.consumed = append(a.consumed, e)
		case done:
		case answer:
			if a.warm {
				return errCold
			}
			if waits := m.Event.Start.Parent; a.st.knowsOf(waits) {
				a.tell(a.st.start.Start.Parent)
			} else {
				a.tell(waits)
			}
		case repeat:
			if late = late || a.st.end != nil && !a.st.refused(); !late {
				a.owe(segment)
				a.project = true
			}
		case drop:
			if a.warm {
				return errCold // rule 4
			}
			late = late || a.st.end != nil && !a.st.sealed
			a.w.log.Debug("a message means nothing here and is dropped", "instance", m.Instance, "kind", m.Event.Kind.String(), "op", m.Event.Op)
		}
	}
	if late {
		return a.finish(ctx)
	}
	return nil
}

// finish makes sure that the end of an instance was sent and shown. The row says so, since only who has sent it shows it.
// Any message that comes after the end asks, one that is too late as well: it is often the only one left, because the code may
// have ended without reading it, in a turn that no message began, but another build's resume.
func (a *attempt) finish(ctx context.Context) error {
	row, err := a.w.store.Row(ctx, a.g.instance)
	if err != nil || row == nil || row.Incarnation != a.g.incarnation || row.Status.Ended() {
		return err
	}
	a.release(a.last())
	a.project = true
	return nil
}

// turn consumes messages: with the code, or without it where the code would not run anyway.
func (a *attempt) turn(ctx context.Context) error {
	st := a.st
	kinds := func(k history.Kind) bool {
		return slices.ContainsFunc(a.consumed, func(e history.Event) bool { return e.Kind == k })
	}
	// A new generation is ended before its code runs: it may continue as new at once, for ever.
	begins := a.consumed[0].Kind == history.GenerationStarted
	early := (st.scheduled() != nil || !a.consumed[0].Due().IsZero()) &&
		!slices.ContainsFunc(a.consumed, func(e history.Event) bool { return e.Kind == history.TimerFired && e.Op == history.StartOp })
	if i := slices.IndexFunc(a.consumed, func(e history.Event) bool { return e.Kind == history.ExecutionTerminated }); i == 0 || i > 0 && (st.suspended || begins || early) {
		return a.keep(ctx, a.consumed[:i+1])
	}
	if early { // whatever came, resumes among it: the code runs when the start's timer has fired
		return a.keep(ctx, a.consumed)
	}
	if !st.suspended || kinds(history.ExecutionResumed) {
		return a.run(ctx, a.consumed, a.consumed)
	}
	if st.byWorker && st.build != a.w.cfg.Build {
		// Another build: try again. When it fails as well, only the messages are kept.
		resumed := history.Event{Kind: history.ExecutionResumed, Reason: "another build tries again", Build: a.w.cfg.Build}
		return a.run(ctx, append([]history.Event{resumed}, a.consumed...), a.consumed)
	}
	return a.keep(ctx, a.consumed)
}

// keep commits messages that the code is not to see now.
func (a *attempt) keep(ctx context.Context, events []history.Event) error {
	return a.commit(ctx, &history.Segment{Time: a.now(events), Events: events})
}

// now is the time of a turn: never before the last one's, nor before a timer that it consumes was due.
func (a *attempt) now(events []history.Event) time.Time {
	t := a.w.store.Now().UTC().Truncate(time.Millisecond)
	if a.st.last.After(t) {
		t = a.st.last
	}
	for i := range events {
		if e := &events[i]; e.Kind == history.TimerFired && e.At.After(t) {
			t = e.At
		}
	}
	return t
}

// commit adds a segment to the history, and to what is known of it.
func (a *attempt) commit(ctx context.Context, seg *history.Segment) error {
	a.allot(seg)
	a.christen(seg)
	for i := range seg.Events {
		if p := &seg.Events[i].Data; p.Blob == "" && len(p.Bytes) > history.InlinePayload {
			a.st.blobs += len(p.Bytes) // it goes into a blob, and stays in memory
		}
	}
	events, bytes := a.st.events, a.st.h.Bytes
	if err := a.w.store.Commit(ctx, a.st.h, seg); err != nil {
		return err
	}
	a.head = true
	n := len(a.st.h.Segments) - 1
	shown, made := a.st.status(), n == 0 && a.st.h.Generation == 0
	a.st.add(n, seg)
	a.warn(events, bytes)
	if made && a.st.scheduled() != nil {
		shown = history.StatusPending // the row was made so; and of others it is known that they have begun (store.Begun)
	}
	a.project = a.project || n == 0 && !made || a.st.status() != shown || a.st.end != nil ||
		slices.ContainsFunc(seg.Events, func(e history.Event) bool { return e.Kind == history.CustomStatusSet })
	a.release(n)
	return nil
}

// settle sends what is owed, shows the status, and so ends the messages' business: in this order (rule 6).
func (a *attempt) settle(ctx context.Context) error {
	if err := a.flush(ctx); err != nil {
		return err
	}
	if a.project && a.st.start != nil && !a.st.sealed {
		if err := a.w.store.Project(ctx, a.st.row()); err != nil {
			return err
		}
	}
	a.fold(ctx)
	return nil
}

// fold copies the older part of a long history together. Nothing depends on it.
func (a *attempt) fold(ctx context.Context) {
	if a.st.end != nil || a.st.sealed {
		return
	}
	if err := a.w.store.Fold(ctx, a.st.h); err != nil {
		a.w.log.Warn("a long history cannot be folded; that will be tried again", "instance", a.g.instance, "error", err)
	}
}
