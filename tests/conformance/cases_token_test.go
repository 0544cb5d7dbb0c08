package conformance

import (
	"context"
	"errors"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// handed is Work whose outcome comes from elsewhere.
var handed = work.With(durable.Async)

// handsOn binds Work to a body that notes its token and leaves the work to others.
func (e *env) handsOn() durable.Handler {
	return handed.Bind(func(ctx context.Context, _ string) (string, error) {
		e.note(durable.Token(ctx))
		return "", durable.ErrPending
	})
}

// token is the one that was noted last.
func (e *env) token() string {
	e.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.notes) == 0 {
		e.Fatal("nobody has handed on a token")
	}
	return e.notes[len(e.notes)-1]
}

var tokenCases = []sentence{
	{area: "tokens", says: "work that was handed on is completed from elsewhere", aws: true, script: func(e *env) {
		e.deploy(e.handsOn(), calls(handed))
		e.start("")
		e.runs()
		e.must(handed.Complete(e.ctx, e.client, e.token(), "from elsewhere"))
		e.settle()
		e.gives("from elsewhere")
	}},
	{area: "tokens", says: "work that was handed on fails from elsewhere, with its kinds", aws: true, script: func(e *env) {
		e.deploy(e.handsOn(), body(func(ctx durable.Context, in string) (any, error) {
			_, err := handed.Call(ctx, in)
			return errors.Is(err, declined), nil
		}))
		e.start("")
		e.must(handed.Fail(e.ctx, e.client, e.token(), declined))
		e.settle()
		e.gives(true)
	}},
	{area: "tokens", says: "work may be reported days later", script: func(e *env) {
		e.deploy(e.handsOn(), calls(handed))
		e.start("")
		e.advance(3 * 24 * time.Hour)
		e.runs()
		e.must(handed.Complete(e.ctx, e.client, e.token(), "at last"))
		e.settle()
		e.gives("at last")
	}},
	{area: "tokens", says: "what is reported twice counts once", script: func(e *env) {
		e.deploy(e.handsOn(), body(func(ctx durable.Context, in string) (any, error) {
			v, err := handed.Call(ctx, in)
			if err != nil {
				return nil, err
			}
			w, err := hears(ctx, 1)
			return []any{v, w}, err
		}))
		e.start("")
		token := e.token()
		e.must(handed.Complete(e.ctx, e.client, token, "first"))
		_ = handed.Complete(e.ctx, e.client, token, "second") // refused, or it means nothing: it is not known yet which was first
		e.settle()
		e.refuses(handed.Complete(e.ctx, e.client, token, "third"), durable.ErrNotPending)
		e.settle()
		e.tell("yes")
		e.settle()
		e.gives([]string{"first", "yes"})
	}},
	{area: "tokens", says: "a report after the instance has ended is refused as ErrEnded", script: func(e *env) {
		e.deploy(e.handsOn(), calls(handed))
		e.start("")
		token := e.token()
		e.terminate("enough")
		e.refuses(handed.Complete(e.ctx, e.client, token, "late"), durable.ErrEnded)
	}},
	{area: "tokens", says: "a token that nobody made is refused as ErrInvalid", aws: true, script: func(e *env) {
		e.refuses(handed.Complete(e.ctx, e.client, "made-up", ""), durable.ErrInvalid)
	}},
	{area: "tokens", says: "work that is not reported before its time-out fails as ActivityTimedOut", script: func(e *env) {
		brief := handed.With(durable.Timeout(time.Hour))
		e.deploy(e.handsOn(), body(func(ctx durable.Context, in string) (any, error) {
			_, err := brief.Call(ctx, in)
			return errors.Is(err, durable.ActivityTimedOut), nil
		}))
		e.start("")
		e.advance(59 * time.Minute)
		e.runs()
		e.advance(5 * time.Minute)
		e.gives(true)
	}},
	{area: "tokens", says: "heartbeats from elsewhere keep work that was handed on", script: func(e *env) {
		e.deploy(e.handsOn(), calls(handed.With(durable.HeartbeatTimeout(10*time.Minute))))
		e.start("")
		for range 5 {
			e.advance(8 * time.Minute)
			e.must(handed.Heartbeat(e.ctx, e.client, e.token(), "alive"))
		}
		e.runs()
		e.must(handed.Complete(e.ctx, e.client, e.token(), "done"))
		e.settle()
		e.gives("done")
	}},
	{area: "tokens", says: "work of which no heartbeat comes fails as ActivityTimedOut", script: func(e *env) {
		beats := handed.With(durable.HeartbeatTimeout(10 * time.Minute))
		e.deploy(e.handsOn(), body(func(ctx durable.Context, in string) (any, error) {
			_, err := beats.Call(ctx, in)
			return errors.Is(err, durable.ActivityTimedOut), nil
		}))
		e.start("")
		e.advance(time.Hour)
		e.gives(true)
	}},
	{area: "tokens", says: "a failure from elsewhere is retried, with another token", script: func(e *env) {
		e.deploy(e.handsOn(), calls(handed.With(durable.Retry{Attempts: 2, Initial: time.Minute})))
		e.start("")
		first := e.token()
		e.must(handed.Fail(e.ctx, e.client, first, errors.New("not yet")))
		e.advance(2 * time.Minute)
		e.runs()
		if e.token() == first {
			e.Error("the second attempt has the token of the first")
		}
		e.must(handed.Complete(e.ctx, e.client, e.token(), "then"))
		e.settle()
		e.gives("then")
	}},
}

