package worker

import (
	"context"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// release adds to the outbox what segment n asks for, and, when it holds the instance's end, everything that is still open:
// nobody who ends an instance knows whether what was asked for before was sent.
func (a *attempt) release(n int) {
	if a.st.end != nil && n == a.st.ended {
		n = 0
	}
	a.sendFrom(n)
}

// last is the number of the newest segment.
func (a *attempt) last() int { return len(a.st.h.Segments) - 1 }

// sendFrom adds what segment n and those after it ask for and still wait for. What this attempt has sent itself is not sent
// twice.
func (a *attempt) sendFrom(n int) {
	for ; n < len(a.st.h.Segments); n++ {
		a.sendOpen(n)
	}
}

// owe adds what a consumed message owes when it comes again: the still-open commands of its segment and of the
// continuations of its turn (rule 5).
func (a *attempt) owe(segment int) {
	segments := a.st.h.Segments
	a.sendOpen(segment)
	for segment < a.last() && segments[segment].More {
		segment++
		a.sendOpen(segment)
	}
}

// sendOpen adds what segment n lets go and has no outcome yet: its timers, and the activities that it releases, which
// may have been asked for before it.
func (a *attempt) sendOpen(n int) {
	if a.sent[n] {
		return
	}
	a.sent[n] = true
	a.announce(n)
	for _, op := range a.st.releasedIn(n) {
		if op.outcome < 0 && !op.gone && !a.terminated() {
			a.out.Activity(a.activity(op.command))
		}
	}
	seg := a.st.h.Segments[n]
	for i := range seg.Events {
		e := &seg.Events[i]
		op := a.st.ops[e.Op]
		switch e.Kind {
		case history.ExecutionStarted:
			if op := a.st.scheduled(); op != nil && a.st.end == nil {
				a.out.At(a.timer(op.command), op.command.At)
			}
		case history.TimerCreated:
			if op.command == e && op.waits() && a.st.end == nil {
				a.out.At(a.timer(e), e.At)
			}
		case history.TimerCanceled:
			if a.st.end != nil && n < a.st.ended {
				continue // there may be thousands, one after the other; what fires late is dropped
			}
			if op.command.Epoch == e.Epoch {
				a.out.Cancel(a.timer(op.command), op.command.At)
			}
		case history.SubOrchestrationCreated:
			if op.command == e && op.waits() {
				a.raise(e, n)
			}
		case history.EventSent:
			a.signal(e, seg.Time)
		case history.ExecutionReset:
			a.abandon(n)
		}
	}
	if a.st.end != nil && n == a.st.ended {
		a.part()
		if isChild(a.st.start) {
			a.tell(a.st.start.Start.Parent)
		}
	}
}

// terminated: what was asked for and not begun is not wanted any more.
func (a *attempt) terminated() bool {
	return a.st.end != nil && a.st.end.Kind == history.ExecutionTerminated
}

func (a *attempt) message(op string, epoch uint32) *history.Message {
	h := a.st.h
	return &history.Message{
		ID:       store.OperationID(h.Instance, h.Incarnation, h.Generation, op, epoch),
		Instance: h.Instance, Incarnation: h.Incarnation, Generation: h.Generation,
		Sent: a.w.store.Now(),
	}
}

func (a *attempt) activity(e *history.Event) *history.Message {
	m := a.message(e.Op, e.Epoch)
	m.Event, m.Attempt = *e, 1
	return m
}

func (a *attempt) timer(e *history.Event) *history.Message {
	m := a.message(e.Op, e.Epoch)
	m.Event = history.Event{Kind: history.TimerFired, Op: e.Op, Epoch: e.Epoch, At: e.At}
	return m
}

// flush sends what has been collected.
func (a *attempt) flush(ctx context.Context) error {
	err := a.address(ctx)
	if err != nil || a.out.Empty() {
		return err
	}
	err = a.out.Flush(ctx)
	a.out = a.w.store.Outbox()
	return err
}

// goOn asks for the next segment of an instance.
func (a *attempt) goOn() {
	if a.st.renewed() {
		a.goOnTo(a.st.h.Generation+1, 0)
		return
	}
	a.goOnTo(a.st.h.Generation, uint64(len(a.st.h.Segments)))
}

// handOn leaves the rest of an unfinished turn to a message: everything consumed so far is committed and sent.
func (a *attempt) handOn(ctx context.Context) error {
	a.goOn()
	if err := a.settle(ctx); err != nil {
		return err
	}
	return errHandedOn
}
