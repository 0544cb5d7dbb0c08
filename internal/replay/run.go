package replay

import (
	"log/slog"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Run is a running orchestration as its code sees it; durable.Context wraps it. Its methods are for the code's own
// coroutines.
type Run struct {
	code Code
	opt  Options

	segments []segment
	groups   []group
	inputs   []input
	history  int // segments[:history] come from the history
	recorded int // inputs[:recorded] come from the history
	cursor   int // inputs[:cursor] have been fed
	ops      map[string]*operation
	pending  []*operation // asked for, and in no segment yet
	steps    []*operation
	channels map[string]*channel

	at          int // the segment of the last input fed
	now         time.Time
	suspended   bool
	held        []*history.Event // inputs that wait for a resume
	started     bool
	ended       bool
	end         *history.Event
	endRecorded bool
	err         error
	unwinding   bool
	parks       bool // every wait parks: tests compare

	status, savedStatus []byte

	coroutines []*coroutine
	ready      []*coroutine
	current    *coroutine
	scratch    []byte
	log        *slog.Logger
}

// segment is what replay keeps of a history.Segment.
type segment struct {
	time  time.Time
	group int
	// sticky: the worker suspended the instance with this segment, and nothing in it resumes or runs anything.
	sticky bool
}

// group is a turn as the record has it: commands that were asked for in it are recorded in it. It is one segment, or one
// that says more with its continuations; an unfinished turn that was interrupted by a suspension stays open until the
// instance runs again.
type group struct {
	unseen int // recorded commands that the code has not asked for yet
	closed bool
}

type input struct {
	event   *history.Event
	segment int
}

// newRun indexes the history: inputs in order, commands by their path.
func newRun(code Code, past []*history.Segment, opt Options) *Run {
	r := &Run{code: code, opt: opt, ops: map[string]*operation{}, at: -1, channels: map[string]*channel{}}
	r.log = slog.New(liveHandler{opt.Log.Handler(), r})
	var events int
	for _, s := range past {
		events += len(s.Events)
	}
	r.inputs = make([]input, 0, events+8)
	slab := make([]operation, 0, events)
	var suspended, unfinished bool
	number := 0
	r.groups = append(r.groups, group{})
	for i, s := range past {
		g := len(r.groups) - 1
		seg := segment{time: s.Time, group: g, sticky: suspends(s.Events)}
		suspended = suspended || seg.sticky
		for k := range s.Events {
			e := &s.Events[k]
			number++
			switch {
			case e.Kind.IsInput():
				r.inputs = append(r.inputs, input{e, i})
				if e.Kind == history.ExecutionSuspended {
					suspended = true
				} else if e.Kind == history.ExecutionResumed && !seg.sticky {
					suspended = false
				}
			case e.Kind == history.CustomStatusSet:
				r.savedStatus = e.Data.Bytes
			case e.Kind == history.ExecutionCompleted || e.Kind == history.ExecutionFailed:
				r.endRecorded = true
			default:
				slab = append(slab, operation{event: e, group: g, number: number, recorded: true})
				r.ops[key(e)] = &slab[len(slab)-1]
				r.groups[g].unseen++
			}
		}
		r.segments = append(r.segments, seg)
		unfinished = s.More || unfinished && suspended
		if !unfinished {
			r.groups[g].closed = true
			r.groups = append(r.groups, group{})
		}
	}
	r.recorded, r.history = len(r.inputs), len(past)
	return r
}

// drive runs whoever can run, and feeds the next input when nobody can, until there is nothing left to feed.
func (r *Run) drive() {
	for r.err == nil && !r.ended {
		if len(r.ready) > 0 {
			c := r.ready[0]
			r.ready = r.ready[1:]
			r.resume(c)
		} else if !r.feed() {
			break
		}
	}
	switch {
	case r.err != nil:
	case !r.ended:
		r.leave(len(r.segments) - 1)
	case r.cursor < r.recorded:
		r.err = &Mismatch{Recorded: r.inputs[r.cursor].event, Asked: "the code returned"}
	}
}

// feed takes the next input. It is called only while every coroutine waits, or the only one that runs is about to.
func (r *Run) feed() bool {
	if r.err != nil || r.ended {
		return false
	}
	if len(r.held) > 0 && !r.suspended {
		e := r.held[0]
		r.held = r.held[1:]
		r.give(e)
		return true
	}
	if r.cursor == len(r.inputs) {
		return false
	}
	in := r.inputs[r.cursor]
	if in.segment != r.at {
		if r.leave(in.segment); r.err != nil {
			return false
		}
		r.enter(in.segment)
	}
	r.cursor++
	r.apply(in.event)
	return true
}

// enter begins a segment: its time counts, and a suspension by the worker covers all of it.
func (r *Run) enter(seg int) {
	s := r.segments[seg]
	r.at = seg
	if s.time.After(r.now) {
		r.now = s.time
	}
	if s.sticky {
		r.suspended = true
	}
}

// leave checks, before the segment next, that the groups which end here hold just what the code asked for.
func (r *Run) leave(next int) {
	if r.at < 0 {
		return
	}
	for g := r.segments[r.at].group; g < r.segments[next].group; g++ {
		if r.groups[g].unseen > 0 {
			r.err = r.missing(g)
			return
		}
	}
}

// missing names the first recorded command of a group that the code did not ask for.
func (r *Run) missing(g int) error {
	var first *operation
	for _, op := range r.ops {
		if op.group == g && op.recorded && !op.asked && (first == nil || history.CompareOps(op.event.Op, first.event.Op) < 0) {
			first = op
		}
	}
	return &Mismatch{Recorded: first.event, Number: first.number, Asked: "the code did not ask for it"}
}

// past reports whether the code is in a turn that the history holds completely, where it may ask for nothing new.
func (r *Run) past() bool { return r.at >= 0 && r.groups[r.segments[r.at].group].closed }

// live reports whether the code runs for the first time here.
func (r *Run) live() bool { return r.at >= r.history && !r.unwinding }

func (r *Run) apply(e *history.Event) {
	switch e.Kind {
	case history.ExecutionSuspended:
		r.suspended = true
	case history.ExecutionResumed:
		r.suspended = r.segments[r.at].sticky
	case history.ExecutionTerminated:
		r.ended = true
	default:
		if r.suspended {
			r.held = append(r.held, e)
		} else {
			r.give(e)
		}
	}
}
