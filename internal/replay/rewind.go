package replay

import (
	"slices"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// A rewind cuts the history at the first segment of a turn. What the code asked for before stands there, with the results that it has
// had since. Of what it asked for later only the results stay: the code may take another way now, and whoever comes to ask at the same
// place for the same thing gets the result that there is. All else from there on is as if it had not happened: failures, timers,
// suspensions, the end. What came from outside comes again, in one turn, the rewind's.
//
// It is all read from the record: so each replay makes the same of it.

// past is a history as the code is to see it.
type past struct {
	segments []*history.Segment
	// at is the number that each has in the record, and numbers those of their events, when anything was rewound.
	at      []uint64
	numbers [][]int
	rewinds uint32                    // and resets
	edits   map[string]edit           // inputs that resets have said
	again   map[string]*history.Event // what the last rewind asks for again, and the record does not have yet
	kept    map[string]*kept
}

// kept is a result that a rewind keeps of what was asked for after the cut.
type kept struct {
	command, outcome *history.Event // no command: a step
	from             int            // the segment of the rewind: before, the code asks for what the record has
}

func rewind(record []*history.Segment) past {
	first := slices.IndexFunc(record, (*history.Segment).Cuts)
	if first < 0 {
		return past{segments: record}
	}
	p := past{kept: map[string]*kept{}, edits: map[string]edit{}}
	number := 0
	for i, s := range record {
		numbers := make([]int, len(s.Events))
		for k := range numbers {
			number++
			numbers[k] = number
		}
		if s.Cuts() {
			s, numbers = p.cut(s, numbers)
		} else if len(p.again) > 0 {
			s, numbers = p.asked(s, numbers)
		}
		p.segments, p.at, p.numbers = append(p.segments, s), append(p.at, uint64(i)), append(p.numbers, numbers)
	}
	return p
}

// cut takes off what the rewind, or reset, does away with, and returns its segment with what stays of it.
func (p *past) cut(s *history.Segment, numbers []int) (*history.Segment, []int) {
	p.rewinds++
	place, _ := slices.BinarySearch(p.at, from(s))
	take := p.rewind
	if s.Events[0].Kind == history.ExecutionReset {
		take = p.reset
	}
	again, at := take(s, numbers, place)
	for op, e := range p.again {
		c := *e
		c.Epoch = p.rewinds
		if c.Kind == history.TaskScheduled && !c.At.IsZero() {
			c.At = s.Time // its deadline counts from now
		}
		p.again[op] = &c
	}
	p.editInputs()
	p.segments, p.at, p.numbers = p.segments[:place], p.at[:place], p.numbers[:place]
	again.Events, at = append(again.Events, s.Events[1:]...), append(at, numbers[1:]...)
	return again, at
}

// rewind keeps, of what comes behind the cut, the results.
func (p *past) rewind(s *history.Segment, numbers []int, place int) (*history.Segment, []int) {
	p.again = p.commands(0, place)
	later := p.commands(place, len(p.segments))
	p.settle(place)
	again := &history.Segment{Time: s.Time, More: s.More, Events: s.Events[:1:1]}
	at := numbers[:1:1]
	for i := place; i < len(p.segments); i++ {
		events := p.segments[i].Events
		for k := range events {
			e := &events[k]
			stays := false
			switch e.Kind {
			case history.ExecutionStarted, history.GenerationStarted, history.EventRaised, history.CustomStatusSet:
				stays = true
			case history.TaskCompleted, history.SubOrchestrationCompleted, history.TimerFired:
				if c := later[e.Op]; c == nil {
					stays = true
					delete(p.again, e.Op)
				} else if e.Kind != history.TimerFired {
					p.kept[e.Op] = &kept{command: c, outcome: e, from: place}
				}
			case history.StepCompleted:
				p.kept[e.Op] = &kept{outcome: e, from: place}
			case history.EventSent:
				p.kept[e.Op] = &kept{command: e, from: place}
			}
			if stays {
				again.Events, at = append(again.Events, *e), append(at, p.numbers[i][k])
			}
		}
	}
	for _, k := range p.kept {
		k.from = min(k.from, place)
	}
	for op, e := range p.edits {
		e.from = min(e.from, place)
		p.edits[op] = e
	}
	return again, at
}

// settle takes out of what is asked for again what had an outcome before the cut, or was canceled.
func (p *past) settle(place int) {
	for _, s := range p.segments[:place] {
		for k := range s.Events {
			switch e := &s.Events[k]; e.Kind {
			case history.TaskCompleted, history.TaskFailed, history.SubOrchestrationCompleted, history.SubOrchestrationFailed,
				history.TimerFired, history.TimerCanceled:
				delete(p.again, e.Op)
			}
		}
	}
}

// asked takes what is asked for again out of a segment: the code has asked for it only once.
func (p *past) asked(s *history.Segment, numbers []int) (*history.Segment, []int) {
	left := *s
	left.Events = nil
	var at []int
	for k := range s.Events {
		e := &s.Events[k]
		if c := p.again[e.Op]; c != nil && c.Kind == e.Kind && c.Epoch == e.Epoch {
			delete(p.again, e.Op)
			continue
		}
		left.Events, at = append(left.Events, *e), append(at, numbers[k])
	}
	return &left, at
}

// commands are what the code asked for in some of the segments that has an outcome, by path.
func (p *past) commands(first, next int) map[string]*history.Event {
	out := map[string]*history.Event{}
	for _, s := range p.segments[first:next] {
		for k := range s.Events {
			switch e := &s.Events[k]; e.Kind {
			case history.TaskScheduled, history.SubOrchestrationCreated, history.TimerCreated:
				out[e.Op] = e
			}
		}
	}
	return out
}

// segment is the number that one has in the record.
func (p *past) segment(i int) int {
	if i >= 0 && i < len(p.at) {
		return int(p.at[i])
	}
	return i
}

// number is that of an event in the record, from 1, where before is how many events came before it.
func (p *past) number(segment, event, before int) int {
	if p.numbers == nil {
		return before + 1
	}
	return p.numbers[segment][event]
}

// recall finds the result that a rewind has kept of what the code asks for. Where the record has the whole turn, and not the command,
// that is what happened, whatever the input is encoded as today.
func (r *Run) recall(path, name string, command func(*history.Event) bool) *operation {
	k := r.kept[path]
	if k == nil || r.at < k.from || !command(k.command) || k.command == nil && k.outcome.Name != name {
		return nil
	}
	e := k.command
	if e == nil {
		e = &history.Event{Kind: history.StepStarted, Op: path, Name: name}
	}
	op := &operation{event: e, asked: true}
	r.ops.put(path, op)
	r.complete(&op.promise, k.outcome)
	return op
}

// from is where a rewind cuts.
func from(s *history.Segment) uint64 {
	if r := s.Events[0].Rewound; r != nil {
		return r.From
	}
	return 0
}
