package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/code"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// Orchestration is the contract of an orchestration. The zero value is not valid.
type Orchestration[I, O any] struct {
	name    string
	version uint32
	current uint32
	chosen  bool // version is one that Version was given
}

// OrchestrationOption is part of an orchestration's contract: what CurrentVersion returns.
type OrchestrationOption interface{ applyOrchestration(*uint32) }

// NewOrchestration declares an orchestration. It panics when the name can never be right.
func NewOrchestration[I, O any](name string, opts ...OrchestrationOption) Orchestration[I, O] {
	mustName("orchestration", name)
	o := Orchestration[I, O]{name: name}
	for _, opt := range opts {
		opt.applyOrchestration(&o.current)
	}
	return o
}

type currentVersion uint32

func (v currentVersion) applyOrchestration(current *uint32) { *current = uint32(v) }

// CurrentVersion is an OrchestrationOption: the version of new instances for which nobody names another, as sub-orchestrations and over
// HTTP, too. 0 without it. What runs goes on with the version that it began with: bind the bodies of all versions of which there
// are instances, and deploy the worker that has the new one before the starter that names it.
//
//	var Order = durable.NewOrchestration[Cart, Receipt]("Order", durable.CurrentVersion(2))
//	worker: Order.Bind(first), Order.Version(2).Bind(second)
func CurrentVersion(n uint32) OrchestrationOption { return currentVersion(n) }

// Version is the contract of that version of the orchestration: to be bound to the code that instances of it run, beside other
// versions, and to start instances of it. Bound without, the contract is version 0.
func (o Orchestration[I, O]) Version(n uint32) Orchestration[I, O] {
	o.version, o.chosen = n, true
	return o
}

// CurrentVersion is that of new instances for which nobody names another: what Version was given, or else the contract's.
func (o Orchestration[I, O]) CurrentVersion() uint32 {
	if o.chosen {
		return o.version
	}
	return o.current
}

// Name is the orchestration's name on the wire.
func (o Orchestration[I, O]) Name() string { return o.name }

// Bind gives the orchestration its body.
func (o Orchestration[I, O]) Bind(body func(Context, I) (O, error)) Handler {
	mustBody("orchestration", o.name, body == nil)
	return Handler{Kind: code.Orchestration, Name: o.name, Version: o.version, Current: o.current, Check: o.CheckInput, Run: func(run *replay.Run, input []byte) ([]byte, *history.Failure) {
		in, err := decode[I](input)
		if err != nil {
			return nil, toFailure(fmt.Errorf("the input is no %T: %w", in, err))
		}
		out, err := body(Context{run: run}, in)
		run.Finish()
		if r, ok := renews(err); ok {
			run.ContinueAsNew(r.version, r.input, r.keep)
			return nil, nil
		}
		if err != nil {
			return nil, toFailure(err)
		}
		b, err := encode(out, run.MaxPayload())
		if err != nil {
			return nil, toFailure(fmt.Errorf("the output cannot be kept: %w", err))
		}
		return b, nil
	}}
}

// DecodeInput reads an input of this orchestration, as in Instance.Input.
func (o Orchestration[I, O]) DecodeInput(input json.RawMessage) (I, error) { return decode[I](input) }

// CheckInput returns the input as the orchestration will read it, or why it cannot.
func (o Orchestration[I, O]) CheckInput(input json.RawMessage) (json.RawMessage, error) {
	v, err := decode[I](input)
	if err != nil {
		return nil, err
	}
	var direct I
	if len(input) == 0 || json.Unmarshal(input, &direct) == nil {
		return input, nil
	}
	return json.Marshal(v)
}

// Submit starts an instance. When it returns nil the instance can be read and will run, whatever crashes. ErrExists,
// ErrInvalid.
func (o Orchestration[I, O]) Submit(ctx context.Context, c Client, in I, opts ...StartOption) (Run[O], error) {
	input, err := json.Marshal(in)
	if err != nil {
		return Run[O]{}, errors.Join(ErrInvalid, err)
	}
	req := StartRequest{Name: o.name, Version: o.CurrentVersion(), Input: input}
	for _, opt := range opts {
		opt.applyStart(&req)
	}
	ref, err := c.Start(ctx, req)
	if err != nil {
		return Run[O]{}, err
	}
	return Run[O]{client: c, ref: ref}, nil
}

// StartOption is how an instance is to be started: what ID, Tag and Version return, a Reuse, or a Conflict.
type StartOption interface{ applyStart(*StartRequest) }

type startOption func(*StartRequest)

func (f startOption) applyStart(r *StartRequest) { f(r) }

// Version is a StartOption, a ChildOption and a RenewOption: the version of the orchestration to run. 0 is the one that was bound without, whatever
// the CurrentVersion is.
type Version uint32

func (v Version) applyStart(r *StartRequest) { r.Version = uint32(v) }
func (v Version) applyRenew(r *renewal)      { r.version = uint32(v) }

// ID gives the instance this id, instead of one that is made up.
func ID(id string) CommonOption { return startOption(func(r *StartRequest) { r.ID = id }) }

// StartAt has the code begin at that time, or soon after. The instance is there at once, and Pending until then.
func StartAt(t time.Time) StartOption { return startOption(func(r *StartRequest) { r.At = t }) }

// Tenant says whom the instance is for: a customer, a team. It is the tag "tenant". Where the starts of many wait, as in a queue of SQS, a flood
// of one tenant's does not hold up the others'. Without it those of one orchestration share a place.
func Tenant(name string) CommonOption { return Tag(history.TenantTag, name) }

// Tag attaches a label to the instance.
func Tag(key, value string) CommonOption {
	return startOption(func(r *StartRequest) {
		if r.Tags == nil {
			r.Tags = map[string]string{}
		}
		r.Tags[key] = value
	})
}
