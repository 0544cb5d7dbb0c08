package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

func echo(_ context.Context, in string) (string, error) { return in, nil }

// kindsMade are kinds of errors that the engine makes, and one of a program.
var kindsMade = []durable.ErrorKind{durable.ActivityTimedOut, durable.ActivityPanicked, durable.ActivityNotRegistered, durable.WorkerLost,
	durable.ErrTooLarge, durable.OutcomeUnknown, durable.InstanceExists, durable.InstanceTerminated, durable.NotRunnable, declined, "größe ✓"}

var errorCases = []sentence{
	{area: "errors", says: "every kind of error is found again after an activity", aws: true, script: func(e *env) {
		act := durable.NewActivity[int, int]("Fail")
		e.deploy(act.Bind(func(_ context.Context, n int) (int, error) { return 0, fmt.Errorf("no: %w", kindsMade[n]) }),
			body(func(ctx durable.Context, _ string) (any, error) {
				for n, kind := range kindsMade {
					if _, err := act.Call(ctx, n); !errors.Is(err, kind) || errors.Is(err, durable.ErrorKind("another")) {
						return nil, fmt.Errorf("%s became %w", kind, err)
					}
				}
				return "all", nil
			}))
		e.start("")
		e.gives("all")
	}},
	{area: "errors", says: "every kind of error is found again after a sub-orchestration", script: func(e *env) {
		kid := durable.NewOrchestration[int, int]("Kid")
		e.deploy(kid.Bind(func(_ durable.Context, n int) (int, error) { return 0, fmt.Errorf("no: %w", kindsMade[n]) }),
			body(func(ctx durable.Context, _ string) (any, error) {
				for n, kind := range kindsMade {
					if _, err := kid.Call(ctx, n); !errors.Is(err, kind) || errors.Is(err, durable.ErrorKind("another")) {
						return nil, fmt.Errorf("%s became %w", kind, err)
					}
				}
				return "all", nil
			}))
		e.start("")
		e.gives("all")
	}},
	{area: "errors", says: "an error that wraps several kinds has them all at its receiver", aws: true, script: func(e *env) {
		e.deploy(works(func(context.Context, string) (string, error) {
			return "", errors.Join(declined, fmt.Errorf("and: %w", durable.ErrorKind("Late")))
		}), body(func(ctx durable.Context, in string) (any, error) {
			_, err := work.Call(ctx, in)
			return errors.Is(err, declined) && errors.Is(err, durable.ErrorKind("Late")), nil
		}))
		e.start("")
		e.gives(true)
	}},
	{area: "errors", says: "a failed instance has the kind and the text of the error", aws: true, script: func(e *env) {
		e.deploy(body(func(durable.Context, string) (any, error) { return nil, fmt.Errorf("the bank said no: %w", declined) }))
		e.start("")
		in := e.fails("the bank said no: Declined")
		e.equal("kind", in.Failure.Kind, declined)
	}},
	{area: "errors", says: "who waits for a run finds the kinds of its error", aws: true, script: func(e *env) {
		e.deploy(works(func(context.Context, string) (string, error) { return "", declined }), calls(work))
		run, err := start.Submit(e.ctx, e.client, "", durable.ID("main"))
		e.must(err)
		e.settle()
		_, err = run.Wait(e.ctx)
		var failed *durable.OrchestrationError
		if !errors.As(err, &failed) || failed.Status != durable.Failed || failed.Instance != "main" || !errors.Is(err, declined) {
			e.Errorf("got %v", err)
		}
	}},
	{area: "errors", says: "an error's text that is too long is cut between characters", script: func(e *env) {
		e.deploy(works(func(context.Context, string) (string, error) { return "", errors.New(strings.Repeat("ü", 5000)) }),
			body(func(ctx durable.Context, in string) (any, error) {
				_, err := work.Call(ctx, in)
				return strings.ContainsRune(err.Error(), '\uFFFD'), nil
			}))
		e.start("")
		e.gives(false)
	}},
}

