package durable

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Run is one instance of an orchestration, as its starter sees it.
type Run[O any] struct {
	client Client
	ref    InstanceRef
}

// ID is the id of the instance.
func (r Run[O]) ID() string { return r.ref.ID }

// Status reads the instance. ErrNotFound.
func (r Run[O]) Status(ctx context.Context) (Instance, error) { return r.client.Get(ctx, r.ref.ID) }

// Started polls until the instance is no longer Pending, or ctx ends, and returns what it is then: its code has begun, unless it was
// terminated before. ErrNotFound.
func (r Run[O]) Started(ctx context.Context) (Instance, error) {
	return r.until(ctx, func(in Instance) bool { return in.Status != Pending })
}

// Wait polls until the instance has ended, or ctx does, and returns its output. An instance that failed is an
// *OrchestrationError; one that is suspended is waited for.
func (r Run[O]) Wait(ctx context.Context) (out O, err error) {
	in, err := r.until(ctx, func(in Instance) bool { return in.Status.Ended() })
	switch {
	case err != nil:
		return out, err
	case in.Status == Completed:
		if out, err = decode[O](in.Output); err != nil {
			err = fmt.Errorf("the output of instance %s is no %T: %w", r.ref.ID, out, err)
		}
		return out, err
	}
	return out, newOrchestrationError(in)
}

// until polls until the instance is as it should be.
func (r Run[O]) until(ctx context.Context, done func(Instance) bool) (Instance, error) {
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		in, err := r.client.Get(ctx, r.ref.ID, NoInput)
		if err != nil {
			return in, err
		}
		if in.Incarnation != r.ref.Incarnation {
			return in, fmt.Errorf("instance %s was replaced by a newer one: %w", r.ref.ID, ErrNotFound)
		}
		if done(in) {
			return in, nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return in, ctx.Err()
		case <-timer.C:
		}
	}
}

// OrchestrationError is why an instance did not complete.
type OrchestrationError struct {
	Instance string
	Status   Status
	Kind     ErrorKind
	Message  string
	Kinds    []ErrorKind
	// Properties are those of the error that the orchestration returned: see WithProperties.
	Properties map[string]string

	causes []error
}

func newOrchestrationError(in Instance) *OrchestrationError {
	e := &OrchestrationError{Instance: in.ID, Status: in.Status, Message: string(in.Output)}
	if text, err := decode[string](in.Output); err == nil {
		e.Message = text
	}
	if in.Failure != nil {
		e.Kind, e.Message, e.Kinds = ErrorKind(in.Failure.Kind), in.Failure.Message, appendKinds(nil, in.Failure)
		e.Properties, e.causes = in.Failure.Properties, causesOf(in.Failure)
	}
	if in.Status == Terminated {
		e.Kind, e.Kinds = InstanceTerminated, []ErrorKind{InstanceTerminated}
	}
	return e
}

// Unwrap returns what the error goes back to: the ActivityErrors and OrchestrationErrors that the orchestration's error wrapped, or
// the error that kept a sub-orchestration from being started.
func (e *OrchestrationError) Unwrap() []error { return e.causes }

func (e *OrchestrationError) Error() string {
	return fmt.Sprintf("instance %s is %s: %s", e.Instance, e.Status, e.Message)
}

// Is reports whether target is one of the error's kinds.
func (e *OrchestrationError) Is(target error) bool {
	return isKind(e.Kinds, target)
}

// isKind reports whether target is one of kinds.
func isKind(kinds []ErrorKind, target error) bool {
	kind, ok := target.(ErrorKind)
	return ok && slices.Contains(kinds, kind)
}
