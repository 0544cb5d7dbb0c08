package worker

import (
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// state is a history folded into what deciding needs: no code runs for it.
type state struct {
	h     *store.History
	start *history.Event
	// ops are the commands that await an outcome, and the outcomes they got.
	ops map[string]*operation
	// asked are the activities in the order in which they were asked for, the first released of them may be sent, and flying of
	// these have no outcome. releasedBy is how many were released when each segment was there.
	asked            []*operation
	released, flying int
	releasedBy       []int
	// calls are the external messages that were consumed, and the segment that did; known those that generations before have.
	calls map[string]int
	known map[string]history.Known

	end       *history.Event
	ended     int // the segment that holds the end
	sealed    bool
	suspended bool
	byWorker  bool // the suspension is the worker's, and nobody else has asked for one since
	reason    string
	build     string
	custom    history.Payload
	more      bool // the last turn is unfinished
	// turns are the first segments of each one's turn, failedSteps those in which steps failed.
	turns       []int
	failedSteps []int
	parted      map[int][]*operation // the children that run and that nobody waits for any more, by the reset that says so
	last        time.Time
	blobs       int // bytes that were read from blobs
	events      int
	spin        spin
	engine      uint64 // flags of the engine's behaviour that replay must honour
}

type operation struct {
	command  *history.Event
	segment  int
	outcome  int // the segment that holds it; -1
	failed   bool
	settled  bool // a child's failure that no rewind of the child can mend
	canceled bool
	gone     bool // a rewind or a reset has done away with it
	anew     bool // a child: who asks for it again gets another life
}

// waits reports whether an outcome is waited for.
func (op *operation) waits() bool { return op.outcome < 0 && !op.canceled && !op.gone }

func fold(h *store.History) *state {
	st := &state{h: h, ops: map[string]*operation{}, calls: map[string]int{}}
	for i, s := range h.Segments {
		st.add(i, s)
	}
	return st
}

// add folds one more segment.
func (st *state) add(n int, s *history.Segment) {
	if st.sealed { // behind the first tombstone there may be segments that a purge has not come to
		st.releasedBy = append(st.releasedBy, st.released)
		st.turns = append(st.turns, n)
		return
	}
	turn := n
	if st.more && !s.Cuts() {
		turn = st.turns[n-1]
	}
	st.turns = append(st.turns, turn)
	sticky := false
	for i := range s.Events {
		e := &s.Events[i]
		sticky = sticky || e.Kind == history.ExecutionSuspended && e.MessageID == ""
		if e.MessageID != "" {
			st.calls[e.MessageID] = n
		}
		st.apply(n, e, sticky)
	}
	if turn == n {
		st.spin = st.spin.next(s.Time, st.own(s.Events))
	}
	st.events += len(s.Events)
	st.engine |= s.Engine
	st.release(s)
	unfinished := st.more
	st.more = s.More || unfinished && st.suspended && st.end == nil // what interrupts an unfinished turn does not finish it
	st.last = s.Time
}

func (st *state) apply(n int, e *history.Event, sticky bool) {
	switch e.Kind {
	case history.ExecutionStarted:
		st.start = e
		if due := e.Due(); !due.IsZero() {
			st.ops[history.StartOp] = &operation{command: &history.Event{Kind: history.TimerCreated, Op: history.StartOp, At: due}, segment: n, outcome: -1}
		}
	case history.GenerationStarted:
		st.begin(e)
	case history.TaskScheduled, history.TimerCreated, history.SubOrchestrationCreated:
		op := &operation{command: e, segment: n, outcome: -1}
		st.ops[e.Op] = op
		if e.Kind == history.TaskScheduled {
			st.asked = append(st.asked, op)
		}
	case history.TimerCanceled:
		if op := st.ops[e.Op]; op != nil && op.command.Epoch == e.Epoch {
			op.canceled = true
		}
	case history.TaskCompleted, history.TaskFailed, history.TimerFired, history.SubOrchestrationCompleted, history.SubOrchestrationFailed:
		if op := st.ops[e.Op]; op != nil {
			op.settled = settled(e.Failure)
			op.outcome, op.failed = n, e.Kind == history.TaskFailed || e.Kind == history.SubOrchestrationFailed
			if op.command.Kind == history.TaskScheduled {
				st.flying--
			}
		}
	case history.StepFailed:
		st.failedSteps = append(st.failedSteps, n)
	case history.ExecutionSuspended:
		st.byWorker = e.MessageID == ""
		st.suspended, st.reason, st.build = true, e.Reason, e.Build
	case history.ExecutionResumed:
		if !sticky {
			st.suspended, st.byWorker, st.reason, st.build = false, false, "", ""
		}
	case history.ExecutionCompleted, history.ExecutionFailed, history.ExecutionTerminated, history.ContinuedAsNew, history.StartRefused:
		st.end, st.ended = e, n
	case history.ExecutionReset:
		if e.Rewound != nil {
			st.reset(n, e)
		}
	case history.ExecutionRewound, history.ParentRewound:
		if e.Rewound != nil {
			st.rewound(int(e.Rewound.From))
		}
		if isChild(e) {
			st.report(e.Start.Parent)
		}
	case history.Sealed:
		st.sealed = true
	case history.CustomStatusSet:
		st.custom = e.Data
	}
}

// unfinished reports whether the last turn must be finished before anything else is decided: the code's, or that of an
// instance which has ended and has not let everything go.
func (st *state) unfinished() bool {
	return st.more && !st.sealed && (st.end != nil || !st.suspended)
}

// scheduled is the timer that a scheduled start waits for; nil when the code may run.
func (st *state) scheduled() *operation {
	if op := st.ops[history.StartOp]; op != nil && op.outcome < 0 {
		return op
	}
	return nil
}

// over reports whether the instance has ended: with the last segment of its last turn, when all is let go.
func (st *state) over() bool { return st.end != nil && !st.more }

// status is the runtime status that the history shows.
func (st *state) status() history.Status {
	switch {
	case st.end == nil && st.suspended:
		return history.StatusSuspended
	case st.end == nil && st.scheduled() != nil:
		return history.StatusPending
	case !st.over(), st.renewed():
		return history.StatusRunning
	}
	switch st.end.Kind {
	case history.ExecutionCompleted:
		return history.StatusCompleted
	case history.ExecutionTerminated:
		return history.StatusTerminated
	}
	return history.StatusFailed
}

// row is the status row that the history shows.
func (st *state) row() *history.Row {
	row := &history.Row{
		Instance: st.h.Instance, Incarnation: st.h.Incarnation,
		Generation: st.h.Generation, Number: uint64(len(st.h.Segments)),
		Start: *st.start, Status: st.status(), Custom: st.custom, Updated: st.last,
	}
	if st.over() && !st.renewed() {
		row.End = st.end
	}
	if st.suspended && st.end == nil {
		row.SuspendReason = st.reason
	}
	return row
}
