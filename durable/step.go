package durable

import (
	"context"
	"errors"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/code"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// StepOption is how a step is run: AtMostOnce or Checkpoint.
type StepOption interface{ applyStep(*replay.StepOptions) }

type checkpoint struct{}

func (checkpoint) applyStep(o *replay.StepOptions) { o.Checkpoint = true }

// Checkpoint is a StepOption: the step's outcome is committed before another step runs, so that a crash repeats no more than one of
// them. Without it the steps that run one after another, for up to a second, are committed together.
var Checkpoint StepOption = checkpoint{}

// Step runs f in the orchestrator's own process and keeps its result in the history: an activity without a message. It
// runs at least once: again, when the process is lost before the turn is committed. The error is an *ActivityError that
// carries the step's name. f should take seconds at most, and honours its context. When ctx's scope is over, it does not run:
// ErrCanceled or ErrTimeout. One that was asked for before runs to its end.
func Step[T any](ctx Context, name string, f func(context.Context) (T, error), opts ...StepOption) (T, error) {
	if err := history.CheckName("step", name); err != nil {
		ctx.run.Refuse(err)
	}
	if err := ctx.Err(); err != nil {
		var none T
		return none, err
	}
	var o replay.StepOptions
	for _, opt := range opts {
		opt.applyStep(&o)
	}
	p := ctx.run.Step(name, o, func(c context.Context) ([]byte, *history.Failure) {
		output, failure := invoke(c, func() (T, error) { return f(c) })
		if failure == code.Pending {
			failure = toFailure(Permanent(errors.New("a step returned ErrPending: only an activity that is Async can leave its outcome to somebody else")))
		}
		return output, failure
	})
	var fut Future[T]
	fut.expect(Detached(ctx), p, name, &activityTold)
	return fut.Await()
}

// InlineActivity is an activity that is run as a step: what Inline returns.
type InlineActivity[I, O any] struct {
	activity Activity[I, O]
	body     func(context.Context, I) (O, error)
}

// Inline gives the activity a body that the orchestrator's own process runs, as a Step of the activity's name: for what takes
// milliseconds, where there is no need for a queue. Of the contract's options only AtMostOnce holds: there is one attempt, without
// time-out, and the input is not kept.
//
//	price := GetPrice.Inline(prices.Get)
//	… price.Call(ctx, article)
func (a Activity[I, O]) Inline(body func(context.Context, I) (O, error)) InlineActivity[I, O] {
	return InlineActivity[I, O]{a, body}
}

// Call runs the step.
func (a InlineActivity[I, O]) Call(ctx Context, in I) (O, error) {
	var opts []StepOption
	if a.activity.policy.AtMostOnce {
		opts = append(opts, AtMostOnce)
	}
	return Step(ctx, a.activity.name, func(c context.Context) (O, error) { return a.body(c, in) }, opts...)
}
