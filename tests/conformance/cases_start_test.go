package conformance

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

var startCases = []sentence{
	{area: "start", says: "an instance gets the id that its starter chose", aws: true, script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { return ctx.InstanceID(), nil }))
		e.start("", durable.ID("chosen"))
		e.completes("chosen", "chosen")
	}},
	{area: "start", says: "without an id each instance gets one of its own", aws: true, script: func(e *env) {
		e.deploy(hear(0))
		a, err := start.Submit(e.ctx, e.client, "")
		e.must(err)
		b, err := start.Submit(e.ctx, e.client, "")
		e.must(err)
		e.settle()
		if a.ID() == b.ID() || a.ID() == "" {
			e.Errorf("the ids are %q and %q", a.ID(), b.ID())
		}
		e.completes(a.ID(), "")
		e.completes(b.ID(), "")
	}},
	{area: "start", says: "the id of an instance that runs is refused as ErrExists", script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		_, err := start.Submit(e.ctx, e.client, "again", durable.ID("main"))
		e.refuses(err, durable.ErrExists)
	}},
	{area: "start", says: "the id of an instance that has ended is used again", aws: true, script: func(e *env) {
		e.deploy(body(func(_ durable.Context, in string) (any, error) { return in, nil }))
		e.start("one")
		e.gives("one")
		e.start("two")
		e.gives("two")
	}},
	{area: "start", says: "ReuseNever refuses the id of an instance that has ended", script: func(e *env) {
		e.deploy(hear(0))
		e.start("")
		_, err := start.Submit(e.ctx, e.client, "", durable.ID("main"), durable.ReuseNever)
		e.refuses(err, durable.ErrExists)
	}},
	{area: "start", says: "a new life of an id gets nothing that was meant for the old one", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, in string) (any, error) {
			if in == "old" {
				durable.After(ctx, time.Minute)
				return "old", nil
			}
			return answer.Within(ctx, time.Hour)
		}))
		e.begin("old")
		e.tell("for the old one")
		e.settle()
		e.gives("old")
		e.start("new")
		e.advance(30 * time.Minute)
		e.runs()
		e.tell("for the new one")
		e.settle()
		e.gives("for the new one")
	}},
	{area: "start", says: "fifty clients that start one id at once make one run", script: func(e *env) {
		e.deploy(e.echoes(), calls(work))
		var wg sync.WaitGroup
		var mu sync.Mutex
		var started int
		for n := range 50 {
			wg.Go(func() {
				_, err := start.Submit(e.ctx, e.client, fmt.Sprint(n), durable.ID("main"), durable.ReuseNever)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					started++
				case !errors.Is(err, durable.ErrExists):
					e.Error(err)
				}
			})
		}
		wg.Wait()
		e.settle()
		e.is("main", durable.Completed)
		e.equal("started", started, 1)
		e.equal("runs", len(firsts(e.notes)), 1)
	}},
	{area: "start", says: "ids may have quotes and what URLs give a meaning", aws: true, script: func(e *env) {
		e.deploy(hear(1))
		ids := []string{`it's "quoted"`, "a&b=c%20d", "<b>;+,:$!*()[]{}|^~`", " spaces ", "100%"}
		for _, id := range ids {
			e.start("", durable.ID(id))
			e.must(answer.Raise(e.ctx, e.client, id, id))
			e.settle()
			e.completes(id, id)
		}
		e.equal("instances", len(e.list(durable.Query{})), len(ids))
	}},
	{area: "start", says: "ids, names, inputs, events and errors may be in any script", script: func(e *env) {
		main := durable.NewOrchestration[string, string]("Großauftrag 大口注文")
		act := durable.NewActivity[string, string]("Prüfen ✓")
		ev := durable.NewEvent[string]("Antwort 答え")
		e.deploy(main.Bind(func(ctx durable.Context, in string) (string, error) {
			ctx.SetStatus("wartet ⏳")
			v, err := ev.Next(ctx).Await()
			if err != nil {
				return "", err
			}
			return act.Call(ctx, in+v)
		}), act.Bind(echo))
		_, err := main.Submit(e.ctx, e.client, "ça va? ", durable.ID("Auftrag-№-七"), durable.Tag("größe", "übergroß 🐘"))
		e.must(err)
		e.settle()
		e.must(ev.Raise(e.ctx, e.client, "Auftrag-№-七", "はい"))
		e.settle()
		e.completes("Auftrag-№-七", "ça va? はい")
		in := e.is("Auftrag-№-七", durable.Completed)
		e.equal("name and tags", fmt.Sprint(in.Name, in.Tags), "Großauftrag 大口注文map[größe:übergroß 🐘]")
		e.json("custom status", in.CustomStatus, "wartet ⏳")
		e.equal("instances", e.list(durable.Query{IDPrefix: "Auftrag-№"}), "[Auftrag-№-七]")
	}},
	{area: "start", says: "ids that can never be right are refused as ErrInvalid", aws: true, script: func(e *env) {
		for _, id := range []string{"a/b", `a\b`, "a#b", "a?b", "@entity", ".", "..", "a\nb", long(257)} {
			_, err := start.Submit(e.ctx, e.client, "", durable.ID(id))
			e.refuses(err, durable.ErrInvalid)
		}
	}},
	{area: "start", says: "tags are shown with the instance", script: func(e *env) {
		e.deploy(hear(0))
		e.start("", durable.Tag("team", "blue"), durable.Tag("size", "XL"))
		e.equal("tags", e.is("main", durable.Completed).Tags, map[string]string{"size": "XL", "team": "blue"})
	}},
	{area: "start", says: "an instance runs the code of the version that it was started with", aws: true, script: func(e *env) {
		one := func(ctx durable.Context, _ string) (any, error) { return "one", nil }
		e.deploy(hear(0), start.Version(1).Bind(one))
		e.start("", durable.Version(1))
		e.gives("one")
		e.equal("version", e.is("main", durable.Completed).Version, 1)
		e.start("", durable.ID("other"))
		e.completes("other", "")
	}},
	{area: "start", says: "a version that nobody has suspends the instance until a build has it", script: func(e *env) {
		e.deploy(hear(0))
		e.start("", durable.Version(7))
		e.advance(24 * time.Hour)
		e.stops("version 7")
		e.build("build 2", hear(0), start.Version(7).Bind(func(durable.Context, string) (any, error) { return "seven", nil }))
		e.resume()
		e.gives("seven")
	}},
	{area: "start", says: "an orchestration that nobody has suspends the instance until a build has it", script: func(e *env) {
		e.deploy(doubles())
		e.start("")
		e.advance(24 * time.Hour)
		e.stops("Main")
		e.build("build 2", hear(0))
		e.resume()
		e.gives("")
	}},
}

