package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	for i := range seg.Events {
		e := &seg.Events[i]
		if e.Kind != history.SubOrchestrationCreated {
			continue
		}
		life := a.newLife(e, len(a.st.h.Segments), seg.Time)
		if before := a.st.ops[e.Op]; before.goesOn(e) {
			life = before.command.Target.Incarnation
		}
		e.Target = &history.Target{Instance: e.Target.Instance, Incarnation: life}
	}
}

// newLife is the name of a life that begins when an operation asks for it in segment n.
func (a *attempt) newLife(e *history.Event, n int, asked time.Time) string {
	return store.ChildIncarnation(a.message(e.Op, e.Epoch).ID, asked, a.st.h.Generation, uint64(n))
}

// unmendable are the failures of a child with which its life is over.
var unmendable = []durable.ErrorKind{durable.InstanceExists, durable.InstanceTerminated, durable.InstanceGone}

// settled reports whether a child's failure is one of these, and not that of a child of its own.
func settled(f *history.Failure) bool {
	return f != nil && len(f.Causes) == 0 && slices.Contains(unmendable, durable.ErrorKind(f.Kind))
}

// goesOn reports whether a child that is asked for again, after a rewind, is the one that was asked for before: it is rewound, too,
// or still runs.
func (op *operation) goesOn(e *history.Event) bool {
	if op == nil || op.anew || e.Epoch == 0 || op.command.Kind != e.Kind || op.settled || op.outcome >= 0 && !op.failed {
		return false
	}
	old := op.command
	same := old.Data.Holds(e.Data.Bytes)
	if e.Data.Blob != "" {
		same = old.Data.Blob == e.Data.Blob
	}
	return same && old.Name == e.Name && old.Target.Names(e.Target)
}

// knowsOf reports whether the life tells its outcome to that operation under that epoch, or a newer one, already. A rewind of the parent that
// says so came late, or again after it was forgotten.
func (st *state) knowsOf(p *history.Parent) bool {
	return st.start != nil && isChild(st.start) && supersedes(st.start.Start.Parent, p)
}

// supersedes reports whether two epochs are of one operation, and the first is that of the second or a newer one.
func supersedes(known, p *history.Parent) bool {
	older := *p
	older.Epoch = known.Epoch
	return older == *known && p.Epoch <= known.Epoch
}

// report has the life tell its outcome to another epoch of the operation that waits for it.
func (st *state) report(p *history.Parent) {
	start := *st.start
	s := history.Start{}
	if start.Start != nil {
		s = *start.Start
	}
	s.Parent = p
	start.Start = &s
	st.start = &start
}

