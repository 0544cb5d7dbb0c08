package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// kids binds Child: it fails, waits for an event, or returns its input.
func kids() durable.Handler {
	return child.Bind(func(ctx durable.Context, in string) (string, error) {
		switch in {
		case "fail":
			return "", fmt.Errorf("no: %w", declined)
		case "wait":
			return answer.Next(ctx).Await()
		}
		return in, nil
	})
}

// parents is an orchestration that calls Child with its input.
func parents(opts ...durable.ChildOption) durable.Handler {
	return body(func(ctx durable.Context, in string) (any, error) { return child.Call(ctx, in, opts...) })
}

var kidID = durable.ID("kid")

var childCases = []sentence{
	{area: "sub-orchestrations", says: "a sub-orchestration's output is what its parent gets", aws: true, script: func(e *env) {
		e.deploy(kids(), parents())
		e.start("Ada")
		e.gives("Ada")
	}},
	{area: "sub-orchestrations", says: "a sub-orchestration is an instance with the id that was chosen, and knows its parent", script: func(e *env) {
		e.deploy(kids(), parents(kidID, durable.Tag("team", "blue")))
		e.start("wait")
		in := e.is("kid", durable.Running)
		e.equal("child", fmt.Sprint(in.Name, " ", in.Parent, " ", in.Tags), "Child main map[team:blue]")
		e.must(answer.Raise(e.ctx, e.client, "kid", "heard"))
		e.settle()
		e.completes("kid", "heard")
		e.gives("heard")
	}},
	{area: "sub-orchestrations", says: "without an id each gets one of its own", script: func(e *env) {
		e.deploy(kids(), body(func(ctx durable.Context, _ string) (any, error) {
			a, b := child.Start(ctx, "a"), child.Start(ctx, "b")
			got, err := durable.All(ctx, a.Future, b.Future)
			return fmt.Sprint(strings.Join(got, " "), " ", a.ID() != b.ID()), err
		}))
		e.start("")
		e.gives("a b true")
		e.equal("instances", len(e.list(durable.Query{})), 3)
	}},
	{area: "sub-orchestrations", says: "a failure of a sub-orchestration has its instance, its status and its kinds", aws: true, script: func(e *env) {
		e.deploy(kids(), body(func(ctx durable.Context, _ string) (any, error) {
			_, err := child.Call(ctx, "fail", kidID)
			var failed *durable.OrchestrationError
			if !errors.As(err, &failed) {
				return nil, err
			}
			return fmt.Sprint(failed.Instance, " ", failed.Status, " ", errors.Is(err, declined)), nil
		}))
		e.start("")
		e.gives("kid Failed true")
	}},
	{area: "sub-orchestrations", says: "a sub-orchestration with its parent's id is refused as InstanceExists", script: func(e *env) {
		e.deploy(kids(), body(func(ctx durable.Context, _ string) (any, error) {
			_, err := child.Call(ctx, "me", durable.ID(ctx.InstanceID()))
			return errors.Is(err, durable.InstanceExists), nil
		}))
		e.start("")
		e.gives(true)
		e.equal("instances", len(e.list(durable.Query{})), 1)
	}},
	{area: "sub-orchestrations", says: "a sub-orchestration with the id of an instance that runs is refused as InstanceExists", aws: true, script: func(e *env) {
		e.deploy(kids(), body(func(ctx durable.Context, _ string) (any, error) {
			_, err := child.Call(ctx, "second", kidID)
			return errors.Is(err, durable.InstanceExists), nil
		}))
		_, err := child.Submit(e.ctx, e.client, "wait", kidID)
		e.must(err)
		e.settle()
		e.start("")
		e.gives(true)
		e.is("kid", durable.Running)
	}},
	{area: "sub-orchestrations", says: "the id of a sub-orchestration that has ended is used again", script: func(e *env) {
		e.deploy(kids(), body(func(ctx durable.Context, _ string) (any, error) {
			a, err := child.Call(ctx, "one", kidID)
			pause := durable.Sleep(ctx, time.Second)
			b, err2 := child.Call(ctx, "two", kidID)
			return a + b, errors.Join(err, pause, err2)
		}))
		e.start("")
		e.advance(2 * time.Second)
		e.gives("onetwo")
	}},
	{area: "sub-orchestrations", says: "a sub-orchestration that is terminated fails its call as InstanceTerminated", script: func(e *env) {
		e.deploy(kids(), body(func(ctx durable.Context, _ string) (any, error) {
			_, err := child.Call(ctx, "wait", kidID)
			return errors.Is(err, durable.InstanceTerminated), nil
		}))
		e.start("")
		e.must(e.client.Manage(e.ctx, durable.ManageRequest{Instance: "kid", Command: durable.Terminate}))
		e.settle()
		e.gives(true)
	}},
	{area: "sub-orchestrations", says: "terminate leaves sub-orchestrations alone", aws: true, script: func(e *env) {
		e.deploy(kids(), parents(kidID))
		e.start("wait")
		e.terminate("enough")
		e.is("main", durable.Terminated)
		e.is("kid", durable.Running)
	}},
	{area: "sub-orchestrations", says: "a recursive terminate ends sub-orchestrations of sub-orchestrations, too", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, in string) (any, error) {
			if in == "middle" {
				return child.Call(ctx, "wait", kidID)
			}
			return start.Call(ctx, "middle", durable.ID("middle"))
		}), kids())
		e.start("top")
		e.is("kid", durable.Running)
		e.must(e.client.Manage(e.ctx, durable.ManageRequest{Instance: "main", Command: durable.Terminate, Recursive: true}))
		e.settle()
		for _, id := range []string{"main", "middle", "kid"} {
			e.is(id, durable.Terminated)
		}
	}},
	{area: "sub-orchestrations", says: "a child runs on when its parent ends", script: func(e *env) {
		e.deploy(kids(), body(func(ctx durable.Context, _ string) (any, error) { child.Start(ctx, "wait", kidID); return "done", nil }))
		e.start("")
		e.gives("done")
		e.must(answer.Raise(e.ctx, e.client, "kid", "alone"))
		e.settle()
		e.completes("kid", "alone")
	}},
	{area: "sub-orchestrations", says: "TerminateChild ends a child with its parent", script: func(e *env) {
		e.deploy(kids(), body(func(ctx durable.Context, _ string) (any, error) {
			child.Start(ctx, "wait", kidID, durable.TerminateChild)
			return hears(ctx, 1)
		}))
		e.start("")
		e.is("kid", durable.Running)
		e.tell("done")
		e.settle()
		e.gives("done")
		e.is("kid", durable.Terminated)
	}},
	{area: "sub-orchestrations", says: "WaitForChild has a parent end after its child", script: func(e *env) {
		e.deploy(kids(), body(func(ctx durable.Context, _ string) (any, error) {
			child.Start(ctx, "wait", kidID, durable.WaitForChild)
			return "done", nil
		}))
		e.start("")
		e.runs()
		e.must(answer.Raise(e.ctx, e.client, "kid", "ready"))
		e.settle()
		e.gives("done")
	}},
	{area: "sub-orchestrations", says: "forty sub-orchestrations at once all come back", aws: true, script: func(e *env) {
		e.deploy(kids(), body(func(ctx durable.Context, _ string) (any, error) {
			var all []*durable.Future[string]
			for n := range 40 {
				all = append(all, child.Start(ctx, fmt.Sprint(n)).Future)
			}
			got, err := durable.All(ctx, all...)
			return len(firsts(got)), err
		}))
		e.start("")
		e.gives(40)
	}},
	{area: "sub-orchestrations", says: "a sub-orchestration that continues as new answers when it completes", script: func(e *env) {
		e.deploy(rounds.Bind(func(ctx durable.Context, n int) (any, error) {
			if n > 0 {
				return nil, rounds.ContinueAsNew(ctx, n-1)
			}
			return "done", nil
		}), body(func(ctx durable.Context, _ string) (any, error) { return rounds.Call(ctx, 5) }))
		e.start("")
		e.gives("done")
	}},
	{area: "sub-orchestrations", says: "a sub-orchestration of ten levels comes back", script: func(e *env) {
		deep := durable.NewOrchestration[int, int]("Deep")
		e.deploy(deep.Bind(func(ctx durable.Context, n int) (int, error) {
			if n == 0 {
				return 0, nil
			}
			m, err := deep.Call(ctx, n-1)
			return m + 1, err
		}), body(func(ctx durable.Context, _ string) (any, error) { return deep.Call(ctx, 10) }))
		e.start("")
		e.gives(10)
	}},
	{area: "sub-orchestrations", says: "a sub-orchestration runs the version that was asked for", script: func(e *env) {
		e.deploy(kids(), child.Version(3).Bind(func(durable.Context, string) (string, error) { return "three", nil }), parents(durable.Version(3)))
		e.start("")
		e.gives("three")
	}},
}

