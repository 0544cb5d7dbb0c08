package durable

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/code"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// Activity is the contract of an activity: a function that may do anything, and runs at least once for each call, unless
// it is AtMostOnce. The zero value is not valid.
type Activity[I, O any] struct {
	name   string
	policy *history.Policy // shared by all calls, and never changed
}

// ActivityOption is part of an activity's contract: Retry, AtMostOnce, Async, or what Timeout,
// Deadline and HeartbeatTimeout return.
type ActivityOption interface{ apply(*history.Policy) }

// NewActivity declares an activity. It panics when the name or an option can never be right.
func NewActivity[I, O any](name string, opts ...ActivityOption) Activity[I, O] {
	mustName("activity", name)
	return Activity[I, O]{name, new(history.Policy)}.With(opts...)
}

// With returns the activity with options changed, for some of its calls: the policy that a call is made with goes along with it.
// What a worker checks when it starts is the policy of the contract that was bound, so that a call that With asks more time for
// than a function has fails only when it is made, as NotRunnable.
func (a Activity[I, O]) With(opts ...ActivityOption) Activity[I, O] {
	policy := *a.policy
	for _, o := range opts {
		o.apply(&policy)
	}
	if policy.AtMostOnce && policy.Attempts > 1 {
		panic("durable: activity " + a.name + " is AtMostOnce and has more than one attempt: leave out one of the two")
	}
	return Activity[I, O]{a.name, &policy}
}

// Name is the activity's name on the wire.
func (a Activity[I, O]) Name() string { return a.name }

// Call runs the activity and waits for its result. The error is an *ActivityError; or ErrCanceled or ErrTimeout, when ctx's
// scope was over before: the activity, if it was asked for, goes on then, and nobody waits for its outcome.
func (a Activity[I, O]) Call(ctx Context, in I) (O, error) {
	var f Future[O] // which needs no memory of its own
	a.start(ctx, in, &f)
	return f.Await()
}

// Start asks for the activity; its future gets the result. A call whose future nobody waits for is still made.
func (a Activity[I, O]) Start(ctx Context, in I) *Future[O] {
	f := new(Future[O])
	a.start(ctx, in, f)
	return f
}

func (a Activity[I, O]) start(ctx Context, in I, f *Future[O]) {
	if err := ctx.Err(); err != nil {
		f.fail(ctx, err)
		return
	}
	p, err := ctx.run.Activity(a.name, func() ([]byte, error) { return encode(in, ctx.run.MaxPayload()) }, a.policy)
	if err != nil {
		f.fail(ctx, unusable(a.name, fmt.Errorf("its input cannot be sent: %w", err)))
		return
	}
	f.expect(ctx, p, a.name, &activityTold)
}

var activityTold = told{failed: func(_ string, f *history.Failure) error { return activityError(f) }, unread: unusable}

// Compensate registers the call as an undoing with the saga.
func (a Activity[I, O]) Compensate(s *Saga, in I) {
	s.Add(func() error {
		_, err := a.Call(s.ctx, in)
		return err
	})
}

// Bind gives the activity its body. The context ends with the attempt's time-out, or sooner: its Cause says why. Attempt,
// IdempotencyKey, InstanceID, Heartbeat, LastHeartbeat and Token read it.
func (a Activity[I, O]) Bind(body func(context.Context, I) (O, error)) Handler {
	mustBody("activity", a.name, body == nil)
	return Handler{Kind: code.Activity, Name: a.name, Policy: a.policy, Do: func(ctx context.Context, input []byte) ([]byte, *history.Failure) {
		in, err := decode[I](input)
		if err != nil {
			return nil, toFailure(Permanent(fmt.Errorf("the input is no %T: %w", in, err)))
		}
		return invoke(ctx, func() (O, error) { return body(ctx, in) })
	}}
}

// invoke runs a body that may panic, and encodes what it returns. A panic's stack goes to the log and into the history, and no further: the
// failure's text is shown to whoever may see the instance.
func invoke[O any](ctx context.Context, body func() (O, error)) (output []byte, failure *history.Failure) {
	defer func() {
		if p := recover(); p != nil {
			stack := debug.Stack()
			if log := info(ctx).Log; log != nil {
				log.Error("an activity or step panicked", "panic", p, "stack", "\n"+string(stack))
			}
			failure = &history.Failure{Kind: string(ActivityPanicked),
				Message: cut(fmt.Sprintf("panic: %v%s", p, replay.PanicPlace(stack)), history.MaxMessage),
				Stack:   cut(replay.PanicStack(stack, "durable.invoke"), history.MaxStack)}
		}
	}()
	v, err := body()
	if errors.Is(err, ErrPending) {
		return nil, code.Pending
	}
	if err != nil {
		return nil, toFailure(err)
	}
	b, err := encode(v, info(ctx).MaxPayload)
	if err != nil {
		return nil, toFailure(Permanent(fmt.Errorf("the result cannot be kept: %w", err)))
	}
	return b, nil
}

