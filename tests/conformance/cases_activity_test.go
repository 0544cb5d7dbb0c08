package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// since is how long after the beginning it is.
func (e *env) since() time.Duration { return e.host.clock.Now().Sub(epoch) }

// calls is an orchestration that calls Work with its input, as the contract says.
func calls(a durable.Activity[string, string]) durable.Handler {
	return body(func(ctx durable.Context, in string) (any, error) { return a.Call(ctx, in) })
}

// attempts notes each attempt of Work and when it is, and fails those before the last.
func (e *env) attempts(last int, err error) durable.Handler {
	return works(func(ctx context.Context, in string) (string, error) {
		n := durable.Attempt(ctx)
		e.note(n, " at ", e.since())
		if n < last {
			return "", err
		}
		return "done", nil
	})
}

var activityCases = []sentence{
	{area: "activities", says: "a call returns what the activity returned", aws: true, script: func(e *env) {
		e.deploy(e.echoes(), calls(work))
		e.start("Ada")
		e.gives("Ada")
	}},
	{area: "activities", says: "calls one after another see each other's results", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			n, err := 1, error(nil)
			for range 5 {
				if n, err = double.Call(ctx, n); err != nil {
					return nil, err
				}
			}
			return n, nil
		}))
		e.start("")
		e.gives(32)
	}},
	{area: "activities", says: "a failure has the activity's name, its attempt and its text", script: func(e *env) {
		e.deploy(e.attempts(9, errors.New("out of stock")), body(func(ctx durable.Context, in string) (any, error) {
			_, err := work.Call(ctx, in)
			var failed *durable.ActivityError
			if !errors.As(err, &failed) {
				return nil, err
			}
			return fmt.Sprint(failed.Activity, ", ", failed.Attempt, ", ", failed.Message), nil
		}))
		e.start("")
		e.gives("Work, 1, out of stock")
	}},
	{area: "activities", says: "a failure that the code returns fails the instance", aws: true, script: func(e *env) {
		e.deploy(e.attempts(9, errors.New("out of stock")), calls(work))
		e.start("")
		e.fails("out of stock")
	}},
	{area: "activities", says: "without a retry policy there is one attempt", script: func(e *env) {
		e.deploy(e.attempts(2, errors.New("no")), calls(work))
		e.start("")
		e.advance(time.Hour)
		e.happened("1 at 0s")
	}},
	{area: "activities", says: "retries are as many, and after such pauses, as the policy says", script: func(e *env) {
		e.deploy(e.attempts(9, errors.New("no")), calls(work.With(durable.Retry{Attempts: 4, Initial: 5 * time.Second, Factor: 2})))
		e.start("")
		e.advance(time.Hour)
		e.happened("1 at 0s", "2 at 5s", "3 at 15s", "4 at 35s")
		e.fails("no")
	}},
	{area: "activities", says: "a pause is no longer than the policy's cap", script: func(e *env) {
		e.deploy(e.attempts(9, errors.New("no")), calls(work.With(durable.Retry{Attempts: 4, Initial: 5 * time.Second, Factor: 10, Cap: 20 * time.Second})))
		e.start("")
		e.advance(time.Hour)
		e.happened("1 at 0s", "2 at 5s", "3 at 25s", "4 at 45s")
	}},
	{area: "activities", says: "a pause may be longer than a queue can delay", script: func(e *env) {
		e.deploy(e.attempts(2, errors.New("no")), calls(work.With(durable.Retry{Attempts: 2, Initial: 2 * time.Hour})))
		e.start("")
		e.advance(2*time.Hour - time.Second)
		e.runs()
		e.advance(time.Minute)
		e.gives("done")
	}},
	{area: "activities", says: "a later attempt that succeeds is the call's result", aws: true, script: func(e *env) {
		e.deploy(e.attempts(3, errors.New("no")), calls(work.With(durable.Retry{Attempts: 5, Initial: time.Second})))
		e.start("")
		e.advance(4 * time.Second)
		e.gives("done")
	}},
	{area: "activities", says: "a permanent failure is not retried", script: func(e *env) {
		e.deploy(works(func(ctx context.Context, _ string) (string, error) {
			e.note(durable.Attempt(ctx))
			return "", durable.Permanent(errors.New("never"))
		}), calls(work.With(durable.Retry{Attempts: 5, Initial: time.Second})))
		e.start("")
		e.advance(2 * time.Second)
		e.fails("never")
		e.happened("1")
	}},
	{area: "activities", says: "a kind of failure that is not retryable is not retried", script: func(e *env) {
		e.deploy(e.attempts(9, fmt.Errorf("the bank: %w", declined)),
			calls(work.With(durable.Retry{Attempts: 5, Initial: time.Second, NonRetryable: []durable.ErrorKind{declined}})))
		e.start("")
		e.advance(time.Hour)
		e.happened("1 at 0s")
	}},
	{area: "activities", says: "a panic of an activity is a failure of the kind ActivityPanicked", aws: true, script: func(e *env) {
		e.deploy(works(func(context.Context, string) (string, error) { panic("oh") }), body(func(ctx durable.Context, in string) (any, error) {
			_, err := work.Call(ctx, in)
			return errors.Is(err, durable.ActivityPanicked), nil
		}))
		e.start("")
		e.gives(true)
	}},
	{area: "activities", says: "an attempt that takes longer than its time-out fails as ActivityTimedOut", script: func(e *env) {
		e.deploy(works(func(ctx context.Context, in string) (string, error) { <-ctx.Done(); return "", ctx.Err() }),
			body(func(ctx durable.Context, in string) (any, error) {
				_, err := work.With(durable.Timeout(20*time.Millisecond)).Call(ctx, in)
				return errors.Is(err, durable.ActivityTimedOut), nil
			}))
		e.start("")
		e.gives(true)
	}},
	{area: "activities", says: "a pause that would pass the deadline is not waited for", script: func(e *env) {
		e.deploy(e.attempts(9, errors.New("no")), body(func(ctx durable.Context, in string) (any, error) {
			_, err := work.With(durable.Retry{Attempts: 5, Initial: 20 * time.Second}, durable.Deadline(30*time.Second)).Call(ctx, in)
			return errors.Is(err, durable.ActivityTimedOut), nil
		}))
		e.start("")
		e.advance(20 * time.Second)
		e.gives(true)
		e.happened("1 at 0s", "2 at 20s")
	}},
	{area: "activities", says: "the idempotency key is one for all attempts of a call and another for each call", script: func(e *env) {
		e.deploy(works(func(ctx context.Context, in string) (string, error) {
			e.note(in, durable.IdempotencyKey(ctx))
			if durable.Attempt(ctx) == 1 {
				return "", errors.New("once more")
			}
			return durable.IdempotencyKey(ctx), nil
		}), body(func(ctx durable.Context, _ string) (any, error) {
			again := work.With(durable.Retry{Attempts: 2, Initial: time.Second})
			keys, err := durable.All(ctx, again.Start(ctx, "one"), again.Start(ctx, "two"))
			return keys[0] != "" && keys[0] != keys[1], err
		}))
		e.start("")
		e.advance(time.Minute)
		e.gives(true)
		e.equal("keys", len(firsts(e.notes)), 2)
	}},
	{area: "activities", says: "an activity knows the instance that called it", aws: true, script: func(e *env) {
		e.deploy(works(func(ctx context.Context, in string) (string, error) { return durable.InstanceID(ctx), nil }), calls(work))
		e.start("")
		e.gives("main")
	}},
	{area: "activities", says: "an activity that nobody waits for is made though the instance completes", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, in string) (any, error) { work.Start(ctx, "unwatched"); return "done", nil }))
		e.start("")
		e.gives("done")
		if e.noted("unwatched") == 0 {
			e.Error("the activity was not made")
		}
	}},
	{area: "activities", says: "what a heartbeat tells is there for the next attempt", script: func(e *env) {
		e.deploy(works(func(ctx context.Context, in string) (string, error) {
			if last, ok := durable.LastHeartbeat[string](ctx); ok {
				return "from " + last, nil
			}
			if err := durable.Heartbeat(ctx, "page 7"); err != nil {
				return "", err
			}
			return "", errors.New("once more")
		}), calls(work.With(durable.HeartbeatTimeout(time.Minute), durable.Retry{Attempts: 3, Initial: time.Second})))
		e.start("")
		e.advance(5 * time.Minute)
		e.gives("from page 7")
	}},
	{area: "activities", says: "a body that does not beat in time fails as ActivityTimedOut", script: func(e *env) {
		e.deploy(works(func(ctx context.Context, in string) (string, error) { <-ctx.Done(); return "", ctx.Err() }),
			body(func(ctx durable.Context, in string) (any, error) {
				_, err := work.With(durable.HeartbeatTimeout(30*time.Millisecond)).Call(ctx, in)
				return errors.Is(err, durable.ActivityTimedOut), nil
			}))
		e.start("")
		e.advance(time.Minute)
		e.gives(true)
	}},
	{area: "activities", says: "an activity that is at most once is run once", not: begunOnce, script: func(e *env) {
		e.deploy(e.echoes(), calls(work.With(durable.AtMostOnce)))
		e.start("pay")
		e.gives("pay")
		e.happened("pay")
	}},
	{area: "activities", says: "an activity that is at most once is begun once whatever crashes", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, in string) (any, error) {
			_, err := work.With(durable.AtMostOnce).Call(ctx, in)
			return err == nil || errors.Is(err, durable.OutcomeUnknown), nil
		}))
		e.start("pay")
		e.advance(time.Hour)
		e.gives(true)
		if n := e.noted(); n > 1 {
			e.Errorf("it was begun %d times", n)
		}
	}},
	{area: "activities", says: "an activity that is at most once is not retried", not: begunOnce, script: func(e *env) {
		e.deploy(e.attempts(9, errors.New("no")), calls(work.With(durable.AtMostOnce)))
		e.start("")
		e.advance(time.Hour)
		e.fails("no")
		e.happened("1 at 0s")
	}},
	{area: "activities", says: "an activity that no worker has fails as ActivityNotRegistered after some time", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, in string) (any, error) {
			_, err := work.Call(ctx, in)
			return errors.Is(err, durable.ActivityNotRegistered), nil
		}))
		e.start("")
		e.runs()
		e.advance(time.Hour)
		e.gives(true)
	}},
	{area: "activities", says: "an activity that is deployed in time is run", script: func(e *env) {
		e.deploy(calls(work))
		e.start("late")
		e.runs()
		e.build("build 2", calls(work), e.echoes())
		e.advance(time.Hour)
		e.gives("late")
	}},
	{area: "activities", says: "an orchestration retries by its own decision, with its own pauses", script: func(e *env) {
		e.deploy(works(func(_ context.Context, in string) (string, error) {
			e.note(in, " at ", e.since())
			return in, fmt.Errorf("no %s", in)
		}), body(func(ctx durable.Context, _ string) (any, error) {
			_, err := durable.Retrying(ctx, func(n int) (string, error) { return work.Call(ctx, fmt.Sprint(n)) },
				func(n int, err error) (time.Duration, bool) { return time.Duration(n) * time.Hour, n < 3 })
			return strings.Contains(err.Error(), "no 3"), nil
		}))
		e.start("")
		e.advance(24 * time.Hour)
		e.gives(true)
		e.happened("1 at 0s", "2 at 1h0m0s", "3 at 3h0m0s")
	}},
	{area: "activities", says: "jitter makes a pause shorter and never longer", script: func(e *env) {
		e.deploy(e.attempts(9, errors.New("no")), calls(work.With(durable.Retry{Attempts: 2, Initial: 10 * time.Second, Jitter: 0.5})))
		e.start("")
		e.advance(5*time.Second - time.Millisecond)
		e.happened("1 at 0s")
		e.advance(5*time.Second + time.Millisecond)
		e.fails("no")
	}},
}

