package durable

import "errors"

// Saga remembers how to undo what an orchestration has done, and does so in reverse order when it fails:
//
//	saga := durable.NewSaga(ctx)
//	defer saga.End(&err)
//	ReleaseStock.Compensate(saga, order.ID) // before the call: an outcome that nobody knows is undone too
//	if _, err := ReserveStock.Call(ctx, order); err != nil { return err }
type Saga struct {
	ctx  Context
	undo []func() error
}

// NewSaga begins a saga. What Compensate registers runs Detached: also when ctx's scope is over.
func NewSaga(ctx Context) *Saga { return &Saga{ctx: Detached(ctx)} }

// Add registers an undoing. Activity.Compensate is shorter where it is a call of an activity.
func (s *Saga) Add(undo func() error) { s.undo = append(s.undo, undo) }

// End undoes everything registered, last first, when *err is an error, and joins what went wrong in doing so to it. It is
// to be deferred with the address of the function's named result, and does nothing while a turn is merely unwound, or when the
// orchestration continues as new.
// A second call does nothing.
func (s *Saga) End(err *error) {
	if s.ctx.Unwinding() || *err == nil {
		return
	}
	if _, ok := renews(*err); ok {
		return
	}
	undo := s.undo
	s.undo = nil
	for i := len(undo) - 1; i >= 0; i-- {
		if e := undo[i](); e != nil {
			*err = errors.Join(*err, e)
		}
	}
}
