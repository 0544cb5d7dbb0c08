package durable

import (
	"context"
	"errors"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/code"
)

// Step runs f in the orchestrator's own process and keeps its result in the history: an activity without a message. It
// runs at least once: again, when the process is lost before the turn is committed. The error is an *ActivityError that
// carries the step's name. f should take seconds at most, and honours its context. When ctx's scope is over, it does not run:
// ErrCanceled or ErrTimeout. One that was asked for before runs to its end.
func Step[T any](ctx Context, name string, f func(context.Context) (T, error)) (T, error) {
	if err := history.CheckName("step", name); err != nil {
		ctx.run.Refuse(err)
	}
	if err := ctx.Err(); err != nil {
		var none T
		return none, err
	}
	p := ctx.run.Step(name, func(c context.Context) ([]byte, *history.Failure) {
		output, failure := invoke(c, func() (T, error) { return f(c) })
		if failure == code.Pending {
			failure = toFailure(Permanent(errors.New("a step returned ErrPending: only an activity that is Async can leave its outcome to somebody else")))
		}
		return output, failure
	})
	return outcome[T](Detached(ctx), p, activityError).Await()
}
