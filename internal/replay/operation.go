package replay

import (
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// operation is one thing the code asked for, or that the history says it asked for.
type operation struct {
	event    *history.Event // the command
	promise  Promise
	over     *Promise // done with the outcome, even when the promise was given up; nil when nobody waits for that
	group    int
	number   int // of the event in the history, from 1
	asked    bool
	canceled bool
	step     *Step
}

// key is what a command is matched by: a cancellation shares its operation with what it cancels, and a mark has none.
func key(e *history.Event) string {
	switch e.Kind {
	case history.TimerCanceled:
		return e.Op + "#canceled"
	case history.StepStarted:
		return begunKey(e.Op)
	case history.ChangeMarked:
		return markKey(e.Name)
	}
	return e.Op
}

// ask numbers an operation of the running coroutine and matches it with the history, or adds it to what the turn asks
// for. fill completes the command; its error is the answer, and then nothing is asked.
func (r *Run) ask(kind history.Kind, name string, fill func(*history.Event) error) (*operation, error) {
	r.alive()
	r.own()
	path := r.nextPath()
	if op := r.ops.get(string(path)); op != nil {
		return op, r.match(op, kind, name, fill)
	}
	e := &history.Event{Kind: kind, Op: string(path), Epoch: r.epoch, Name: name}
	if r.kept != nil {
		same := func(c *history.Event) bool {
			return c != nil && c.Kind == kind && c.Name == name && (r.past() || fill(e) == nil && c.Data.Holds(e.Data.Bytes) && c.Target.Names(e.Target))
		}
		if op := r.recall(string(path), name, same); op != nil {
			return op, nil
		}
	}
	if err := fill(e); err != nil {
		return nil, err
	}
	return r.add(e), nil
}

// match checks that the history has what the code asks for, and now.
func (r *Run) match(op *operation, kind history.Kind, name string, fill func(*history.Event) error) error {
	early := r.past() && op.group > r.group()
	if op.event.Kind != kind || op.event.Name != name || early {
		asked := describe(kind, name)
		if early {
			asked += " in an earlier turn"
		}
		r.fail(&Mismatch{Recorded: op.event, Number: op.number, Asked: "the code asked for " + asked, Source: source()})
	}
	if r.checks(op) {
		r.compare(op, fill)
	}
	r.seen(op)
	return nil
}

// warned is how many of the newest events of a history are compared where a difference is but a warning. Code that asks for something else in a loop does so there, too.
const warned = 200

// checks reports whether what an operation is asked for with is to be looked at.
func (r *Run) checks(op *operation) bool {
	return r.opt.Inputs == CheckStrict || r.opt.Inputs == CheckWarn && op.number > r.number-warned
}

// compare looks at what an operation is asked for with.
func (r *Run) compare(op *operation, fill func(*history.Event) error) {
	r.probe = history.Event{Kind: op.event.Kind, Op: op.event.Op, Name: op.event.Name}
	e := &r.probe
	if fill(e) != nil {
		return
	}
	var asked string
	switch {
	case !op.event.Data.Holds(e.Data.Bytes):
		asked = "the code asked for it with another input: " + clip(e.Data.Bytes) + " instead of " + recorded(op.event.Data)
	case e.Kind == history.TimerCreated && !e.At.Equal(op.event.At):
		asked = "the code asked for it with another time: " + e.At.Format(millis) + " instead of " + op.event.At.Format(millis)
	default:
		return
	}
	if err := r.differs(&Mismatch{Recorded: op.event, Number: op.number, Source: source(), Asked: asked}); err != nil {
		r.fail(err)
	}
}

// millis is how precise times are in a history.
const millis = "2006-01-02T15:04:05.000Z"

// differs is a mismatch where they are strict, and otherwise a warning: the history counts.
func (r *Run) differs(m *Mismatch) error {
	if r.opt.Inputs == CheckStrict {
		return m
	}
	r.opt.Log.Warn("the code asks for something else than before in a replay; what is recorded counts", "instance", r.opt.Instance,
		"op", m.Recorded.Op, "detail", r.locate(m).Error())
	return nil
}

// recorded shows a payload whose bytes may not have been read.
func recorded(p history.Payload) string {
	if p.Bytes == nil && p.Blob != "" {
		return fmt.Sprintf("%d bytes", p.Size)
	}
	return clip(p.Bytes)
}

func (r *Run) seen(op *operation) {
	op.asked = true
	r.groups[op.group].unseen--
}

// add makes a new command part of what the turn asks for.
func (r *Run) add(e *history.Event) *operation {
	if r.past() {
		r.fail(&Mismatch{Asked: "the code asked for " + describe(e.Kind, e.Name) + " (operation " + e.Op + ")", Source: source()})
	}
	if r.panics {
		r.fail(waitInPanic())
	}
	r.count()
	op := &operation{event: e, asked: true}
	r.ops.put(key(e), op)
	r.pending = append(r.pending, op)
	return op
}

// count bounds what the code asks for before it waits: a loop without an end would ask until no memory is left.
func (r *Run) count() {
	if r.fresh++; r.fresh > r.opt.Actions {
		r.fail(r.tooMuch())
	}
}

func (r *Run) tooMuch() error {
	return fmt.Errorf("the code asks for more than %d things in one turn (%s): does a loop lack an end, or a wait? Let it wait for some before it asks for more, "+
		"start sub-orchestrations, or continue as new; then deploy that, and resume", r.opt.Actions, source())
}

// Activity asks for an activity. input is called when its result is needed: not in a replay that does not check inputs.
func (r *Run) Activity(name string, input func() ([]byte, error), policy *history.Policy) (*Promise, error) {
	op, err := r.ask(history.TaskScheduled, name, func(e *history.Event) (err error) {
		e.Policy = policy
		if policy != nil && policy.Deadline > 0 {
			e.At = r.now
		}
		e.Data.Bytes, err = input()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &op.promise, nil
}

// Timer is a promise that completes at a time.
type Timer struct {
	Promise *Promise
	Due     time.Time
	op      *operation
}

// maxTimer keeps due times within what a history and a due row's key can hold.
const maxTimer = 100 * 365 * 24 * time.Hour

// Timer asks for a timer that is due d from now, rounded up to a millisecond.
func (r *Run) Timer(d time.Duration) *Timer {
	op, _ := r.ask(history.TimerCreated, "", func(e *history.Event) error {
		e.At = r.now.Add(min(max(d, 0), maxTimer) + time.Millisecond - 1).Truncate(time.Millisecond)
		return nil
	})
	return &Timer{Promise: &op.promise, Due: op.event.At, op: op}
}

// Cancel gives a timer up: it will not fire any more. Cancelling again, or after it fired, does nothing.
func (r *Run) Cancel(t *Timer) {
	r.alive()
	if t.op.promise.done || t.op.canceled {
		return
	}
	r.own()
	t.op.canceled = true
	e := &history.Event{Kind: history.TimerCanceled, Op: t.op.event.Op, Epoch: r.epoch}
	if op := r.ops.get(key(e)); op != nil {
		r.match(op, history.TimerCanceled, "", func(*history.Event) error { return nil })
		return
	}
	r.add(e)
}

// Now is the time of the turn.
func (r *Run) Now() time.Time { return r.now }

// Instance is the id of the instance.
func (r *Run) Instance() string { return r.opt.Instance }

// MaxPayload is how many bytes of JSON an input or output may have; 0 is history.MaxPayload.
func (r *Run) MaxPayload() int { return r.opt.MaxPayload }

// SetStatus sets the custom status: JSON.
func (r *Run) SetStatus(status []byte) {
	if r.unwinding {
		return
	}
	r.alive()
	r.status = status
}

// Refuse ends the turn because the code did something that cannot go on; the instance is suspended with err's text.
func (r *Run) Refuse(err error) {
	r.alive()
	r.fail(err)
}

// give hands one input to the code.
func (r *Run) give(in input) {
	e := in.event
	switch e.Kind {
	case history.ExecutionStarted, history.GenerationStarted:
		r.start(e)
	case history.TaskCompleted, history.TaskFailed:
		r.outcome(in, history.TaskScheduled)
	case history.TimerFired:
		r.outcome(in, history.TimerCreated)
	case history.SubOrchestrationCompleted, history.SubOrchestrationFailed:
		r.outcome(in, history.SubOrchestrationCreated)
	case history.StepCompleted, history.StepFailed:
		r.outcome(in, history.StepStarted)
	case history.EventRaised:
		r.raise(e)
	case history.ParentRewound, history.ExecutionReset: // of no interest to the code
	default:
		r.err = &Mismatch{Recorded: e, Number: in.number, Asked: "this version cannot replay such an event: run a newer one", foreign: true}
	}
}

// outcome completes an operation. Late outcomes of cancelled timers find nobody waiting.
func (r *Run) outcome(in input, of history.Kind) {
	e := in.event
	op := r.ops.get(e.Op)
	if op == nil || !op.asked || op.event.Kind != of || of == history.StepStarted && op.event.Name != e.Name {
		m := &Mismatch{Recorded: e, Number: in.number, Asked: "the code did not ask for it"}
		if op != nil && op.asked {
			m.Asked = "the code asked for " + describe(op.event.Kind, op.event.Name)
		}
		r.err = m
		return
	}
	r.complete(&op.promise, e)
	if op.over != nil {
		r.complete(op.over, e)
	}
}

func (r *Run) start(e *history.Event) {
	if r.started != nil {
		return
	}
	r.started = e
	r.spawn("", func() {
		output, failure := r.code(r, e.Data.Bytes)
		r.ended = true
		switch {
		case r.next != nil:
			r.end = r.next
		case failure != nil:
			r.end = &history.Event{Kind: history.ExecutionFailed, Failure: failure}
		default:
			r.end = &history.Event{Kind: history.ExecutionCompleted, Data: history.Payload{Bytes: output}}
		}
	})
}

// ContinueAsNew has the code, which is about to return, begin anew: as this version of it, with this input, and, if keep,
// with the events that it has not taken.
func (r *Run) ContinueAsNew(version uint32, input []byte, keep bool) {
	r.next = &history.Event{Kind: history.ContinuedAsNew, Version: version, Data: history.Payload{Bytes: input}}
	if !keep {
		return
	}
	switch carried := r.unread(); {
	case len(carried) > history.MaxCarried:
		r.Refuse(fmt.Errorf("it continues as new with %d events that it has not taken, and at most %d go over: take them before", len(carried), history.MaxCarried))
	case len(carried) > 0:
		r.next.Start = &history.Start{Carried: carried}
	}
}

// Name is that of the orchestration.
func (r *Run) Name() string { return r.started.Name }

// Version is that of the code that was asked for.
func (r *Run) Version() uint32 { return r.started.Version }

// unread are the message ids of the events that the history has, or will have, and that nobody has taken, in the order in
// which they came.
func (r *Run) unread() []string {
	kept := map[*history.Event]bool{}
	for _, ch := range r.channels {
		for _, e := range ch.buffer {
			kept[e] = true
		}
	}
	for _, in := range r.held {
		kept[in.event] = in.event.Kind == history.EventRaised
	}
	var out []string
	for i, in := range r.inputs[:max(r.cursor, r.recorded, min(r.carried, len(r.inputs)))] {
		if kept[in.event] || i >= r.cursor && in.event.Kind == history.EventRaised {
			out = append(out, in.event.MessageID)
		}
	}
	return out
}
