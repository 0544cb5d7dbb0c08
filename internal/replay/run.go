package replay

import (
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Run is a running orchestration as its code sees it; durable.Context wraps it. Its methods are for the code's own
// coroutines.
type Run struct {
	code Code
	opt  Options

	view     past
	segments []segment
	groups   []group
	inputs   []input
	history  int // segments[:history] come from the history
	number   int // of the last event that the history has
	recorded int // inputs[:recorded] come from the history
	cursor   int // inputs[:cursor] have been fed
	carried  int // inputs[:carried] are in the history or in what is committed next, whether the code takes them or not
	ops      index
	slab     []operation  // those that are recorded
	pending  []*operation // asked for, and in no segment yet
	steps    []*operation
	spawned  int        // coroutines that were begun since the last input of another segment
	fresh    int        // asked for since then, and not recorded
	starts   int        // of steps, that the history has and the code has not asked for yet
	unrun    int        // outcomes of steps that the history has and the code has not asked for yet
	last     []*Promise // what is waited for before the code returns
	channels map[string]*channel
	changes  map[string]bool  // which side of each change the code has taken
	epoch    uint32           // of what is asked for now
	kept     map[string]*kept // results of what a rewind has done away with

	at          int // the segment of the last input fed
	now         time.Time
	suspended   bool
	waiting     bool           // for the time of a scheduled start
	held        []input        // inputs that wait for a resume
	started     *history.Event // the start
	ended       bool
	end         *history.Event
	recordedEnd input          // what the history says that the code returned
	next        *history.Event // what it is to begin anew with
	err         error
	unwinding   bool
	parks       bool            // every wait parks: tests compare
	foreign     chan error      // of a goroutine of the code's own that has used the context
	lost        atomic.Bool     // there was one
	panics      bool            // a panic was under way when the code was here last
	running     <-chan struct{} // closed when the code has come back that it was not waited for

	status, savedStatus []byte

	coroutines []*coroutine
	ready      []*coroutine
	current    *coroutine
	scratch    []byte
	probe      history.Event // what is compared
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
	marks  int // recorded marks of changes that the code has not asked for yet
	closed bool
	// stopped: after it the instance was suspended, or had ended, so that steps were perhaps asked for and not run.
	stopped bool
}

type input struct {
	event   *history.Event
	segment int
	number  int // of the event in the history, from 1; 0 when it is new
}

// newRun indexes the history: inputs in order, commands by their path.
func newRun(code Code, past []*history.Segment, opt Options) *Run {
	view := rewind(past)
	inputs, commands := count(view.segments)
	r := &Run{code: code, opt: opt, view: view, at: -1, channels: map[string]*channel{}, foreign: make(chan error, 1),
		inputs: make([]input, 0, inputs+8), slab: make([]operation, 0, commands), kept: view.kept, epoch: view.rewinds,
		segments: make([]segment, 0, len(view.segments)+8), groups: append(make([]group, 0, len(view.segments)+8), group{}),
		ops: index{root: make([]*operation, 0, commands)}}
	r.log = slog.New(liveHandler{opt.Log.Handler(), r})
	var suspended, terminated, unfinished bool
	number := 0
	for i, s := range view.segments {
		g := len(r.groups) - 1
		seg := segment{time: s.Time, group: g, sticky: suspends(s.Events)}
		suspended = suspended || seg.sticky
		for k := range s.Events {
			e := &s.Events[k]
			number = view.number(i, k, number)
			switch e.Kind {
			case history.ExecutionSuspended:
				suspended = true
			case history.ExecutionRewound:
				suspended = false
			case history.ExecutionReset:
				suspended = suspended && e.Rewound == nil
			case history.ExecutionResumed:
				suspended = seg.sticky
			case history.ExecutionTerminated:
				terminated = true
			}
			r.file(input{e, i, number})
		}
		r.segments = append(r.segments, seg)
		unfinished = s.More || unfinished && suspended
		if !unfinished {
			r.groups[g].closed, r.groups[g].stopped = true, suspended || terminated || r.recordedEnd.event != nil
			r.groups = append(r.groups, group{})
		}
	}
	for _, e := range view.again {
		r.pending = append(r.pending, &operation{event: e, asked: true})
	}
	r.recorded, r.history, r.number = len(r.inputs), len(view.segments), number
	return r
}

// count returns how many inputs there are, and how much else to index.
func count(past []*history.Segment) (inputs, commands int) {
	for _, s := range past {
		for k := range s.Events {
			kind := s.Events[k].Kind
			if kind.IsInput() {
				inputs++
			}
			if !kind.IsInput() || kind == history.StepCompleted || kind == history.StepFailed {
				commands++
			}
		}
	}
	return inputs, commands
}

// file indexes one event of the history.
func (r *Run) file(in input) {
	switch e := in.event; {
	case e.Kind == history.StepCompleted || e.Kind == history.StepFailed:
		r.record(in)
		r.unrun++
		r.inputs = append(r.inputs, in)
	case e.Kind.IsInput():
		r.inputs = append(r.inputs, in)
	case e.Kind == history.CustomStatusSet:
		r.savedStatus = e.Data.Bytes
	case e.Kind.IsEnd():
		r.recordedEnd = in
	case e.Kind == history.ChangeMarked:
		r.record(in) // the code need not ask for it any more, when its turn is finished
		r.groups[len(r.groups)-1].marks++
	default:
		if e.Kind == history.StepStarted {
			r.starts++
		}
		r.record(in)
		r.groups[len(r.groups)-1].unseen++
	}
}

// record indexes a command of the last group, or the outcome of a step, whose command is not kept.
func (r *Run) record(in input) {
	r.slab = append(r.slab, operation{event: in.event, group: len(r.groups) - 1, number: in.number})
	if !r.ops.put(key(in.event), &r.slab[len(r.slab)-1]) {
		r.err = &Mismatch{Recorded: in.event, Number: in.number, Asked: "the history has it twice", foreign: true}
	}
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
	if r.err == nil {
		r.err = r.check()
	}
}

// check compares, when nobody goes on, what the code did with all that the history has.
func (r *Run) check() error {
	if r.ended {
		r.cursor = max(r.cursor, min(r.carried, len(r.inputs))) // they came with the start, and were not waited for
	}
	if r.ended && r.cursor < r.recorded {
		in := r.inputs[r.cursor]
		if s := r.segments[in.segment]; !s.sticky || s.group != r.group() || in.segment == r.at {
			return &Mismatch{Recorded: in.event, Number: in.number, Asked: "the code returned"}
		}
		r.cursor = len(r.inputs) // an unfinished turn, which ends the instance, was interrupted by the worker: too late for these
	}
	if r.ended && r.end == nil {
		return nil // terminated: what it would have asked for does not matter
	}
	for g := r.group(); g < len(r.groups); g++ {
		if r.groups[g].unseen > 0 {
			return r.missing(g)
		}
		if !r.groups[g].closed && r.groups[g].marks > 0 {
			return r.unmarked(g)
		}
	}
	end := r.recordedEnd
	switch {
	case r.ended && r.past() && end.event == nil:
		return &Mismatch{Asked: "the code returned"}
	case !r.ended && end.event != nil:
		return &Mismatch{Recorded: end.event, Number: end.number, Asked: "the code still waits"}
	case end.event != nil && end.event.Kind != r.end.Kind:
		return &Mismatch{Recorded: end.event, Number: end.number, Asked: "the code ended with " + describe(r.end.Kind, "")}
	case end.event != nil && r.opt.Inputs != CheckOff && !end.event.Data.Holds(r.end.Data.Bytes):
		return r.differs(&Mismatch{Recorded: end.event, Number: end.number,
			Asked: "the code returned " + clip(r.end.Data.Bytes) + " instead of " + recorded(end.event.Data)})
	}
	return nil
}

// feed takes the next input. It is called only while every coroutine waits, or the only one that runs is about to.
func (r *Run) feed() bool {
	if r.err != nil || r.ended {
		return false
	}
	if len(r.held) > 0 && !r.suspended && !r.waiting {
		in := r.held[0]
		r.held = r.held[1:]
		r.give(in)
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
	r.apply(in)
	return true
}

// enter begins a segment: its time counts, and a suspension by the worker covers all of it.
func (r *Run) enter(seg int) {
	s := r.segments[seg]
	r.at, r.fresh, r.spawned = seg, 0, 0
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
	for i := range r.slab {
		op := &r.slab[i]
		if op.group == g && !op.asked && !op.event.Kind.IsInput() && op.event.Kind != history.ChangeMarked && (first == nil || history.CompareOps(op.event.Op, first.event.Op) < 0) {
			first = op
		}
	}
	return &Mismatch{Recorded: first.event, Number: first.number, Asked: "the code did not ask for it"}
}

// unmarked names a change that an unfinished turn has marked and the code has not asked for: other code has begun the turn, and what it
// asks for behind the mark would not match what this code asks for there.
func (r *Run) unmarked(g int) error {
	for i := range r.slab {
		if op := &r.slab[i]; op.group == g && op.event.Kind == history.ChangeMarked && !op.asked {
			return &Mismatch{Recorded: op.event, Number: op.number, Asked: "the code that is to finish this turn did not ask for it"}
		}
	}
	return nil
}

// group is the turn that the code is in.
func (r *Run) group() int {
	if r.at < 0 {
		return 0
	}
	return r.segments[r.at].group
}

// past reports whether the code is in a turn that the history holds completely, where it may ask for nothing new.
func (r *Run) past() bool { return r.at >= 0 && r.groups[r.group()].closed }

// live reports whether the code runs for the first time here.
func (r *Run) live() bool { return r.at >= r.history && !r.unwinding }

// brought is where the inputs end that a generation's start brings along: a suspension may stand before them.
func (r *Run) brought(ids []string) int {
	i := r.cursor
	for left := len(ids); left > 0 && i < len(r.inputs); i++ {
		if e := r.inputs[i].event; e.Kind == history.EventRaised && slices.Contains(ids, e.MessageID) {
			left--
		}
	}
	return i
}

func (r *Run) apply(in input) {
	if e := in.event; e.Kind == history.GenerationStarted && e.Start != nil {
		r.carried = max(r.carried, r.brought(e.Start.Carried))
	}
	r.waiting = r.waiting || !in.event.Due().IsZero()
	switch e := in.event; {
	case e.Kind == history.ExecutionSuspended:
		r.suspended = true
	case e.Kind == history.ExecutionResumed:
		r.suspended = r.segments[r.at].sticky
	case e.Kind == history.ExecutionRewound, e.Kind == history.ExecutionReset && e.Rewound != nil:
		r.suspended = false
		for r.carried = r.cursor; r.carried < len(r.inputs) && r.inputs[r.carried].segment == r.at; { // what comes again need not be waited for
			r.carried++
		}
	case e.Kind == history.ExecutionTerminated:
		r.ended = true
	case e.Kind == history.TimerFired && e.Op == history.StartOp:
		r.waiting = false
	default:
		if r.suspended || r.waiting {
			r.held = append(r.held, in)
		} else {
			r.give(in)
		}
	}
}
