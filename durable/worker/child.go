package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// A child is an instance like any other: its start is a message, and so is what it comes to. Its life has a name before it
// begins, which the operation that asks for it gives, so that whoever sends the start again sends the same one. Where its id is
// taken, that is the first thing, and the last, that its history says: it is decided once, however often the start comes.

// signalFor is how long after an event was sent to another instance it is sent again with the end: that instance may have begun
// a generation since, and knows the events that came before for as long (knownFor).
const signalFor = 10 * time.Minute

// isChild reports whether a start is that of a child.
func isChild(e *history.Event) bool { return e.Start != nil && e.Start.Parent != nil }

// refused reports whether the life is that of a child whose id was taken: no row shows it.
func (st *state) refused() bool { return st.end != nil && st.end.Kind == history.StartRefused }

// christen gives the children that a segment asks for the names of their lives.
func (a *attempt) christen(seg *history.Segment) {
	h := a.st.h
	for i := range seg.Events {
		e := &seg.Events[i]
		if e.Kind == history.SubOrchestrationCreated {
			op := store.OperationID(h.Instance, h.Incarnation, h.Generation, e.Op, e.Epoch)
			e.Target = &history.Target{Instance: e.Target.Instance, Incarnation: store.ChildIncarnation(op, seg.Time)}
		}
	}
}

// adopt makes the row of a child, or commits that its id is taken.
func (a *attempt) adopt(ctx context.Context, m *history.Message) (bool, error) {
	accepted, row, err := a.w.store.CreateChild(ctx, m)
	switch {
	case err != nil || accepted && row.Number == 0 && row.Generation == 0:
		return accepted, err
	case accepted, row == nil:
		return false, a.begun(ctx, row)
	}
	if exists, err := a.w.store.Exists(ctx, a.g.instance, a.g.incarnation); err != nil || exists {
		return false, errors.Join(err, conflictIf(exists)) // it has begun, and was replaced since
	}
	failure := &history.Failure{Kind: string(durable.InstanceExists), Permanent: true,
		Message: fmt.Sprintf("the id %s is in use by a run of %s", a.g.instance, row.Start.Name)}
	events := []history.Event{{Kind: history.StartRefused, Failure: failure}, m.Event}
	return false, a.commit(ctx, &history.Segment{Time: a.now(events), Events: events})
}

func conflictIf(yes bool) error {
	if yes {
		return store.ErrConflict
	}
	return nil
}

// errUnborn puts back what is for a child whose start is on its way.
var errUnborn = errors.New("the start of this child has not come yet")

// awaitsStart reports whether a parent that has ended wants a child terminated that has not begun. Its start was sent before,
// and comes.
func awaitsStart(row *history.Row, g *group, messages []*history.Message) bool {
	if row != nil && row.Incarnation == g.incarnation {
		return false // it begins now, or a purge has taken it
	}
	for _, m := range messages {
		if m.Event.Kind == history.ExecutionTerminated && isChild(&m.Event) {
			return true
		}
	}
	return false
}

// unwanted reports whether a child is to end with the generation that has asked for it.
func (st *state) unwanted(e *history.Event) bool {
	return st.end != nil && (e.Close == history.Terminate || st.end.Recursive)
}

// raise adds the start of a child that has no outcome yet. One that is not wanted any more is started, too: its end comes after.
func (a *attempt) raise(e *history.Event, asked time.Time) {
	if a.terminated() && !a.st.unwanted(e) {
		return
	}
	start := &history.Start{}
	if e.Start != nil {
		start.Tags = e.Start.Tags
	}
	if s := a.st.start.Start; s != nil {
		start.TraceParent, start.TraceState = s.TraceParent, s.TraceState
	}
	start.Parent = a.parentOf(e)
	a.abroad = append(a.abroad, &history.Message{
		ID:       store.StartID(e.Target.Instance, e.Target.Incarnation),
		Instance: e.Target.Instance, Incarnation: e.Target.Incarnation, Sent: a.w.store.Now(),
		Event: history.Event{Kind: history.ExecutionStarted, Name: e.Name, Version: e.Version, Data: e.Data, At: asked, Start: start},
	})
}

