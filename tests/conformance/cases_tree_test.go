package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// families is an orchestration with a child and a grandchild of its own name, which wait when the input ends with "wait".
func families() durable.Handler {
	return child.Bind(func(ctx durable.Context, in string) (string, error) {
		if left, more := strings.CutPrefix(in, "+"); more {
			return child.Call(ctx, left, durable.ID(ctx.InstanceID()+"+"))
		}
		if in == "wait" {
			return answer.Next(ctx).Await()
		}
		return in, nil
	})
}

var treeCases = []sentence{
	{area: "purge", says: "a purge with sub-orchestrations takes all of them", script: func(e *env) {
		e.deploy(families(), parents(kidID))
		e.start("++leaf")
		e.gives("leaf")
		n, err := durable.PurgeTree(e.ctx, e.client, "main")
		e.must(err)
		e.equal("purged", n, 4)
		e.equal("left", len(e.list(durable.Query{})), 0)
	}},
	{area: "purge", says: "a purge with a sub-orchestration that runs purges nothing but is refused as ErrNotEnded", script: func(e *env) {
		e.deploy(families(), body(func(ctx durable.Context, in string) (any, error) {
			child.Start(ctx, in, kidID)
			return "gone", durable.Sleep(ctx, time.Second)
		}))
		e.start("+wait")
		e.advance(2 * time.Second)
		e.gives("gone")
		n, err := durable.PurgeTree(e.ctx, e.client, "main")
		e.refuses(err, durable.ErrNotEnded)
		e.equal("purged", n, 0)
		e.equal("left", len(e.list(durable.Query{})), 3)
	}},
	{area: "purge", says: "a purge by a query takes what has ended of what it selects", script: func(e *env) {
		e.deploy(hear(1))
		for _, id := range []string{"a1", "a2", "a3", "b1"} {
			e.start("", durable.ID(id))
		}
		for _, id := range []string{"a1", "a2", "b1"} {
			e.must(answer.Raise(e.ctx, e.client, id, "done"))
		}
		e.settle()
		done, err := e.client.PurgeWhere(e.ctx, durable.PurgeRequest{Where: durable.Query{IDPrefix: "a"}})
		e.must(err)
		e.equal("purged", fmt.Sprintf("%d %q", done.Instances, done.Continue), `2 ""`)
		left := e.list(durable.Query{})
		slices.Sort(left)
		e.equal("left", left, "[a3 b1]")
	}},
	{area: "purge", says: "a purge by a query stops at its limit and goes on from there", script: func(e *env) {
		e.deploy(body(func(durable.Context, string) (any, error) { return nil, nil }))
		for n := range 5 {
			e.start("", durable.ID(fmt.Sprint("i", n)))
		}
		req := durable.PurgeRequest{Where: durable.Query{Limit: 2}}
		var counts []int
		for range 10 {
			done, err := e.client.PurgeWhere(e.ctx, req)
			e.must(err)
			counts = append(counts, done.Instances)
			if req.Where.Continue = done.Continue; done.Continue == "" {
				break
			}
		}
		e.equal("purged", counts, "[2 2 1]")
		e.equal("left", len(e.list(durable.Query{})), 0)
	}},
	{area: "rewind", says: "a rewind goes through sub-orchestrations, and only what failed runs again", script: func(e *env) {
		var fixed atomic.Bool
		e.deploy(works(func(_ context.Context, in string) (string, error) {
			e.note(in)
			if in == "leaf" && !fixed.Load() {
				return "", errors.New("not yet")
			}
			return in, nil
		}), child.Bind(func(ctx durable.Context, in string) (string, error) {
			if _, err := work.Call(ctx, "before "+in); err != nil {
				return "", err
			}
			if in == "top" {
				return child.Call(ctx, "low", durable.ID("low"))
			}
			return work.Call(ctx, "leaf")
		}), parents(kidID))
		e.start("top")
		e.fails("not yet")
		fixed.Store(true)
		e.must(e.manage(durable.Rewind, "mended"))
		e.settle()
		e.gives("leaf")
		e.completes("low", "leaf")
		if n := e.noted("before top"); n > 1 && e.mode != crash {
			e.Errorf("what had succeeded ran %d times", n)
		}
	}},
	{area: "rewind", says: "a sub-orchestration that was terminated is started anew by a rewind of its parent", script: func(e *env) {
		e.deploy(kids(), parents(kidID))
		e.start("wait")
		e.must(e.client.Manage(e.ctx, durable.ManageRequest{Instance: "kid", Command: durable.Terminate, Reason: "no"}))
		e.settle()
		e.fails("no")
		e.must(e.manage(durable.Rewind, "again"))
		e.settle()
		e.runs()
		e.must(answer.Raise(e.ctx, e.client, "kid", "now"))
		e.settle()
		e.gives("now")
	}},
	{area: "starts", says: "ReplaceExisting terminates the instance that runs, and takes its place", script: func(e *env) {
		e.deploy(hear(1))
		e.start("first")
		before := e.runs()
		e.replace("second")
		in := e.runs()
		e.json("input", in.Input, "second")
		e.equal("another life", in.Incarnation > before.Incarnation, true)
		e.tell("done")
		e.settle()
		e.gives("done")
	}},
	{area: "starts", says: "ReplaceExisting is a start where nothing runs", script: func(e *env) {
		e.deploy(hear(1))
		e.replace("first")
		e.json("input", e.runs().Input, "first")
		e.tell("done")
		e.settle()
		e.gives("done")
		e.replace("second")
		e.json("input", e.runs().Input, "second")
	}},
	{area: "starts", says: "a start for a time is replaced, and the first one never runs", script: func(e *env) {
		e.deploy(hear(1))
		e.begin("first", durable.StartAt(e.host.clock.Now().Add(time.Hour)))
		e.settle()
		e.replace("second")
		e.advance(2 * time.Hour)
		e.json("input", e.runs().Input, "second")
		e.equal("instances", e.list(durable.Query{}), "[main]")
	}},
	{area: "steps", says: "a step that is at most once is run once at most, and otherwise its outcome is unknown", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			v, err := durable.Step(ctx, "pay", func(context.Context) (string, error) { e.note("paid"); return "paid", nil }, durable.AtMostOnce)
			if errors.Is(err, durable.OutcomeUnknown) {
				return "unknown", nil
			}
			return v, err
		}))
		e.start("")
		if n := e.noted("paid"); n > 1 {
			e.Errorf("it is run %d times", n)
		}
		if in := e.is("main", durable.Completed); e.mode != crash || string(in.Output) != `"unknown"` {
			e.gives("paid")
		}
	}},
	{area: "steps", says: "a step with a checkpoint is not run again for a crash after it", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			for n := range 3 {
				_, err := durable.Step(ctx, "part", func(context.Context) (int, error) {
					e.note("part ", n)
					if n > 0 && e.noted(fmt.Sprint("part ", n-1)) > 2 {
						e.note("again")
					}
					return n, nil
				}, durable.Checkpoint)
				if err != nil {
					return nil, err
				}
			}
			return "all", nil
		}))
		e.start("")
		e.gives("all")
		// Its own put is tried three times in mode crash: before, after, and by who goes on from what is stored.
		e.equal("again", e.noted("again"), 0)
	}},
	{area: "scopes", says: "the shorter of two time limits counts", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			begin := ctx.Now()
			outer, stop := durable.WithTimeout(ctx, 2*time.Second)
			defer stop()
			inner, stopInner := durable.WithTimeout(outer, time.Hour)
			defer stopInner()
			_, err := answer.Next(inner).Await()
			return fmt.Sprint(errors.Is(err, durable.ErrTimeout), ctx.Now().Sub(begin) < time.Minute), nil
		}))
		e.start("")
		e.advance(5 * time.Second)
		e.gives("true true")
	}},
	{area: "fan-out", says: "Map tolerates a share of failures and no more", script: func(e *env) {
		e.deploy(works(func(_ context.Context, in string) (string, error) {
			if in < "c" {
				return "", errors.New("no")
			}
			return in, nil
		}), body(func(ctx durable.Context, in string) (any, error) {
			results, err := durable.Map(ctx, strings.Split(in, ""), work.Call, durable.TolerateShare(0.5))
			return fmt.Sprint(len(results), errors.Is(err, durable.ErrTooManyFailures)), nil
		}))
		e.start("abcd")
		e.gives("4 false")
		e.start("abbcd")
		e.gives("5 true")
	}},
	{area: "errors", says: "properties of an error reach who called the activity, and who waits for the run", script: func(e *env) {
		e.deploy(works(func(context.Context, string) (string, error) {
			return "", durable.WithProperties(fmt.Errorf("no: %w", declined), map[string]string{"code": "51"})
		}), body(func(ctx durable.Context, _ string) (any, error) {
			_, err := work.Call(ctx, "")
			ctx.SetStatus(durable.Properties(err)["code"])
			return nil, err
		}))
		e.start("")
		in := e.fails("no")
		e.equal("properties", fmt.Sprint(string(in.CustomStatus), in.Failure.Properties), `"51"map[code:51]`)
	}},
	{area: "errors", says: "behind two sub-orchestrations the error of an activity is found whole", script: func(e *env) {
		e.deploy(works(func(context.Context, string) (string, error) { return "", fmt.Errorf("the bank said: %w", declined) }),
			child.Bind(func(ctx durable.Context, in string) (string, error) {
				if in == "low" {
					return work.Call(ctx, "")
				}
				_, err := child.Call(ctx, "low", durable.ID("low"))
				return "", fmt.Errorf("sold nothing: %w", err)
			}), body(func(ctx durable.Context, _ string) (any, error) {
				_, err := child.Call(ctx, "top", kidID)
				var failed *durable.ActivityError
				var by *durable.OrchestrationError
				if !errors.As(err, &failed) || !errors.As(err, &by) {
					return nil, err
				}
				return fmt.Sprint(by.Instance, ": ", failed.Activity, " ", failed.Attempt, " ", failed.Message), nil
			}))
		e.start("")
		e.gives("kid: Work 1 the bank said: Declined")
	}},
	{area: "errors", says: "a result that has no JSON fails the call for good", script: func(e *env) {
		odd := durable.NewActivity[string, any]("Odd", durable.Retry{Attempts: 3, Initial: time.Second})
		e.deploy(odd.Bind(func(context.Context, string) (any, error) { e.note("ran"); return func() {}, nil }),
			body(func(ctx durable.Context, _ string) (any, error) { return odd.Call(ctx, "") }))
		e.start("")
		e.fails("the result cannot be kept")
		e.happened("ran")
	}},
	{area: "queries", says: "pages have each instance that is there throughout once, while others start and end", script: func(e *env) {
		e.deploy(hear(1))
		for n := range 8 {
			e.start("", durable.ID(fmt.Sprint("stays", n)))
		}
		var ids []string
		q := durable.Query{Limit: 3, IDPrefix: "stays"}
		for n := range 20 {
			e.start("", durable.ID(fmt.Sprint("new", n)))
			page, err := e.client.List(e.ctx, q)
			e.must(err)
			for _, in := range page.Instances {
				ids = append(ids, in.ID)
			}
			e.must(answer.Raise(e.ctx, e.client, fmt.Sprint("new", n), "done"))
			e.settle()
			if q.Continue = page.Continue; q.Continue == "" {
				break
			}
		}
		slices.Sort(ids)
		e.equal("found", ids, "[stays0 stays1 stays2 stays3 stays4 stays5 stays6 stays7]")
	}},
	{area: "HTTP", says: "a bearer token is asked for by name, sent, and in no history", script: func(e *env) {
		url := e.server(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, len(r.Header.Get("Authorization"))) })
		e.deploy(durable.HTTPToken("bank", func(context.Context) (string, error) { return "sesame", nil }), body(func(ctx durable.Context, _ string) (any, error) {
			r, err := durable.HTTP(ctx, durable.HTTPRequest{URL: url, Token: "bank"})
			return string(r.Body), err
		}))
		e.start("")
		e.gives(fmt.Sprint(len("Bearer sesame")))
		all, err := e.client.History(e.ctx, "main")
		e.must(err)
		if strings.Contains(fmt.Sprintf("%+v", all), "sesame") {
			e.Error("the history has the token")
		}
	}},
	{area: "HTTP", says: "a response of 202 is returned as it is without polling", script: func(e *env) {
		url := e.server(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			r, err := durable.HTTP(ctx, durable.HTTPRequest{URL: url, NoPolling: true})
			return r.Status, err
		}))
		e.start("")
		e.gives(202)
	}},
	{area: "HTTP", says: "a request that takes longer than its deadline fails", script: func(e *env) {
		url := e.server(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/")
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusAccepted)
		})
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			_, err := durable.HTTP(ctx, durable.HTTPRequest{URL: url, Deadline: 10 * time.Minute})
			return nil, err
		}))
		e.start("")
		e.advance(time.Hour)
		e.is("main", durable.Failed)
	}},
	{area: "HTTP", says: "a response that is larger than asked for fails", script: func(e *env) {
		url := e.server(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 1001)) })
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			_, err := durable.HTTP(ctx, durable.HTTPRequest{URL: url, MaxBytes: 1000})
			return nil, err
		}))
		e.start("")
		e.fails("1000")
	}},
}

// replace starts the instance "main" in the place of another, while the hub goes on.
func (e *env) replace(in string) {
	e.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := start.Submit(e.ctx, e.client, in, durable.ID("main"), durable.ReplaceExisting)
		done <- err
	}()
	for {
		select {
		case err := <-done:
			e.must(err)
			e.settle()
			return
		case <-time.After(time.Millisecond):
			e.settle()
		}
	}
}
