package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// inAnHour is a start for a time.
func (e *env) inAnHour() durable.StartOption {
	return durable.StartAt(e.host.clock.Now().Add(time.Hour))
}

// server answers on this machine until the test is over.
func (e *env) server(f http.HandlerFunc) string {
	s := httptest.NewServer(f)
	e.Cleanup(s.Close)
	return s.URL
}

var manageCases = []sentence{
	{area: "scheduled starts", says: "a start for a time begins then and not before", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { return ctx.Now().Sub(epoch).String(), nil }))
		e.start("", e.inAnHour())
		e.advance(time.Hour - time.Second)
		e.is("main", durable.Pending)
		e.advance(time.Second)
		e.gives("1h0m0s")
	}},
	{area: "scheduled starts", says: "a start for a time that has passed begins at once", script: func(e *env) {
		e.deploy(hear(0))
		e.start("", durable.StartAt(epoch.Add(-time.Hour)))
		e.gives("")
	}},
	{area: "scheduled starts", says: "a start that is terminated before it is due never runs", script: func(e *env) {
		e.deploy(body(func(durable.Context, string) (any, error) { e.note("ran"); return nil, nil }))
		e.start("", e.inAnHour())
		e.terminate("not any more")
		e.advance(2 * time.Hour)
		e.is("main", durable.Terminated)
		e.happened()
	}},
	{area: "scheduled starts", says: "events that come before a start is due are kept", script: func(e *env) {
		e.deploy(hear(2))
		e.start("", e.inAnHour())
		e.tell("one", "two")
		e.settle()
		e.is("main", durable.Pending)
		e.advance(2 * time.Hour)
		e.gives("one two")
	}},
	{area: "start", says: "UseExisting returns the instance that runs", script: func(e *env) {
		e.deploy(hear(1))
		e.start("first")
		e.start("second", durable.UseExisting)
		e.json("input", e.runs().Input, "first")
	}},
	{area: "start", says: "UseSame returns the instance of the same input and refuses another as ErrExists", script: func(e *env) {
		e.deploy(hear(1))
		e.start("same")
		e.start("same", durable.UseSame)
		_, err := start.Submit(e.ctx, e.client, "another", durable.ID("main"), durable.UseSame)
		e.refuses(err, durable.ErrExists)
	}},
	{area: "start", says: "ReuseWhen uses again the ids of those that have ended so, and no other", script: func(e *env) {
		e.deploy(hear(1))
		e.start("first")
		e.terminate("enough")
		_, err := start.Submit(e.ctx, e.client, "", durable.ID("main"), durable.ReuseWhen(durable.Failed, durable.Completed))
		e.refuses(err, durable.ErrExists)
		e.start("second", durable.ReuseWhen(durable.Terminated))
		e.json("input", e.runs().Input, "second")
	}},
	{area: "restart", says: "an instance that has ended runs again with its input", script: func(e *env) {
		e.deploy(body(func(_ durable.Context, in string) (any, error) { e.note(in); return in, nil }))
		e.start("the input", durable.Tag("team", "blue"))
		old := e.is("main", durable.Completed).Incarnation
		_, err := e.client.Restart(e.ctx, durable.RestartRequest{Instance: "main"})
		e.must(err)
		e.settle()
		e.gives("the input")
		in := e.is("main", durable.Completed)
		e.equal("tags", in.Tags, map[string]string{"team": "blue"})
		if in.Incarnation == old {
			e.Error("it is the same life")
		}
	}},
	{area: "restart", says: "a restart with a new id runs beside the old one", script: func(e *env) {
		e.deploy(hear(1))
		e.start("the input")
		ref, err := e.client.Restart(e.ctx, durable.RestartRequest{Instance: "main", NewID: true})
		e.must(err)
		e.settle()
		e.json("input", e.is(ref.ID, durable.Running).Input, "the input")
		e.runs()
	}},
	{area: "restart", says: "an instance that runs is not replaced by its restart but ErrExists", script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		_, err := e.client.Restart(e.ctx, durable.RestartRequest{Instance: "main"})
		e.refuses(err, durable.ErrExists)
		_, err = e.client.Restart(e.ctx, durable.RestartRequest{Instance: "nobody"})
		e.refuses(err, durable.ErrNotFound)
	}},
	{area: "rewind", says: "a rewind runs what failed again and keeps what succeeded", script: func(e *env) {
		broken := true
		e.deploy(works(func(_ context.Context, in string) (string, error) {
			e.note(in, " ", broken)
			if broken && in == "second" {
				return "", errors.New("the disk is full")
			}
			return in, nil
		}), body(func(ctx durable.Context, _ string) (any, error) {
			a, err := work.Call(ctx, "first")
			if err != nil {
				return nil, err
			}
			b, err := work.Call(ctx, "second")
			return a + b, err
		}))
		e.start("")
		e.fails("the disk is full")
		broken = false
		e.must(e.manage(durable.Rewind, "the disk was emptied"))
		e.settle()
		e.gives("firstsecond")
		e.happened("first true", "second true", "second false")
	}},
	{area: "rewind", says: "only what has failed is rewound, and nothing else but ErrNotFailed", script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.refuses(e.manage(durable.Rewind, ""), durable.ErrNotFailed)
		e.tell("yes")
		e.settle()
		e.refuses(e.manage(durable.Rewind, ""), durable.ErrNotFailed)
		e.gives("yes")
	}},
	{area: "rewind", says: "what fails again after a rewind is rewound again", script: func(e *env) {
		left := 3
		e.deploy(works(func(_ context.Context, in string) (string, error) {
			if left > 0 {
				return "", errors.New("not yet")
			}
			return "done", nil
		}), calls(work))
		for e.start(""); left > 0; left-- {
			e.fails("not yet")
			if left > 1 {
				e.must(e.manage(durable.Rewind, "once more"))
				e.settle()
			}
		}
		e.must(e.manage(durable.Rewind, "the last time"))
		e.settle()
		e.gives("done")
	}},
	{area: "queries", says: "a query by tags finds instances that have them all", script: func(e *env) {
		e.deploy(hear(1))
		e.start("", durable.ID("a"), durable.Tag("team", "blue"), durable.Tag("size", "L"))
		e.start("", durable.ID("b"), durable.Tag("team", "blue"))
		e.equal("both", len(e.list(durable.Query{Tags: map[string]string{"team": "blue"}})), 2)
		e.equal("one", e.list(durable.Query{Tags: map[string]string{"team": "blue", "size": "L"}}), "[a]")
		e.equal("none", len(e.list(durable.Query{Tags: map[string]string{"team": "red"}})), 0)
	}},
	{area: "queries", says: "a query by text finds it in ids, names, tags and custom statuses, in any case", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, in string) (any, error) { ctx.SetStatus(in); return hears(ctx, 1) }))
		e.start("Packing", durable.ID("order-1"))
		e.start("shipped", durable.ID("order-2"), durable.Tag("to", "Köln"))
		e.equal("status", e.list(durable.Query{Text: "packING"}), "[order-1]")
		e.equal("tag", e.list(durable.Query{Text: "köln"}), "[order-2]")
		e.equal("id", e.list(durable.Query{Text: "ORDER-2"}), "[order-2]")
		e.equal("name", len(e.list(durable.Query{Text: "main"})), 2)
		e.equal("custom status", e.list(durable.Query{CustomStatus: "ship"}), "[order-2]")
	}},
	{area: "queries", says: "a Continue of another query is refused as ErrInvalid", script: func(e *env) {
		e.deploy(hear(1))
		for n := range 3 {
			e.start("", durable.ID(fmt.Sprint("i", n)))
		}
		page, err := e.client.List(e.ctx, durable.Query{Limit: 1})
		e.must(err)
		_, err = e.client.List(e.ctx, durable.Query{Limit: 1, IDPrefix: "i", Continue: page.Continue})
		e.refuses(err, durable.ErrInvalid)
	}},
	{area: "purge", says: "a list of ids is purged but for those that run or do not exist", script: func(e *env) {
		e.deploy(hear(1))
		e.start("", durable.ID("runs"))
		e.start("")
		e.terminate("enough")
		n, err := durable.PurgeAll(e.ctx, e.client, "main", "runs", "nobody")
		e.must(err)
		e.equal("purged", n, 1)
		e.equal("left", e.list(durable.Query{}), "[runs]")
	}},
	{area: "code", says: "Changed is false for a run that has passed the place and true for one that comes to it", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			_, err := double.Call(ctx, 1)
			if err == nil {
				_, err = hears(ctx, 1)
			}
			return "old", err
		}))
		e.start("")
		e.build("build 2", doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			word := "old"
			if durable.Changed(ctx, "twice") {
				word = "new"
				if _, err := double.Call(ctx, 2); err != nil {
					return nil, err
				}
			}
			_, err := double.Call(ctx, 1)
			if err == nil {
				_, err = hears(ctx, 1)
			}
			return word, err
		}))
		e.tell("go")
		e.settle()
		e.gives("old")
		e.start("", durable.ID("later"))
		e.must(answer.Raise(e.ctx, e.client, "later", "go"))
		e.settle()
		e.completes("later", "new")
	}},
	{area: "HTTP", says: "a request's response comes back with its status and body", script: func(e *env) {
		url := e.server(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			fmt.Fprint(w, r.Method, " ", r.Header.Get("X-Key"))
		})
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			r, err := durable.HTTP(ctx, durable.HTTPRequest{Method: "PUT", URL: url, Header: map[string][]string{"X-Key": {"7"}}})
			return fmt.Sprint(r.Status, " ", string(r.Body)), err
		}))
		e.start("")
		e.gives("418 PUT 7")
	}},
	{area: "HTTP", says: "work that a server has accepted is polled until it is done", script: func(e *env) {
		url := e.server(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/job" && e.noted("polled") >= 6 { // a crash may ask again
				fmt.Fprint(w, "finished")
				return
			}
			if r.URL.Path == "/job" {
				e.note("polled")
			}
			w.Header().Set("Location", "/job")
			w.Header().Set("Retry-After", "10")
			w.WriteHeader(http.StatusAccepted)
		})
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			r, err := durable.HTTP(ctx, durable.HTTPRequest{Method: "POST", URL: url + "/start"})
			return string(r.Body), err
		}))
		e.start("")
		e.runs()
		e.advance(5 * time.Minute)
		e.gives("finished")
	}},
	{area: "HTTP", says: "a status that a server may recover from is retried as the policy says", script: func(e *env) {
		url := e.server(func(w http.ResponseWriter, r *http.Request) {
			if e.note("asked"); e.since() < time.Minute {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			r, err := durable.HTTP(ctx, durable.HTTPRequest{URL: url, Retry: durable.Retry{Attempts: 3, Initial: 2 * time.Minute}})
			return r.Status, err
		}))
		e.start("")
		e.advance(10 * time.Minute)
		e.gives(200)
	}},
}
