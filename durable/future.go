package durable

import (
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// Awaitable is what First can wait for: any Future.
type Awaitable interface {
	// Ready reports whether Await would return at once.
	Ready() bool
	promise() *replay.Promise
}

// Future is the outcome of an operation that may still be under way. It belongs to the orchestration that made it.
type Future[T any] struct {
	run  *replay.Run
	wait *replay.Promise
	get  func() (T, error) // nil: what came of an operation is read, and errors are told of its name
	name string
	told *told
	done bool
	v    T
	err  error
}

// told is how errors are told of an operation: that it failed, and that its result is no T.
type told struct {
	failed func(name string, f *history.Failure) error
	unread func(name string, err error) error
}

// Ready reports whether Await would return at once.
func (f *Future[T]) Ready() bool { return f.done || f.wait.Done() }

func (f *Future[T]) promise() *replay.Promise { return f.wait }

// Await waits for the outcome and returns it; every call returns the same. ErrCanceled or ErrTimeout: the scope that the
// operation was asked for in was over before there was one.
func (f *Future[T]) Await() (T, error) {
	if !f.done {
		f.run.Await(f.wait)
	}
	if !f.done { // another coroutine may have been here meanwhile
		switch f.err = f.wait.Err(); {
		case f.err != nil:
		case f.get != nil:
			f.v, f.err = f.get()
		default:
			f.v, f.err = f.read(f.wait.Outcome())
		}
		f.done, f.get = true, nil
	}
	return f.v, f.err
}

// read reads what came of an operation: JSON, or a failure.
func (f *Future[T]) read(e *history.Event) (v T, err error) {
	if e.Failure != nil {
		return v, f.told.failed(f.name, e.Failure)
	}
	if v, err = decode[T](e.Data.Bytes); err != nil {
		err = f.told.unread(f.name, fmt.Errorf("the result is no %T: %w", v, err))
	}
	return v, err
}

// fail makes f one whose operation could not even be asked for.
func (f *Future[T]) fail(ctx Context, err error) {
	f.run, f.wait, f.done, f.err = ctx.run, replay.Completed(), true, err
}

func failed[T any](ctx Context, err error) *Future[T] {
	f := new(Future[T])
	f.fail(ctx, err)
	return f
}

// expect makes f the future of an operation's outcome. It is given up with the context's scope.
func (f *Future[T]) expect(ctx Context, p *replay.Promise, name string, t *told) {
	ctx.run.Watch(ctx.scope, p, nil)
	f.run, f.wait, f.name, f.told = ctx.run, p, name, t
}

// First waits until one of the futures is ready and returns it, to be told by identity; of several that are ready, the
// first argument. One whose scope is over is ready.
//
//	switch durable.First(ctx, answer, deadline) {
//	case answer: …
//	case deadline: …
//	}
func First(ctx Context, futures ...Awaitable) Awaitable {
	if len(futures) == 0 {
		ctx.run.Refuse(errors.New("durable.First was called without futures: it would wait for ever"))
	}
	promises := make([]*replay.Promise, len(futures))
	for i, f := range futures {
		promises[i] = f.promise()
	}
	return futures[ctx.run.AwaitAny(promises...)]
}

// All waits for all futures and returns their values in order. The error joins those of all that failed; the values of
// the others are there.
func All[T any](ctx Context, futures ...*Future[T]) ([]T, error) {
	values := make([]T, len(futures))
	var errs []error
	for i, f := range futures {
		v, err := f.Await()
		values[i] = v
		if err != nil {
			errs = append(errs, err)
		}
	}
	return values, errors.Join(errs...)
}

// Go runs f in a coroutine of its own, deterministically interleaved with the others: only one runs at a time, and it
// changes only where one waits. An f that still waits when the orchestration returns is unwound. What f waits for ends with
// ctx's scope; the future is ready when f has returned.
func Go[T any](ctx Context, f func(Context) (T, error)) *Future[T] {
	fut := &Future[T]{run: ctx.run}
	var v T
	var err error
	fut.get = func() (T, error) { return v, err }
	fut.wait = ctx.run.Go(func() { v, err = f(ctx) })
	return fut
}