var scopeCases = []sentence{
	{area: "scopes", says: "what waits in a scope that is canceled ends as ErrCanceled", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			scope, cancel := durable.WithCancel(ctx)
			f := durable.Go(scope, func(ctx durable.Context) (int, error) { return 0, durable.Sleep(ctx, time.Hour) })
			if _, err := hears(ctx, 1); err != nil {
				return nil, err
			}
			cancel()
			_, err := f.Await()
			return errors.Is(err, durable.ErrCanceled) && errors.Is(scope.Err(), durable.ErrCanceled) && ctx.Err() == nil, nil
		}))
		e.start("")
		e.tell("stop")
		e.settle()
		e.gives(true)
	}},
	{area: "scopes", says: "what waits in a scope ends as ErrTimeout when its time is over", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			scope, cancel := durable.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			_, err := answer.Next(scope).Await()
			return errors.Is(err, durable.ErrTimeout), nil
		}))
		e.start("")
		e.advance(4 * time.Second)
		e.gives(true)
	}},
	{area: "scopes", says: "a waiter that was canceled does not take a later event", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			scope, cancel := durable.WithCancel(ctx)
			gone := answer.Next(scope)
			cancel()
			_, canceled := gone.Await()
			v, err := hears(ctx, 1)
			return fmt.Sprint(errors.Is(canceled, durable.ErrCanceled), " ", v), err
		}))
		e.start("")
		e.tell("kept")
		e.settle()
		e.gives("true kept")
	}},
	{area: "scopes", says: "what had its outcome before a cancel keeps it", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			scope, cancel := durable.WithCancel(ctx)
			f := double.Start(scope, 4)
			if err := durable.Sleep(ctx, time.Minute); err != nil {
				return nil, err
			}
			cancel()
			return f.Await()
		}))
		e.start("")
		e.advance(2 * time.Minute)
		e.gives(8)
	}},
	{area: "scopes", says: "what is asked for in a scope that is over is not made", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (any, error) {
			scope, cancel := durable.WithCancel(ctx)
			cancel()
			_, err := work.Call(scope, "never")
			return errors.Is(err, durable.ErrCanceled), nil
		}))
		e.start("")
		e.gives(true)
		e.happened()
	}},
	{area: "scopes", says: "a Detached context waits though the scope is over", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (any, error) {
			scope, cancel := durable.WithCancel(ctx)
			cancel()
			return work.Call(durable.Detached(scope), "clean up")
		}))
		e.start("")
		e.gives("clean up")
	}},
	{area: "scopes", says: "the end of a scope ends the scopes within it and not those around it", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			outer, stopOuter := durable.WithCancel(ctx)
			inner, _ := durable.WithCancel(outer)
			other, stopOther := durable.WithCancel(outer)
			stopOther()
			before := []bool{outer.Err() != nil, inner.Err() != nil, other.Err() != nil}
			stopOuter()
			return append(before, inner.Err() != nil, ctx.Err() != nil), nil
		}))
		e.start("")
		e.gives([]bool{false, false, true, true, false})
	}},
	{area: "scopes", says: "an activity goes on when nobody waits for it any more", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (any, error) {
			scope, cancel := durable.WithCancel(ctx)
			f := work.Start(scope, "goes on")
			cancel()
			_, err := f.Await()
			return errors.Is(err, durable.ErrCanceled), nil
		}))
		e.start("")
		e.gives(true)
		if e.noted("goes on") == 0 {
			e.Error("the activity was not made")
		}
	}},
}