// deep counts the rounds that are left.
var rounds = durable.NewOrchestration[int, any]("Rounds")

func (e *env) round(n int) {
	e.Helper()
	_, err := rounds.Submit(e.ctx, e.client, n, durable.ID("main"))
	e.must(err)
	e.settle()
}

var renewCases = []sentence{
	{area: "continue-as-new", says: "an orchestration continues as new with another input", script: func(e *env) {
		e.deploy(rounds.Bind(func(ctx durable.Context, n int) (any, error) {
			if n > 0 {
				return nil, rounds.ContinueAsNew(ctx, n-1)
			}
			return "done", nil
		}))
		e.round(5)
		e.gives("done")
	}},
	{area: "continue-as-new", says: "a history begins anew with each round", script: func(e *env) {
		e.deploy(doubles(), rounds.Bind(func(ctx durable.Context, n int) (any, error) {
			if _, err := sum(ctx, 20); err != nil || n == 0 {
				return "done", err
			}
			return nil, rounds.ContinueAsNew(ctx, n-1)
		}))
		e.round(10)
		e.gives("done")
		if n := len(e.kinds("main")); n > 50 {
			e.Errorf("the history has %d events", n)
		}
	}},
	{area: "continue-as-new", says: "twenty rounds that each abandon a timer do not meet those timers", script: func(e *env) {
		e.deploy(rounds.Bind(func(ctx durable.Context, n int) (any, error) {
			if n == 0 {
				begin := ctx.Now()
				err := durable.Sleep(ctx, time.Hour)
				return ctx.Now().Sub(begin).String(), err
			}
			abandoned := durable.After(ctx, 30*time.Minute)
			next := durable.After(ctx, time.Minute)
			if durable.First(ctx, abandoned, next) != durable.Awaitable(next) {
				return nil, errors.New("an abandoned timer has fired")
			}
			return nil, rounds.ContinueAsNew(ctx, n-1)
		}))
		e.round(20)
		e.advance(20 * time.Minute)
		e.advance(time.Hour)
		e.gives("1h0m0s")
	}},
	{area: "continue-as-new", says: "events that nobody has taken go over to the next round", script: func(e *env) {
		e.deploy(rounds.Bind(func(ctx durable.Context, n int) (any, error) {
			v, err := hears(ctx, 1)
			if err != nil {
				return nil, err
			}
			e.note(v)
			if n > 1 {
				return nil, rounds.ContinueAsNew(ctx, n-1)
			}
			return "done", nil
		}))
		e.round(6)
		e.tell("1", "2", "3", "4", "5", "6")
		e.settle()
		e.gives("done")
		e.equal("heard", firsts(e.notes), "[1 2 3 4 5 6]")
	}},
	{area: "continue-as-new", says: "DropEvents leaves them out", script: func(e *env) {
		e.deploy(rounds.Bind(func(ctx durable.Context, n int) (any, error) {
			if n == 0 {
				_, err := answer.Within(ctx, time.Minute)
				return errors.Is(err, durable.ErrTimeout), nil
			}
			if err := durable.Sleep(ctx, time.Minute); err != nil {
				return nil, err
			}
			return nil, rounds.ContinueAsNew(ctx, 0, durable.DropEvents)
		}))
		e.round(1)
		e.tell("dropped")
		e.advance(5 * time.Minute)
		e.gives(true)
	}},
	{area: "continue-as-new", says: "an instance that continues as new is Running, with its custom status", script: func(e *env) {
		e.deploy(rounds.Bind(func(ctx durable.Context, n int) (any, error) {
			if n > 0 {
				ctx.SetStatus("kept")
				return nil, rounds.ContinueAsNew(ctx, n-1)
			}
			return hears(ctx, 1)
		}))
		e.round(3)
		e.json("custom status", e.runs().CustomStatus, "kept")
		e.tell("yes")
		e.settle()
		e.gives("yes")
	}},
	{area: "continue-as-new", says: "a later round may be of another version", aws: true, script: func(e *env) {
		e.deploy(rounds.Bind(func(ctx durable.Context, n int) (any, error) {
			return nil, rounds.ContinueAsNew(ctx, n, durable.Version(2))
		}),
			rounds.Version(2).Bind(func(ctx durable.Context, n int) (any, error) { return "two", nil }))
		e.round(1)
		e.gives("two")
	}},
	{area: "continue-as-new", says: "activities that nobody has waited for are made", script: func(e *env) {
		e.deploy(e.echoes(), rounds.Bind(func(ctx durable.Context, n int) (any, error) {
			if n == 0 {
				return "done", nil
			}
			work.Start(ctx, "unwatched")
			return nil, rounds.ContinueAsNew(ctx, n-1)
		}))
		e.round(1)
		e.gives("done")
		if e.noted("unwatched") == 0 {
			e.Error("the activity was not made")
		}
	}},
	{area: "continue-as-new", says: "an instance that continues as new for ever is terminated", script: func(e *env) {
		e.deploy(rounds.Bind(func(ctx durable.Context, n int) (any, error) {
			if err := durable.Sleep(ctx, time.Second); err != nil {
				return nil, err
			}
			return nil, rounds.ContinueAsNew(ctx, n+1)
		}))
		e.round(0)
		e.advance(3 * time.Second)
		e.terminate("enough")
		e.advance(3 * time.Second)
		e.is("main", durable.Terminated)
	}},
}

