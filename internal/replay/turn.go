package replay

import (
	"log/slog"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Code is the erased body of an orchestration: it turns JSON into JSON or a failure.
type Code func(run *Run, input []byte) (output []byte, failure *history.Failure)

// Check says what to do when the code hands an operation another input than the history has.
type Check uint8

const (
	// CheckOff does not look: recorded operations are not even encoded.
	CheckOff Check = iota
	// CheckWarn logs a warning. It looks at the newest operations only, so that long histories are not encoded again.
	CheckWarn
	// CheckStrict is a mismatch.
	CheckStrict
)

// Options of a turn. The zero value is valid.
type Options struct {
	Instance    string
	Incarnation string
	// Generation of the history.
	Generation uint64
	Inputs     Check
	// MaxPayload is how many bytes an input or output may have, for the code to ask; 0 is history.MaxPayload.
	MaxPayload int
	// Actions is how much the code may newly ask for in one delivery; 0 is history.TurnActions.
	Actions int
	// Log receives what the code logs, in the live part only, and warnings. Nil discards.
	Log *slog.Logger
}

// Turn is one run of an orchestration's code from its history on. It is not safe for concurrent use, and must be closed.
type Turn struct{ run *Run }

// Decision is what came of a delivery.
type Decision struct {
	// Consumed is how many of the delivered inputs the code took: all of them, unless it ended before.
	Consumed int
	// Commands are the new ones: marks of changes, the others by operation path, then a changed custom status, then the end.
	Commands []history.Event
	// Steps are those without an outcome, by operation path: none when the instance is suspended or has ended.
	Steps []Step
	// Ended says that the code has returned or was terminated.
	Ended bool
	// Err is a mismatch, a panic, or another misbehaviour of the code. Nothing else of the decision counts then: the
	// instance is to be suspended, and the turn closed.
	Err error
}

// Open prepares a turn of code over the segments of one generation. Nothing runs before the first delivery.
// The turn refers to the segments until it is closed.
func Open(code Code, past []*history.Segment, opt Options) *Turn {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Actions <= 0 {
		opt.Actions = history.TurnActions
	}
	return &Turn{run: newRun(code, past, opt)}
}

// Deliver replays what has not been replayed yet, feeds inputs at the time now, and runs the code until it waits. Once all
// that came of it is in the history, the next turn's inputs may be delivered to the same Turn instead of a replay, unless
// it ended or is suspended. Without inputs Deliver finishes an unfinished turn. The time must not be before that of the last segment.
func (t *Turn) Deliver(inputs []history.Event, now time.Time) Decision {
	r := t.run
	first := len(r.inputs)
	for i := range inputs {
		r.inputs = append(r.inputs, input{event: &inputs[i], segment: len(r.segments)})
	}
	r.segments = append(r.segments, segment{time: now, group: len(r.groups) - 1, sticky: suspends(inputs)})
	if err := r.driven(); err != nil {
		return Decision{Err: r.locate(err)}
	}
	d := Decision{Consumed: max(r.cursor-first, 0), Ended: r.ended, Commands: r.takeCommands()}
	if !r.ended && !r.suspended {
		d.Steps = r.unresolvedSteps()
	}
	return d
}

// Close unwinds every coroutine: deferred functions of the code run, and find Unwinding true. Code that waits for a goroutine of its own,
// which was ended, cannot be unwound.
func (t *Turn) Close() {
	r := t.run
	if r.running != nil {
		select {
		case <-r.running:
		default:
			return
		}
	}
	r.unwinding = true
	for _, c := range r.coroutines {
		if c.started && !c.done {
			<-onOwnGoroutine(c.stop)
		}
	}
	r.coroutines = nil
}

// Suspended reports whether the instance is suspended after what was delivered.
func (t *Turn) Suspended() bool { return t.run.suspended }

// Coroutines is how many of the code's coroutines wait: what a turn that is kept costs beside its history.
func (t *Turn) Coroutines() int {
	r := t.run
	r.coroutines = slices.DeleteFunc(r.coroutines, func(c *coroutine) bool { return c.done })
	return len(r.coroutines)
}

// takeCommands drains what the code has asked for and no segment holds yet.
func (r *Run) takeCommands() []history.Event {
	slices.SortStableFunc(r.pending, func(a, b *operation) int {
		if x, y := a.event.Kind == history.ChangeMarked, b.event.Kind == history.ChangeMarked; x != y {
			return boolOrder(y) - boolOrder(x) // a turn that is committed in pieces has its marks in the first
		}
		return history.CompareOps(a.event.Op, b.event.Op)
	})
	out := slices.Grow([]history.Event(nil), len(r.pending))
	for _, op := range r.pending {
		out = append(out, *op.event)
	}
	r.pending = nil
	if r.status != nil && string(r.status) != string(r.savedStatus) {
		out = append(out, history.Event{Kind: history.CustomStatusSet, Data: history.Payload{Bytes: r.status}})
		r.savedStatus = r.status
	}
	if r.end != nil && r.recordedEnd.event == nil {
		out = append(out, *r.end)
		r.end = nil
	}
	return out
}

func (r *Run) unresolvedSteps() []Step {
	r.steps = slices.DeleteFunc(r.steps, func(op *operation) bool { return op.promise.done })
	slices.SortStableFunc(r.steps, func(a, b *operation) int { return history.CompareOps(a.event.Op, b.event.Op) })
	var out []Step
	for _, op := range r.steps {
		s := *op.step
		s.Epoch = r.epoch
		out = append(out, s)
	}
	return out
}

// suspends reports whether these events of one segment hold a suspension by the worker.
func suspends(events []history.Event) bool {
	for i := range events {
		if e := &events[i]; e.Kind == history.ExecutionSuspended && e.MessageID == "" {
			return true
		}
	}
	return false
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}