// limit is how many bytes of JSON a payload may have.
const limit = 10 << 20

var wireCases = []sentence{
	{area: "limits", says: "a payload of 10 MiB goes in and comes out", script: func(e *env) {
		e.deploy(body(func(_ durable.Context, in string) (any, error) { return in, nil }))
		e.start(long(limit - 2))
		e.gives(long(limit - 2))
	}},
	{area: "limits", says: "an input or an event of a byte more is refused as ErrInvalid", script: func(e *env) {
		e.deploy(hear(1))
		_, err := start.Submit(e.ctx, e.client, long(limit-1))
		e.refuses(err, durable.ErrInvalid)
		e.start("")
		e.refuses(answer.Raise(e.ctx, e.client, "main", long(limit-1)), durable.ErrInvalid)
		e.tell("small")
		e.settle()
		e.gives("small")
	}},
	{area: "limits", says: "a result of an activity that is a byte too large fails the call as ErrTooLarge", script: func(e *env) {
		e.deploy(works(func(_ context.Context, in string) (string, error) { return long(limit - 1), nil }), body(func(ctx durable.Context, in string) (any, error) {
			_, err := work.Call(ctx, in)
			return errors.Is(err, durable.ErrTooLarge), nil
		}))
		e.start("")
		e.gives(true)
	}},
	{area: "limits", says: "an input of an activity that is a byte too large fails the call as ErrTooLarge", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, in string) (any, error) {
			_, err := work.Call(ctx, long(limit-1))
			return errors.Is(err, durable.ErrTooLarge), nil
		}))
		e.start("")
		e.gives(true)
		e.happened()
	}},
	{area: "limits", says: "payloads about as large as a history keeps inline come back whole", aws: true, script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (any, error) {
			for n := 16<<10 - 4; n <= 16<<10+1; n++ {
				if v, err := work.Call(ctx, long(n)); err != nil || v != long(n) {
					return nil, fmt.Errorf("%d characters became %d: %w", n, len(v), err)
				}
			}
			return "all", nil
		}))
		e.start("")
		e.gives("all")
	}},
	{area: "limits", says: "thirty large payloads in one history come back whole", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (any, error) {
			var all []*durable.Future[string]
			for n := range 30 {
				all = append(all, work.Start(ctx, fmt.Sprint(n, long(20_000))))
			}
			got, err := durable.All(ctx, all...)
			return len(strings.Join(got, "")), err
		}))
		e.start("")
		e.gives(30*20_000 + 50)
	}},
	{area: "payloads", says: "null, zero and empty values arrive as what they are", script: func(e *env) {
		raw := durable.NewActivity[json.RawMessage, json.RawMessage]("Raw")
		e.deploy(raw.Bind(func(_ context.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil }), body(func(ctx durable.Context, _ string) (any, error) {
			for _, v := range []string{`null`, `0`, `""`, `[]`, `{}`, `false`, `"\u0000"`, `1e400`, `12345678901234567890`} {
				if got, err := raw.Call(ctx, json.RawMessage(v)); err != nil || string(got) != v {
					return nil, fmt.Errorf("%s became %s: %w", v, got, err)
				}
			}
			return "all", nil
		}))
		e.start("")
		e.gives("all")
	}},
	{area: "payloads", says: "an input that the orchestration's type cannot hold fails the instance", aws: true, script: func(e *env) {
		e.deploy(hear(0))
		_, err := e.client.Start(e.ctx, durable.StartRequest{Name: "Main", ID: "main", Input: json.RawMessage(`{"not":"text"}`)})
		e.must(err)
		e.settle()
		e.is("main", durable.Failed)
	}},
	{area: "payloads", says: "an input that is no JSON is refused as ErrInvalid", script: func(e *env) {
		_, err := e.client.Start(e.ctx, durable.StartRequest{Name: "Main", Input: json.RawMessage(`{`)})
		e.refuses(err, durable.ErrInvalid)
		_, err = e.client.Start(e.ctx, durable.StartRequest{Name: ""})
		e.refuses(err, durable.ErrInvalid)
	}},
	{area: "payloads", says: "a result that is no JSON fails the call", script: func(e *env) {
		odd := durable.NewActivity[string, any]("Odd")
		e.deploy(odd.Bind(func(context.Context, string) (any, error) { return make(chan int), nil }), body(func(ctx durable.Context, in string) (any, error) {
			_, err := odd.Call(ctx, in)
			return err != nil, nil
		}))
		e.start("")
		e.gives(true)
	}},
}