// adopt makes the row of a child, or commits that its id is taken.
func (a *attempt) adopt(ctx context.Context, m *history.Message) (bool, error) {
	accepted, row, err := a.w.store.CreateChild(ctx, m)
	switch {
	case err != nil || accepted && shows(row) == 0:
		return accepted, err
	case accepted, row == nil:
		return false, a.begun(ctx, row)
	}
	if exists, err := a.w.store.Exists(ctx, a.g.instance, a.g.incarnation); err != nil || exists {
		return false, errors.Join(err, conflictIf(exists)) // it has begun, and was replaced since
	}
	if !row.Status.Ended() && before(row, m) && !a.tired(m) {
		return false, errUnborn // it was told to end, when its parent was reset
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

// A start that has not come after so many receives, and so long, was lost: what is for the child comes to nothing then.
const (
	unbornReceives = 20
	unbornFor      = 6 * time.Hour
	unbornPause    = 30 * time.Second
)

// awaitsStart reports whether a parent tells a child something that has not begun. Its start was sent before, and comes.
func (a *attempt) awaitsStart(row *history.Row, messages []*history.Message) bool {
	if row != nil && row.Incarnation == a.g.incarnation {
		return false // it begins now, or a purge has taken it
	}
	for _, m := range messages {
		tired := a.tired(m)
		if isChild(&m.Event) && m.Event.Kind != history.ExecutionStarted && !tired {
			return true
		}
	}
	return false
}

// tired reports whether a message has waited long enough for what should have come.
func (a *attempt) tired(m *history.Message) bool {
	return a.g.tries() > unbornReceives && a.w.store.Now().Sub(m.Sent) > unbornFor
}

// unwanted reports whether a child is to end with the generation that has asked for it.
func (st *state) unwanted(e *history.Event) bool {
	return st.end != nil && (e.Close == history.Terminate || st.end.Recursive)
}

// raise adds the start of a child that has no outcome yet. One that is not wanted any more is started, too: its end comes after.
func (a *attempt) raise(e *history.Event, n int) {
	if a.terminated() && !a.st.unwanted(e) {
		return
	}
	a.bear(e, n)
}

// bear adds the start of a child that segment n asks for.
func (a *attempt) bear(e *history.Event, n int) {
	asked := a.st.h.Segments[n].Time
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
	if e.Target.Incarnation != a.newLife(e, n, asked) { // it goes on after a rewind
		a.urge(e, history.Event{Kind: history.ExecutionRewound, Reason: "its parent " + a.g.instance + " was rewound"})
	}
}

// urge adds what a parent wants of a child. The child's start is sent before.
func (a *attempt) urge(e *history.Event, what history.Event) {
	what.MessageID = store.CallID(e.Target.Instance, e.Target.Incarnation, "parent "+strconv.Itoa(int(what.Kind))+":"+a.message(e.Op, e.Epoch).ID)
	what.Start = &history.Start{Parent: a.parentOf(e)}
	a.abroad = append(a.abroad, &history.Message{ID: what.MessageID, Instance: e.Target.Instance, Incarnation: e.Target.Incarnation,
		Sent: a.w.store.Now(), Event: what})
}

// part adds what terminates the children that are to end with their parent.
func (a *attempt) part() {
	for _, op := range a.openChildren() {
		if a.st.unwanted(op.command) {
			a.urge(op.command, history.Event{Kind: history.ExecutionTerminated, Recursive: a.st.end.Recursive,
				Reason: "its parent " + a.g.instance + " has ended"})
		}
	}
}

// openChildren are the children that have no outcome, in the order in which they were asked for.
func (a *attempt) openChildren() []*operation {
	var open []*operation
	for _, seg := range a.st.h.Segments {
		for i := range seg.Events {
			if e := &seg.Events[i]; e.Kind == history.SubOrchestrationCreated {
				if op := a.st.ops[e.Op]; op.command == e && op.waits() {
					open = append(open, op)
				}
			}
		}
	}
	return open
}

// parentOf is what a child's messages say of whom to tell.
func (a *attempt) parentOf(e *history.Event) *history.Parent {
	h := a.st.h
	return &history.Parent{Instance: h.Instance, Incarnation: h.Incarnation, Generation: h.Generation, Op: e.Op, Epoch: e.Epoch}
}

// signal adds an event for another instance.
func (a *attempt) signal(e *history.Event, sent time.Time) {
	if a.terminated() || a.st.end != nil && a.st.last.Sub(sent) > signalFor || a.repairs && a.w.store.Now().Sub(sent) > signalFor {
		return
	}
	a.abroad = append(a.abroad, &history.Message{
		ID: a.message(e.Op, e.Epoch).ID, Instance: e.Target.Instance, Sent: a.w.store.Now(),
		Event: history.Event{Kind: history.EventRaised, Name: e.Name, Data: e.Data},
	})
}

// unheard are the rewinds of the parent that an instance has not come to before it ended: they are to be answered.
func (a *attempt) unheard(messages []*history.Message) []*history.Message {
	if !a.st.over() || a.st.renewed() {
		return nil
	}
	var out []*history.Message
	for _, m := range messages {
		_, settled := a.st.settled(m)
		_, consumed := a.st.consumed(m)
		if m.Event.Kind == history.ExecutionRewound && isChild(&m.Event) && !settled && !consumed {
			out = append(out, m)
		}
	}
	return out
}

// tell adds what a life has come to, for the operation that waits for it.
func (a *attempt) tell(p *history.Parent) {
	end := a.st.end
	if end != nil && end.Kind == history.ContinuedAsNew {
		return
	}
	e := history.Event{Kind: history.SubOrchestrationFailed, Op: p.Op, Epoch: p.Epoch}
	switch {
	case a.st.sealed || end == nil:
		e = a.lost(p)
	case end.Kind == history.ExecutionCompleted:
		e.Kind, e.Data = history.SubOrchestrationCompleted, end.Data
	case end.Kind == history.ExecutionTerminated:
		e.Failure = &history.Failure{Kind: string(durable.InstanceTerminated), Message: cmp.Or(end.Reason, "it was terminated")}
	default:
		e.Failure = end.Failure
	}
	a.outcome(p, e)
}

// gone tells the parents that were rewound that there is no such life any more.
func (a *attempt) gone(messages []*history.Message) {
	for _, m := range messages {
		if m.Event.Kind == history.ExecutionRewound && isChild(&m.Event) {
			a.outcome(m.Event.Start.Parent, a.lost(m.Event.Start.Parent))
		}
	}
}

// lost is the outcome of a child that was purged or replaced.
func (a *attempt) lost(p *history.Parent) history.Event {
	return history.Event{Kind: history.SubOrchestrationFailed, Op: p.Op, Epoch: p.Epoch,
		Failure: &history.Failure{Kind: string(durable.InstanceGone), Message: "the instance " + a.g.instance + " was purged or replaced"}}
}

func (a *attempt) outcome(p *history.Parent, e history.Event) {
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
