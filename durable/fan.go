package durable

import (
	"iter"
	"slices"

	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// AsCompleted yields the futures as they become ready, in that order; of those that are ready together, the first argument first.
// It waits for the next one each time that the loop comes round, and for none after a break.
//
//	for f := range durable.AsCompleted(ctx, futures...) {
//		v, err := f.Await()
//		…
//	}
func AsCompleted[T any](ctx Context, futures ...*Future[T]) iter.Seq[*Future[T]] {
	return func(yield func(*Future[T]) bool) {
		left := slices.Clone(futures)
		waits := make([]*replay.Promise, len(left))
		for i, f := range left {
			waits[i] = f.promise()
		}
		for len(left) > 0 {
			i := ctx.run.AwaitAny(waits...)
			f := left[i]
			left, waits = slices.Delete(left, i, i+1), slices.Delete(waits, i, i+1)
			if !yield(f) {
				return
			}
		}
	}
}

// All yields the events as they come, for ever: break when there were enough. Each is waited for when the loop comes round. The
// error of a scope that is over is the last that it yields.
func (e Event[T]) All(ctx Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := e.Next(ctx).Await()
			if !yield(v, err) || err != nil && err == ctx.Err() {
				return
			}
		}
	}
}
