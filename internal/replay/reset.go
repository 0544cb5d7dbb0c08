package replay

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// A reset cuts the history as a rewind does, at the turn in which the outcome of one operation came in. What came before stands.
// Of what came later only what came from outside comes again: no result is kept, and whatever the code asks for from there on is
// asked for anew. The operation has the result that the reset says, or is asked for with the input that it says.

// edit is an input that a reset has put in the place of what the code asks with.
type edit struct {
	data history.Payload
	from int // the segment of the reset
}

// reset takes off what the reset does away with, and returns the reset's segment with what stays of it.
func (p *past) reset(s *history.Segment, numbers []int, place int) (*history.Segment, []int) {
	e := &s.Events[0]
	t := p.find(e.Op)
	p.again = p.commands(0, place)
	p.settle(place)
	maps.DeleteFunc(p.kept, func(_ string, k *kept) bool { return k.from >= place })
	maps.DeleteFunc(p.edits, func(_ string, e edit) bool { return e.from >= place })
	again := &history.Segment{Time: s.Time, More: s.More, Events: s.Events[:1:1]}
	at := numbers[:1:1]
	switch {
	case t == nil: // the start
	case e.Edit == history.EditResult && p.again[e.Op] != nil:
		delete(p.again, e.Op)
		again.Events, at = append(again.Events, *t.result(e)), append(at, numbers[0])
	case e.Edit == history.EditResult:
		p.kept[e.Op] = &kept{command: t.command, outcome: t.result(e), from: place}
	case e.Edit == history.EditInput:
		p.edits[e.Op] = edit{e.Data, place}
	}
	for i := place; i < len(p.segments); i++ {
		for k, old := range p.segments[i].Events {
			switch old.Kind {
			case history.ExecutionStarted, history.GenerationStarted:
				if e.Edit == history.EditInput && e.Op == history.StartOp {
					old.Data = e.Data
				}
			case history.EventRaised, history.CustomStatusSet:
			default:
				if old.Kind != history.TimerFired || old.Op != history.StartOp {
					continue
				}
			}
			again.Events, at = append(again.Events, old), append(at, p.numbers[i][k])
		}
	}
	return again, at
}

// target is the operation to which a reset goes back.
type target struct {
	command *history.Event // nil: a step
	name    string         // of a step
	outcome *history.Event // or what has canceled it; nil: there is none
	asked   int            // the segment that has the command
	settled int            // the segment that has the outcome
	kept    bool           // a rewind has kept the outcome
}

// find looks an operation up in what stands of the history; nil when there is none of that path.
func (p *past) find(path string) *target {
	var t *target
	for i, s := range p.segments {
		for k := range s.Events {
			e := &s.Events[k]
			if e.Op != path || e.Kind == history.ChangeMarked || e.Kind == history.ExecutionReset {
				continue
			}
			if t == nil {
				t = &target{asked: i}
			}
			switch e.Kind {
			case history.TaskScheduled, history.SubOrchestrationCreated, history.TimerCreated, history.EventSent:
				t.command = e
			case history.StepStarted:
				t.name = e.Name
			default:
				t.outcome, t.settled, t.name = e, i, e.Name
			}
		}
	}
	if k := p.kept[path]; t == nil && k != nil {
		t = &target{command: k.command, outcome: k.outcome, name: k.outcome.Name, asked: k.from, settled: k.from, kept: true}
	}
	return t
}

// result is the outcome that a reset says.
func (t *target) result(e *history.Event) *history.Event {
	out := &history.Event{Kind: history.StepCompleted, Op: e.Op, Data: e.Data}
	switch {
	case t.command == nil:
		out.Name = t.name
	case t.command.Kind == history.TimerCreated:
		out.Kind, out.Data, out.At = history.TimerFired, history.Payload{}, t.command.At
	case t.command.Kind == history.SubOrchestrationCreated:
		out.Kind = history.SubOrchestrationCompleted
	default:
		out.Kind = history.TaskCompleted
	}
	return out
}