// part adds what terminates the children that are to end with their parent. Their starts are sent before.
func (a *attempt) part() {
	h := a.st.h
	for _, seg := range h.Segments[:a.st.ended+1] {
		for i := range seg.Events {
			e := &seg.Events[i]
			if e.Kind != history.SubOrchestrationCreated || !a.st.unwanted(e) || a.st.ops[e.Op].outcome >= 0 {
				continue
			}
			id := store.CallID(e.Target.Instance, e.Target.Incarnation, "parent "+a.message(e.Op, e.Epoch).ID)
			a.abroad = append(a.abroad, &history.Message{
				ID: id, Instance: e.Target.Instance, Incarnation: e.Target.Incarnation, Sent: a.w.store.Now(),
				Event: history.Event{Kind: history.ExecutionTerminated, MessageID: id, Recursive: a.st.end.Recursive,
					Reason: "its parent " + h.Instance + " has ended", Start: &history.Start{Parent: a.parentOf(e)}},
			})
		}
	}
}

// parentOf is what a child's messages say of whom to tell.
func (a *attempt) parentOf(e *history.Event) *history.Parent {
	h := a.st.h
	return &history.Parent{Instance: h.Instance, Incarnation: h.Incarnation, Generation: h.Generation, Op: e.Op, Epoch: e.Epoch}
}

// signal adds an event for another instance.
func (a *attempt) signal(e *history.Event, sent time.Time) {
	if a.terminated() || a.st.end != nil && a.st.last.Sub(sent) > signalFor {
		return
	}
	a.abroad = append(a.abroad, &history.Message{
		ID: a.message(e.Op, e.Epoch).ID, Instance: e.Target.Instance, Sent: a.w.store.Now(),
		Event: history.Event{Kind: history.EventRaised, Name: e.Name, Data: e.Data},
	})
}

// tell adds what a child has come to, for its parent.
func (a *attempt) tell() {
	end := a.st.end
	if end.Kind == history.ContinuedAsNew || !isChild(a.st.start) {
		return
	}
	p := a.st.start.Start.Parent
	e := history.Event{Kind: history.SubOrchestrationFailed, Op: p.Op, Epoch: p.Epoch, Failure: end.Failure}
	switch end.Kind {
	case history.ExecutionCompleted:
		e.Kind, e.Data = history.SubOrchestrationCompleted, end.Data
	case history.ExecutionTerminated:
		e.Failure = &history.Failure{Kind: string(durable.InstanceTerminated), Message: end.Reason}
		if end.Reason == "" {
			e.Failure.Message = "it was terminated"
		}
	}
	a.abroad = append(a.abroad, &history.Message{
		ID:       store.OperationID(p.Instance, p.Incarnation, p.Generation, p.Op, p.Epoch),
		Instance: p.Instance, Incarnation: p.Incarnation, Generation: p.Generation, Sent: a.w.store.Now(), Event: e,
	})
}

// address puts what is for other instances into the outbox: with payloads that are theirs, and an event for the life that
// has the id now.
func (a *attempt) address(ctx context.Context) error {
	all := a.abroad
	errs := make([]error, len(all))
	gone := make([]bool, len(all))
	work := make([]func(), len(all))
	for i, m := range all {
		work[i] = func() {
			if m.Event.Kind == history.EventRaised {
				gone[i], errs[i] = a.find(ctx, m)
			}
			if errs[i] == nil && !gone[i] {
				errs[i] = a.w.store.Carry(ctx, m.Instance, m.Incarnation, &m.Event.Data)
			}
		}
	}
	if len(work) > 0 {
		a.w.cfg.Execute(work)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for i, m := range all {
		switch {
		case gone[i]:
			a.w.log.Warn("an event is for an instance that does not run, and is dropped", "instance", a.g.instance, "for", m.Instance, "event", m.Event.Name)
		case m.Event.Kind == history.ExecutionStarted:
			a.out.Start(m)
		default:
			a.out.Inbox(m)
		}
	}
	a.abroad = nil
	return nil
}

// find names the life that an event is for, and reports whether there is none.
func (a *attempt) find(ctx context.Context, m *history.Message) (gone bool, err error) {
	row, err := a.w.store.Row(ctx, m.Instance)
	if err != nil || row == nil || row.Purged || row.Status.Ended() {
		return err == nil, err
	}
	m.Incarnation, m.Generation = row.Incarnation, row.Generation
	m.ID = store.CallID(row.Instance, row.Incarnation, "sent "+m.ID)
	m.Event.MessageID = m.ID
	return false, nil
}