var stepCases = []sentence{
	{area: "steps", says: "a step returns what its function returned", aws: true, script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, in string) (any, error) {
			return durable.Step(ctx, "Price", func(context.Context) (int, error) { return 42, nil })
		}))
		e.start("")
		e.gives(42)
	}},
	{area: "steps", says: "a step that is in the history is not run again", not: onlyCalm, script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, in string) (any, error) {
			n, err := durable.Step(ctx, "Price", func(context.Context) (int, error) { e.note("price"); return 42, nil })
			if err == nil {
				_, err = answer.Next(ctx).Await()
			}
			return n, err
		}))
		e.start("")
		e.tell("yes")
		e.settle()
		e.gives(42)
		e.happened("price")
	}},
	{area: "steps", says: "a step that fails is an ActivityError with its name and its kinds", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, in string) (any, error) {
			_, err := durable.Step(ctx, "Price", func(context.Context) (int, error) { return 0, fmt.Errorf("no: %w", declined) })
			var failed *durable.ActivityError
			return errors.As(err, &failed) && failed.Activity == "Price" && errors.Is(err, declined), nil
		}))
		e.start("")
		e.gives(true)
	}},
	{area: "steps", says: "a step that panics is a failure of the kind ActivityPanicked", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, in string) (any, error) {
			_, err := durable.Step(ctx, "Price", func(context.Context) (int, error) { panic("oh") })
			return errors.Is(err, durable.ActivityPanicked), nil
		}))
		e.start("")
		e.gives(true)
	}},
	{area: "steps", says: "steps in several coroutines all run", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, in string) (any, error) {
			got, err := durable.Map(ctx, []int{1, 2, 3, 4}, func(ctx durable.Context, n int) (int, error) {
				return durable.Step(ctx, "Square", func(context.Context) (int, error) { return n * n, nil })
			})
			sum := 0
			for _, r := range got {
				sum += r.Value
			}
			return sum, err
		}))
		e.start("")
		e.gives(30)
	}},
}
