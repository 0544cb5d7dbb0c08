package replay

import (
	"context"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// StepOptions are how a step is to be run.
type StepOptions struct {
	// AtMostOnce: that it begins is in the history before it does.
	AtMostOnce bool
	// Checkpoint: its outcome is in the history before another step runs.
	Checkpoint bool
}

// Step is an inline activity that the code waits for: the caller runs it and delivers its outcome.
type Step struct {
	StepOptions
	Op, Name string
	Epoch    uint32
	Run      func(context.Context) ([]byte, *history.Failure)
	// Begun: the history has its start. Who has read it there does not run it.
	Begun bool
}

// Step asks for an inline activity: the turn's caller runs it while every coroutine waits. The history has its outcome
// only, in the turn that asked for it, unless the instance was suspended, or ended, before the step could run; and before that the
// start of one that is to run at most once.
func (r *Run) Step(name string, opt StepOptions, run func(context.Context) ([]byte, *history.Failure)) *Promise {
	r.alive()
	r.own()
	path := r.nextPath()
	op := r.ops.get(string(path))
	if op == nil {
		if op = r.recall(string(path), name, func(c *history.Event) bool { return c == nil }); op != nil {
			return &op.promise
		}
	}
	last := r.group() // the turn in which it must have run
	for r.groups[last].stopped {
		last++
	}
	switch {
	case op == nil && r.groups[last].closed:
		r.fail(&Mismatch{Asked: "the code asked for step " + name + " (operation " + string(path) + ")", Source: source()})
	case op == nil:
		r.count()
		op = &operation{event: &history.Event{Op: string(path)}}
		r.ops.put(op.event.Op, op)
	case !op.event.Kind.IsInput() || op.event.Name != name:
		r.fail(&Mismatch{Recorded: op.event, Number: op.number, Asked: "the code asked for step " + name, Source: source()})
	case op.group > last:
		r.fail(&Mismatch{Recorded: op.event, Number: op.number, Asked: "the code asked for step " + name + " in an earlier turn", Source: source()})
	default:
		r.unrun--
	}
	begun := r.begun(string(path), name, last)
	op.event = &history.Event{Kind: history.StepStarted, Op: op.event.Op, Name: name}
	op.asked, op.step = true, &Step{Op: op.event.Op, Name: name, Run: run, StepOptions: opt, Begun: begun}
	r.steps = append(r.steps, op)
	return &op.promise
}

// begunKey is where the start of a step is found.
func begunKey(path string) string { return path + "#begun" }

// begun reports whether the history has the start of a step that the code asks for: in the turn in which it must have run, at the
// latest.
func (r *Run) begun(path, name string, last int) bool {
	if r.starts == 0 {
		return false
	}
	op := r.ops.get(begunKey(path))
	if op == nil {
		return false
	}
	if op.event.Name != name || op.group > last {
		r.fail(&Mismatch{Recorded: op.event, Number: op.number, Asked: "the code asked for step " + name, Source: source()})
	}
	r.starts--
	r.seen(op)
	return true
}