var queryCases = []sentence{
	{area: "queries", says: "a query without conditions finds every instance", aws: true, script: func(e *env) {
		e.deploy(hear(1))
		for n := range 5 {
			e.start("", durable.ID(fmt.Sprint("i", n)))
		}
		e.equal("instances", len(e.list(durable.Query{})), 5)
	}},
	{area: "queries", says: "a query returns the newest instances first", script: func(e *env) {
		e.deploy(hear(1))
		for n := range 3 {
			e.start("", durable.ID(fmt.Sprint("i", n)))
			e.advance(time.Second)
		}
		e.equal("instances", e.list(durable.Query{}), "[i2 i1 i0]")
	}},
	{area: "queries", says: "pages together have each instance once", script: func(e *env) {
		e.deploy(hear(1))
		for n := range 25 {
			e.start("", durable.ID(fmt.Sprint("i", n)))
		}
		for _, limit := range []int{1, 7, 25, 26} {
			got := e.list(durable.Query{Limit: limit})
			if len(got) != 25 || len(firsts(got)) != 25 {
				e.Errorf("pages of %d have %d instances, %d of them different", limit, len(got), len(firsts(got)))
			}
		}
	}},
	{area: "queries", says: "a query by status finds those that have it now", script: func(e *env) {
		e.deploy(hear(1))
		for _, id := range []string{"runs", "main", "ended"} {
			e.start("", durable.ID(id))
		}
		e.suspend("wait")
		e.must(answer.Raise(e.ctx, e.client, "ended", ""))
		e.settle()
		e.equal("running", e.list(durable.Query{Statuses: []durable.Status{durable.Running}}), "[runs]")
		e.equal("suspended", e.list(durable.Query{Statuses: []durable.Status{durable.Suspended}}), "[main]")
		e.equal("completed", e.list(durable.Query{Statuses: []durable.Status{durable.Completed}}), "[ended]")
		e.equal("two", len(e.list(durable.Query{Statuses: []durable.Status{durable.Completed, durable.Running}})), 2)
		e.equal("failed", len(e.list(durable.Query{Statuses: []durable.Status{durable.Failed}})), 0)
	}},
	{area: "queries", says: "a query by the beginning of the id finds those", aws: true, script: func(e *env) {
		e.deploy(hear(1))
		for _, id := range []string{"order-1", "order-10", "Order-2", "invoice-1"} {
			e.start("", durable.ID(id))
		}
		e.equal("orders", len(e.list(durable.Query{IDPrefix: "order-"})), 2)
		e.equal("invoices", e.list(durable.Query{IDPrefix: "invoice-1"}), "[invoice-1]")
		e.equal("none", len(e.list(durable.Query{IDPrefix: "%"})), 0)
	}},
	{area: "queries", says: "a query by name finds instances of that orchestration", script: func(e *env) {
		e.deploy(hear(1), child.Bind(func(durable.Context, string) (string, error) { return "", nil }))
		e.start("")
		_, err := child.Submit(e.ctx, e.client, "", durable.ID("kid"))
		e.must(err)
		e.settle()
		e.equal("children", e.list(durable.Query{Names: []string{"Child"}}), "[kid]")
		e.equal("both", len(e.list(durable.Query{Names: []string{"Child", "Main"}})), 2)
	}},
	{area: "queries", says: "a query by time of creation includes both ends", script: func(e *env) {
		e.deploy(hear(1))
		for n := range 4 {
			e.start("", durable.ID(fmt.Sprint("i", n)))
			e.advance(time.Minute)
		}
		e.equal("in between", e.list(durable.Query{From: epoch.Add(time.Minute), To: epoch.Add(2 * time.Minute)}), "[i2 i1]")
		e.equal("from", e.list(durable.Query{From: epoch.Add(3 * time.Minute)}), "[i3]")
		e.equal("to", e.list(durable.Query{To: epoch}), "[i0]")
	}},
	{area: "queries", says: "conditions of a query hold together", script: func(e *env) {
		e.deploy(hear(1), child.Bind(func(durable.Context, string) (string, error) { return "", nil }))
		for n := range 6 {
			e.start("", durable.ID(fmt.Sprint("m", n)))
			_, err := child.Submit(e.ctx, e.client, "", durable.ID(fmt.Sprint("c", n)))
			e.must(err)
			e.settle()
			e.advance(time.Minute)
		}
		e.equal("found", e.list(durable.Query{IDPrefix: "m", Names: []string{"Main"}, Statuses: []durable.Status{durable.Running},
			From: epoch.Add(2 * time.Minute), To: epoch.Add(4 * time.Minute), Limit: 1}), "[m4 m3 m2]")
		e.equal("nothing", len(e.list(durable.Query{IDPrefix: "m", Names: []string{"Child"}})), 0)
	}},
	{area: "queries", says: "a query may leave the inputs out", script: func(e *env) {
		e.deploy(hear(1))
		e.start("the input")
		for _, without := range []bool{true, false} {
			page, err := e.client.List(e.ctx, durable.Query{NoInput: without})
			e.must(err)
			e.equal("inputs left out", len(page.Instances[0].Input) == 0, without)
		}
	}},
	{area: "queries", says: "a Continue that no page returned is refused as ErrInvalid", aws: true, script: func(e *env) {
		_, err := e.client.List(e.ctx, durable.Query{Continue: "made up"})
		e.refuses(err, durable.ErrInvalid)
	}},
	{area: "queries", says: "reading what does not exist is refused as ErrNotFound", script: func(e *env) {
		_, err := e.client.Get(e.ctx, "nobody")
		e.refuses(err, durable.ErrNotFound)
		_, err = e.client.History(e.ctx, "nobody")
		e.refuses(err, durable.ErrNotFound)
	}},
	{area: "history", says: "a history tells what was asked for and what came of it, in order", aws: true, script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			if _, err := double.Call(ctx, 1); err != nil {
				return nil, err
			}
			if err := durable.Sleep(ctx, time.Second); err != nil {
				return nil, err
			}
			return hears(ctx, 1)
		}))
		e.start("")
		e.advance(3 * time.Second)
		e.tell("yes")
		e.settle()
		e.gives("yes")
		e.equal("history", e.kinds("main"), "[ExecutionStarted TaskScheduled TaskCompleted TimerCreated TimerFired EventRaised ExecutionCompleted]")
	}},
	{area: "history", says: "a history has the payloads, large ones too", script: func(e *env) {
		e.deploy(e.echoes(), calls(work))
		e.start(long(100_000))
		all, err := e.client.History(e.ctx, "main")
		e.must(err)
		for _, ev := range all {
			if ev.Kind.String() == "TaskCompleted" {
				e.json("result", ev.Data.Bytes, long(100_000))
				return
			}
		}
		e.Error("there is no result")
	}},
	{area: "history", says: "a history tells of suspending, resuming and terminating", script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.suspend("lunch")
		e.resume()
		e.terminate("enough")
		e.equal("history", e.kinds("main"), "[ExecutionStarted ExecutionSuspended ExecutionResumed ExecutionTerminated]")
	}},
}