// Reset says at which segment of the record a reset cuts it. Its error is a sentence about why it cannot be.
func Reset(record []*history.Segment, e *history.Event) (from uint64, err error) {
	p := rewind(record)
	turns, ended, err := p.turns()
	if err != nil {
		return 0, err
	}
	if e.Op == history.StartOp {
		if e.Edit == history.EditResult {
			return 0, errors.New("the start has no result: reset an operation to one, or give the start an input")
		}
		return 0, nil
	}
	t := p.find(e.Op)
	if t == nil {
		return 0, fmt.Errorf("there is no operation %s in what stands of its history", e.Op)
	}
	place, err := turns.of(t, ended)
	if err == nil {
		err = t.takes(e, place)
	}
	if err != nil {
		return 0, fmt.Errorf("operation %s %w", e.Op, err)
	}
	if place == len(p.segments) {
		return uint64(len(record)), nil
	}
	return uint64(p.segment(place)), nil
}

// turns is where turns begin.
type turns struct {
	first      []int // of each segment, the first one of its turn
	suspended  []bool
	unfinished bool
}

// turns finds where the turns of what stands begin, and in which segment it ended; it refuses what cannot be reset at all.
func (p *past) turns() (t turns, ended int, err error) {
	ended = -1
	var start *history.Event
	began, suspended := false, false
	for i, s := range p.segments {
		first := i
		if t.unfinished {
			first = t.first[i-1]
		}
		sticky := suspends(s.Events)
		suspended = suspended || sticky
		for k := range s.Events {
			switch e := &s.Events[k]; e.Kind {
			case history.ExecutionStarted, history.GenerationStarted:
				start = e
			case history.TimerFired:
				began = began || e.Op == history.StartOp
			case history.ExecutionSuspended:
				suspended = true
			case history.ExecutionResumed:
				suspended = sticky
			case history.ExecutionRewound:
				suspended = false
			case history.ExecutionReset:
				suspended = suspended && e.Rewound == nil
			case history.ExecutionCompleted, history.ExecutionFailed, history.ExecutionTerminated:
				ended = i
			case history.ContinuedAsNew:
				return t, 0, errors.New("it continues as new just now: look at its new history, and reset that")
			case history.StartRefused:
				return t, 0, errors.New("it never began, because its id was taken")
			case history.Sealed:
				return t, 0, errors.New("it was purged or replaced")
			}
		}
		t.unfinished = s.More || t.unfinished && suspended
		t.first, t.suspended = append(t.first, first), append(t.suspended, suspended)
	}
	if start == nil || !start.Due().IsZero() && !began {
		return t, 0, errors.New("it has not begun, so that there is nothing to go back to: terminate it and start another")
	}
	return t, ended, nil
}

// of is the segment at which to cut for an operation: the first one of the turn in which its outcome came in. Without an outcome that is
// the turn that comes next, or the one that ended the instance.
func (s turns) of(t *target, ended int) (int, error) {
	switch {
	case t.outcome == nil && ended >= 0:
		return s.first[ended], nil
	case t.outcome == nil && s.unfinished:
		return 0, errors.New("has no outcome, and the instance is in the middle of a turn: resume it, or reset to an operation that has one")
	case t.outcome == nil:
		return len(s.first), nil
	}
	place := s.first[t.settled]
	for t.command == nil && !t.kept && place > 0 && s.suspended[place-1] { // a step was asked for when the code ran last
		place = s.first[place-1]
	}
	return place, nil
}

// takes refuses an edit that the operation cannot have when the history is cut there.
func (t *target) takes(e *history.Event, place int) error {
	kind := history.StepStarted
	if t.command != nil {
		kind = t.command.Kind
	}
	switch {
	case kind == history.EventSent:
		return errors.New("sends an event, and nothing comes of that: reset to the operation before it")
	case kind == history.TimerCreated && e.Edit == history.EditResult && strings.TrimSpace(string(e.Data.Bytes)) != "null":
		return errors.New("is a timer, whose only result is null: it fires at once then")
	case e.Edit != history.EditInput:
		return nil
	case kind == history.TimerCreated:
		return errors.New("is a timer and has no input: give it the result null, and it fires at once")
	case kind == history.StepStarted:
		return errors.New("is an inline step and has no input: give it a result")
	case t.kept || t.asked >= place:
		return errors.New("is asked for anew by the code, with the input that it then has: give it a result, or reset to an operation before it")
	}
	return nil
}

// editInputs has operations that are asked for again asked for with the inputs that resets have said.
func (p *past) editInputs() {
	for op, e := range p.edits {
		if c := p.again[op]; c != nil && slices.Contains([]history.Kind{history.TaskScheduled, history.SubOrchestrationCreated}, c.Kind) {
			c.Data = e.data
		}
	}
}