// Retry is an ActivityOption: how often and after which pauses a failed attempt is made again. Retrying happens where the
// activity runs and costs the orchestration nothing. Without it there is one attempt.
type Retry struct {
	// Attempts counts the first one, as in Durable Functions.
	Attempts int
	// Initial is the pause before the second attempt; each one after is Factor times as long (0: 1), at most Cap (0: no cap).
	Initial time.Duration
	Factor  float64
	Cap     time.Duration
	// Jitter is a share, from 0 to 1: each pause is shorter by up to so much of it, so that what failed together does not come back
	// together. How much depends on the call and the attempt only. With 0 a pause is longer by up to a tenth.
	Jitter float64
	// NonRetryable lists kinds of errors that are final. Permanent errors always are.
	NonRetryable []ErrorKind
}

// check says why it can never be right.
func (r Retry) check() error {
	switch {
	case r.Attempts < 1 || r.Initial < 0 || r.Cap < 0 || r.Factor < 0 || math.IsNaN(r.Factor):
		return fmt.Errorf("durable.Retry: %+v: attempts start at 1, and nothing may be negative", r)
	case !(r.Jitter >= 0 && r.Jitter <= 1):
		return fmt.Errorf("durable.Retry: its jitter is %v, which is not between 0 and 1", r.Jitter)
	case len(r.NonRetryable) > maxKinds:
		return fmt.Errorf("durable.Retry: it names %d kinds of errors, at most %d are allowed", len(r.NonRetryable), maxKinds)
	}
	return nil
}

func (r Retry) apply(p *history.Policy) {
	if err := r.check(); err != nil {
		panic(err.Error())
	}
	p.Attempts, p.Initial, p.Factor, p.Cap, p.Jitter = uint32(min(int64(r.Attempts), math.MaxUint32)), r.Initial, r.Factor, r.Cap, r.Jitter
	p.NonRetryable = nil
	for _, k := range r.NonRetryable {
		p.NonRetryable = append(p.NonRetryable, string(k))
	}
}

type timeout time.Duration

func (t timeout) apply(p *history.Policy) { p.Timeout = time.Duration(t) }

// Timeout is an ActivityOption: how long one attempt may take; 5 minutes without it.
func Timeout(d time.Duration) ActivityOption {
	if d <= 0 {
		panic("durable.Timeout: it must be positive")
	}
	return timeout(d)
}

type deadline time.Duration

func (d deadline) apply(p *history.Policy) { p.Deadline = time.Duration(d) }

// Deadline is an ActivityOption: how long all attempts together may take, waiting and pauses included, counted from when the
// orchestration asked. No attempt begins after it, one that runs ends with it, and a pause that would pass it is not waited
// for: the call fails at once, as ActivityTimedOut. Clocks of workers that differ make it so much earlier or later.
func Deadline(d time.Duration) ActivityOption {
	if d <= 0 {
		panic("durable.Deadline: it must be positive")
	}
	return deadline(d)
}

type heartbeatTimeout time.Duration

func (h heartbeatTimeout) apply(p *history.Policy) { p.Heartbeat = time.Duration(h) }

// HeartbeatTimeout is an ActivityOption: how long the body may go without calling Heartbeat. After such a silence the
// attempt's context ends, and what the body then returns as an error is ActivityTimedOut. A worker that died is noticed so
// soon, too, and half a minute later, instead of after the whole time-out. And the body learns that it is canceled.
func HeartbeatTimeout(d time.Duration) ActivityOption {
	if d <= 0 {
		panic("durable.HeartbeatTimeout: it must be positive")
	}
	return heartbeatTimeout(d)
}

type atMostOnce struct{}

func (atMostOnce) apply(p *history.Policy)         { p.AtMostOnce = true }
func (atMostOnce) applyStep(o *replay.StepOptions) { o.AtMostOnce = true }

// AtMostOnce is an ActivityOption: the body is begun once or never, whatever crashes. Where another delivery finds it begun
// already, the call fails as OutcomeUnknown: it may have had effects, all or none. There are no retries.
//
// It is a StepOption as well: the history has the start of the step before the step runs. Who finds it there, after a crash, does not
// run it, and the step fails as OutcomeUnknown.
var AtMostOnce interface {
	ActivityOption
	StepOption
} = atMostOnce{}

// mustBody refuses a Bind of nothing, and of a contract that nobody has made: with a worker's start, and not at the first call.
func mustBody(what, name string, missing bool) {
	mustName(what, name)
	if missing {
		panic("durable: " + what + " " + name + " is bound to nil: give Bind the function that it is to run")
	}
}

func mustName(what, name string) {
	if err := history.CheckName(what, name); err != nil {
		panic("durable: " + err.Error())
	}
}