var sagaCases = []sentence{
	{area: "sagas", says: "a saga undoes in reverse order what was done before a failure", aws: true, script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (_ any, err error) {
			saga := durable.NewSaga(ctx)
			defer saga.End(&err)
			for _, step := range []string{"flight", "hotel", "car"} {
				work.Compensate(saga, "undo "+step)
				if _, err := work.Call(ctx, step); err != nil {
					return nil, err
				}
			}
			return nil, errors.New("no money")
		}))
		e.start("")
		e.fails("no money")
		e.happened("flight", "hotel", "car", "undo car", "undo hotel", "undo flight")
	}},
	{area: "sagas", says: "a saga undoes nothing when all goes well", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (_ any, err error) {
			saga := durable.NewSaga(ctx)
			defer saga.End(&err)
			work.Compensate(saga, "undo")
			return work.Call(ctx, "do")
		}))
		e.start("")
		e.gives("do")
		e.happened("do")
	}},
	{area: "sagas", says: "a saga undoes all though one undoing fails, and tells of both errors", script: func(e *env) {
		e.deploy(works(func(_ context.Context, in string) (string, error) {
			e.note(in)
			if in == "undo b" {
				return "", errors.New("stuck")
			}
			return in, nil
		}), body(func(ctx durable.Context, _ string) (_ any, err error) {
			saga := durable.NewSaga(ctx)
			defer saga.End(&err)
			work.Compensate(saga, "undo a")
			work.Compensate(saga, "undo b")
			return nil, errors.New("no money")
		}))
		e.start("")
		e.fails("no money")
		e.fails("stuck")
		e.happened("undo b", "undo a")
	}},
	{area: "sagas", says: "a saga undoes in a scope that is over", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (_ any, err error) {
			ctx, cancel := durable.WithTimeout(ctx, time.Minute)
			defer cancel()
			saga := durable.NewSaga(ctx)
			defer saga.End(&err)
			work.Compensate(saga, "undo")
			return hears(ctx, 1)
		}))
		e.start("")
		e.advance(2 * time.Minute)
		e.fails("timed out")
		e.happened("undo")
	}},
	{area: "sagas", says: "a saga undoes nothing when the orchestration continues as new", script: func(e *env) {
		e.deploy(e.echoes(), rounds.Bind(func(ctx durable.Context, n int) (_ any, err error) {
			saga := durable.NewSaga(ctx)
			defer saga.End(&err)
			work.Compensate(saga, "undo")
			if n > 0 {
				return nil, rounds.ContinueAsNew(ctx, n-1)
			}
			return "done", nil
		}))
		e.round(2)
		e.gives("done")
		e.happened()
	}},
}
