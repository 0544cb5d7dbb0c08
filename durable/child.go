package durable

import (
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// ChildOption is how a sub-orchestration is to be started: what ID and Tag return, a Version, or a ParentClose.
type ChildOption interface{ applyChild(*childRequest) }

// CommonOption is a StartOption and a ChildOption.
type CommonOption interface {
	StartOption
	ChildOption
}

type childRequest struct {
	StartRequest
	close ParentClose
}

func (f startOption) applyChild(r *childRequest) { f(&r.StartRequest) }
func (v Version) applyChild(r *childRequest)     { r.Version = uint32(v) }
func (p ParentClose) applyChild(r *childRequest) { r.close = p }

// ParentClose is a ChildOption: what becomes of a child that still runs when the orchestration that started it ends, or continues
// as new. Whatever it is, a recursive terminate is for all children.
type ParentClose uint8

const (
	// AbandonChild lets it run: what it comes to is of interest to nobody. So it is without an option.
	AbandonChild ParentClose = iota
	// TerminateChild terminates it.
	TerminateChild
	// WaitForChild has the parent not end before the child has: when its code returns, the children are waited for first. A parent
	// that is terminated abandons it.
	WaitForChild
)

// Child is a sub-orchestration that was started: a future of its output.
type Child[O any] struct {
	*Future[O]
	id string
}

// ID is the instance id of the child.
func (c *Child[O]) ID() string { return c.id }

// Call runs the orchestration as a sub-orchestration, and waits for its output. The error is an *OrchestrationError; errors.Is finds
// the kinds of what the child failed with, InstanceExists when its id was taken, and InstanceTerminated. Or it is ErrCanceled or
// ErrTimeout, when ctx's scope was over before: a child that was started goes on then.
func (o Orchestration[I, O]) Call(ctx Context, in I, opts ...ChildOption) (O, error) {
	return o.Start(ctx, in, opts...).Await()
}

// Start starts the orchestration as a sub-orchestration: an instance of its own, which the future waits for. Without ID it gets an
// id that is derived from its parent's, and that no other child has. An id whose instance has ended is used again; one whose
// instance runs makes the child fail, as InstanceExists. A child whose future nobody waits for still runs: fire and forget.
func (o Orchestration[I, O]) Start(ctx Context, in I, opts ...ChildOption) *Child[O] {
	if err := ctx.Err(); err != nil {
		return &Child[O]{failed[O](ctx, err), ""}
	}
	r := childRequest{StartRequest: StartRequest{Name: o.name, Version: o.CurrentVersion()}}
	for _, opt := range opts {
		opt.applyChild(&r)
	}
	refused := func(err error, kinds ...ErrorKind) *Child[O] {
		e := &OrchestrationError{Instance: r.ID, Status: Failed, Message: err.Error(), Kinds: kinds, causes: []error{err}}
		if len(kinds) > 0 {
			e.Kind = kinds[0]
		}
		return &Child[O]{failed[O](ctx, e), r.ID}
	}
	if err := r.check(); err != nil {
		return refused(err)
	}
	if r.ID == ctx.InstanceID() {
		return refused(errors.New("a child cannot have the id of its parent"), InstanceExists)
	}
	child := replay.Child{Name: o.name, Version: r.Version, ID: r.ID, Input: func() ([]byte, error) { return encode(in, ctx.run.MaxPayload()) }}
	if len(r.Tags) > 0 {
		child.Start = &history.Start{Tags: r.Tags}
	}
	child.Wait = r.close == WaitForChild
	if r.close == TerminateChild {
		child.Close = history.Terminate
	}
	p, id, err := ctx.run.Child(child)
	if err != nil {
		return refused(fmt.Errorf("its input cannot be sent: %w", err))
	}
	f := new(Future[O])
	f.expect(ctx, p, id, &childTold)
	return &Child[O]{f, id}
}

var childTold = told{failed: childError, unread: func(id string, err error) error {
	return &OrchestrationError{Instance: id, Status: Completed, Message: err.Error(), causes: []error{err}}
}}

// check refuses what no child can have.
func (r *childRequest) check() error {
	if r.ID != "" {
		if err := history.CheckInstanceID(r.ID); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	return history.CheckTags(r.Tags)
}

// childError is the error of a child, from what its parent's history has.
func childError(id string, f *history.Failure) error {
	e := &OrchestrationError{Instance: id, Status: Failed, Kind: ErrorKind(f.Kind), Message: f.Message, Kinds: appendKinds(nil, f), Properties: f.Properties,
		causes: causesOf(f)}
	if e.Kind == InstanceTerminated && len(f.Causes) == 0 { // itself, and not a child of its own
		e.Status = Terminated
	}
	return e
}

// Send tells another instance, which must run: an orchestration that does not exist, or has ended, gets nothing, and the sender does
// not learn of it. It is sent when the turn is committed, and arrives once, in the order in which this instance sends.
func (e Event[T]) Send(ctx Context, instance string, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := history.CheckInstanceID(instance); err != nil {
		return fmt.Errorf("%w: event %s cannot be sent: %w", ErrInvalid, e.name, err)
	}
	err := ctx.run.Send(e.name, instance, func() ([]byte, error) { return encode(v, ctx.run.MaxPayload()) })
	if err != nil {
		return fmt.Errorf("event %s cannot be sent: %w", e.name, err)
	}
	return nil
}
