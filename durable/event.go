package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Event is the contract of an external event: something that somebody tells an instance while it runs. Names are
// case-insensitive. The zero value is not valid.
type Event[T any] struct{ name string }

// NewEvent declares an external event. It panics when the name can never be right.
func NewEvent[T any](name string) Event[T] {
	mustName("event", name)
	return Event[T]{name}
}

// Name is the event's name on the wire.
func (e Event[T]) Name() string { return e.name }

// Next returns a future of the next event: the oldest that nobody has taken, or the next to come. Of several futures that
// wait, the newest gets it. A future that nobody looks at any more still takes an event: use Within, or WithCancel, to give up.
func (e Event[T]) Next(ctx Context) *Future[T] {
	if err := ctx.Err(); err != nil {
		return failed[T](ctx, err)
	}
	p := ctx.run.Event(e.name)
	ctx.run.Watch(ctx.scope, p, func() { ctx.run.Forget(e.name, p) })
	return &Future[T]{run: ctx.run, wait: p, get: func() (T, error) {
		v, err := decode[T](p.Outcome().Data.Bytes)
		if err != nil {
			err = fmt.Errorf("what event %s brought is no %T: %w", e.name, v, err)
		}
		return v, err
	}}
}

// Within waits for the next event for at most d; then it is ErrTimeout, and a later event is kept for the next wait. So it is
// with ErrCanceled and ErrTimeout when ctx's scope is over.
func (e Event[T]) Within(ctx Context, d time.Duration) (T, error) {
	next := e.Next(ctx)
	if next.Ready() {
		return next.Await()
	}
	deadline, timer := after(ctx, d)
	if First(ctx, next, deadline) == Awaitable(deadline) {
		ctx.run.Forget(e.name, next.wait)
		var none T
		return none, ErrTimeout
	}
	ctx.run.Cancel(timer)
	return next.Await()
}

// Raise tells the instance. It returns when the event is on its way. ErrNotFound, ErrEnded.
func (e Event[T]) Raise(ctx context.Context, c Client, instance string, v T) error {
	data, err := json.Marshal(v)
	if err != nil {
		return errors.Join(ErrInvalid, err)
	}
	return c.Raise(ctx, EventRequest{Instance: instance, Name: e.name, Data: data})
}