var codeCases = []sentence{
	{area: "code", says: "an orchestration that panics is suspended with the panic as the reason", script: func(e *env) {
		e.deploy(body(func(durable.Context, string) (any, error) { panic("oh no") }))
		e.start("")
		e.stops("oh no")
	}},
	{area: "code", says: "a fixed build and a resume carry on after a panic", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, in string) (any, error) {
			v, err := work.Call(ctx, "kept")
			if err == nil {
				panic("oh no")
			}
			return v, err
		}))
		e.start("")
		e.stops("oh no")
		e.build("build 2", e.echoes(), body(func(ctx durable.Context, in string) (any, error) { return work.Call(ctx, "kept") }))
		e.resume()
		e.gives("kept")
	}},
	{area: "code", says: "what comes while code is broken is kept for the fixed build", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			if v, err := hears(ctx, 1); err != nil {
				return v, err
			}
			panic("broken")
		}))
		e.start("")
		e.tell("one")
		e.settle()
		e.stops("broken")
		e.tell("two", "three")
		e.settle()
		e.build("build 2", hear(3))
		e.resume()
		e.gives("one two three")
	}},
	{area: "code", says: "a call that has another name than in the history suspends, and the old code carries on", script: func(e *env) {
		old := body(func(ctx durable.Context, in string) (any, error) {
			if _, err := work.Call(ctx, in); err != nil {
				return nil, err
			}
			return hears(ctx, 1)
		})
		e.deploy(e.echoes(), doubles(), old)
		e.start("")
		e.build("build 2", e.echoes(), doubles(), body(func(ctx durable.Context, in string) (any, error) {
			if _, err := double.Call(ctx, 1); err != nil {
				return nil, err
			}
			return hears(ctx, 1)
		}))
		e.tell("yes")
		e.settle()
		e.stops("Double")
		e.build("build 3", e.echoes(), doubles(), old)
		e.resume()
		e.gives("yes")
	}},
	{area: "code", says: "code that leaves out what its history has suspends the instance", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			if _, err := double.Call(ctx, 1); err != nil {
				return nil, err
			}
			return hears(ctx, 1)
		}))
		e.start("")
		e.build("build 2", doubles(), hear(1))
		e.tell("yes")
		e.settle()
		e.is("main", durable.Suspended)
	}},
	{area: "code", says: "new code after the point where an instance waits is run", script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.build("build 2", doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			if _, err := hears(ctx, 1); err != nil {
				return nil, err
			}
			return double.Call(ctx, 21)
		}))
		e.tell("yes")
		e.settle()
		e.gives(42)
	}},
	{area: "code", says: "ids that are made up are the same in every replay and differ from each other", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (any, error) {
			a, b := ctx.NewID(), ctx.NewID()
			x, err := work.Call(ctx, a)
			y, err2 := work.Call(ctx, b)
			return x == a && y == b && a != b, errors.Join(err, err2)
		}))
		e.start("")
		e.gives(true)
	}},
	{area: "code", says: "random numbers are the same in every replay", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			n := ctx.Rand().IntN(1 << 30)
			if err := durable.Sleep(ctx, time.Second); err != nil {
				return nil, err
			}
			got, err := double.Call(ctx, n)
			return got == 2*n, err
		}))
		e.start("")
		e.advance(time.Minute)
		e.gives(true)
	}},
	{area: "code", says: "deferred functions see whether a turn is merely unwound", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			defer func() {
				if !ctx.Unwinding() {
					e.note("returned")
				}
			}()
			return hears(ctx, 3)
		}))
		e.start("")
		for _, v := range []string{"a", "b"} {
			e.tell(v)
			e.settle()
		}
		e.happened()
		e.tell("c")
		e.settle()
		e.gives("a b c")
		e.happened("returned")
	}},
}
