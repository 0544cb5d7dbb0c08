package durable

import (
	"errors"
	"fmt"
)

// ContinueAsNew ends this run of the orchestration and begins it anew with another input, under the same id and with an empty
// history: return its error. What an eternal orchestration does instead of a loop, whose history would grow for ever:
//
//	return none, Monitor.ContinueAsNew(ctx, next)
//
// Events that the code has not taken are kept for the new run, unless DropEvents is given. Activities that nobody has waited for
// are made; timers are abandoned. Tags and the parent stay, the custom status as well until it is set anew. A Saga undoes nothing.
// The new run is of the same version, unless Version says another. An input that cannot be kept is an ordinary error.
func (o Orchestration[I, O]) ContinueAsNew(ctx Context, in I, opts ...RenewOption) error {
	data, err := encode(in, ctx.run.MaxPayload())
	if err != nil {
		return fmt.Errorf("%s cannot continue as new: its input cannot be kept: %w", o.name, err)
	}
	if name := ctx.run.Name(); name != o.name {
		ctx.run.Refuse(fmt.Errorf("%s was asked to continue as new by a run of %s: an orchestration can only continue as itself", o.name, name))
	}
	r := &renewal{version: ctx.run.Version(), input: data, keep: true}
	for _, opt := range opts {
		opt.applyRenew(r)
	}
	return r
}

// RenewOption changes how an orchestration continues as new: DropEvents, or what Version returns.
type RenewOption interface{ applyRenew(*renewal) }

type dropEvents struct{}

func (dropEvents) applyRenew(r *renewal) { r.keep = false }

// DropEvents is a RenewOption: the new run does not get the events that this one has not taken.
var DropEvents RenewOption = dropEvents{}

// renewal is the error by which an orchestration's code continues as new.
type renewal struct {
	version uint32
	input   []byte
	keep    bool
}

func (*renewal) Error() string {
	return "the orchestration continues as new: its code is to return this error"
}

// renews reports whether err is that of ContinueAsNew.
func renews(err error) (*renewal, bool) {
	var r *renewal
	ok := errors.As(err, &r)
	return r, ok
}
