package conformance

import (
	"context"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// workThenHear calls Work and then waits for an event.
func workThenHear() durable.Handler {
	return body(func(ctx durable.Context, in string) (any, error) {
		if _, err := work.Call(ctx, in); err != nil {
			return nil, err
		}
		return hears(ctx, 1)
	})
}

var lifeCases = []sentence{
	{area: "terminate", says: "an instance that waits is terminated, with the reason as its output", aws: true, script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.terminate("nobody needs it")
		e.json("output", e.is("main", durable.Terminated).Output, "nobody needs it")
	}},
	{area: "terminate", says: "an instance that has not begun is terminated", aws: true, script: func(e *env) {
		e.deploy(hear(1))
		e.begin("")
		e.terminate("too early")
		e.is("main", durable.Terminated)
	}},
	{area: "terminate", says: "an instance that is suspended is terminated", script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.suspend("wait")
		e.terminate("enough")
		e.is("main", durable.Terminated)
	}},
	{area: "terminate", says: "an instance that has ended is not terminated but ErrEnded", aws: true, script: func(e *env) {
		e.deploy(hear(0))
		e.start("")
		e.refuses(e.manage(durable.Terminate, "late"), durable.ErrEnded)
		e.is("main", durable.Completed)
	}},
	{area: "terminate", says: "an instance that does not exist is not managed but ErrNotFound", script: func(e *env) {
		for _, c := range []durable.Command{durable.Terminate, durable.Suspend, durable.Resume} {
			e.refuses(e.manage(c, ""), durable.ErrNotFound)
		}
	}},
	{area: "terminate", says: "a result that comes after terminate changes nothing", aws: true, script: func(e *env) {
		e.deploy(workThenHear(), works(func(ctx context.Context, in string) (string, error) {
			if err := e.manage(durable.Terminate, "meanwhile"); err != nil {
				e.note(err)
			}
			return "late", nil
		}))
		e.start("")
		e.advance(time.Second)
		e.json("output", e.is("main", durable.Terminated).Output, "meanwhile")
	}},
	{area: "terminate", says: "a timer that is due after terminate changes nothing", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { return "done", durable.Sleep(ctx, time.Hour) }))
		e.start("")
		e.terminate("enough")
		before := e.kinds("main")
		e.advance(2 * time.Hour)
		e.is("main", durable.Terminated)
		e.equal("history", e.kinds("main"), before)
	}},
	{area: "terminate", says: "an event after terminate is refused as ErrEnded", script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.terminate("enough")
		e.refuses(answer.Raise(e.ctx, e.client, "main", "late"), durable.ErrEnded)
	}},
	{area: "terminate", says: "terminate runs no compensation", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (_ any, err error) {
			saga := durable.NewSaga(ctx)
			defer saga.End(&err)
			work.Compensate(saga, "undo")
			return hears(ctx, 1)
		}))
		e.start("")
		e.terminate("enough")
		e.happened()
	}},
	{area: "suspend", says: "an instance that waits is suspended with the reason, and resumed", aws: true, script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.suspend("lunch")
		if in := e.is("main", durable.Suspended); in.SuspendReason != "lunch" {
			e.Errorf("the reason is %q", in.SuspendReason)
		}
		e.resume()
		if in := e.runs(); in.SuspendReason != "" {
			e.Errorf("it is still suspended because of %q", in.SuspendReason)
		}
	}},
	{area: "suspend", says: "an instance that has not begun is suspended", script: func(e *env) {
		e.deploy(hear(1))
		e.begin("")
		e.suspend("not yet")
		e.is("main", durable.Suspended)
		e.resume()
		e.tell("now")
		e.settle()
		e.gives("now")
	}},
	{area: "suspend", says: "events that come while an instance is suspended are kept", aws: true, script: func(e *env) {
		e.deploy(hear(2))
		e.start("")
		e.suspend("lunch")
		e.tell("one", "two")
		e.settle()
		e.is("main", durable.Suspended)
		e.resume()
		e.gives("one two")
	}},
	{area: "suspend", says: "a timer that is due while an instance is suspended is kept", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { return "done", durable.Sleep(ctx, time.Hour) }))
		e.start("")
		e.suspend("lunch")
		e.advance(2 * time.Hour)
		e.is("main", durable.Suspended)
		e.resume()
		e.gives("done")
	}},
	{area: "suspend", says: "a result that comes while an instance is suspended is kept", script: func(e *env) {
		e.deploy(works(func(context.Context, string) (string, error) {
			if err := e.manage(durable.Suspend, "meanwhile"); err != nil {
				e.note(err)
			}
			return "kept", nil
		}), calls(work))
		e.start("")
		e.is("main", durable.Suspended)
		e.resume()
		e.gives("kept")
	}},
	{area: "suspend", says: "suspending what is suspended is refused as ErrSuspended", script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.suspend("lunch")
		e.refuses(e.manage(durable.Suspend, "again"), durable.ErrSuspended)
	}},
	{area: "suspend", says: "resuming what is not suspended is refused as ErrNotSuspended", aws: true, script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.refuses(e.manage(durable.Resume, ""), durable.ErrNotSuspended)
	}},
	{area: "suspend", says: "an instance that has ended is neither suspended nor resumed but ErrEnded", script: func(e *env) {
		e.deploy(hear(0))
		e.start("")
		e.refuses(e.manage(durable.Suspend, ""), durable.ErrEnded)
		e.refuses(e.manage(durable.Resume, ""), durable.ErrEnded)
	}},
	{area: "suspend", says: "an instance is suspended and resumed again and again", script: func(e *env) {
		e.deploy(hear(5))
		e.start("")
		for _, v := range []string{"1", "2", "3", "4", "5"} {
			e.suspend("once more")
			e.tell(v)
			e.settle()
			e.is("main", durable.Suspended)
			e.resume()
		}
		e.gives("1 2 3 4 5")
	}},
	{area: "purge", says: "an instance that has ended is gone after a purge", aws: true, script: func(e *env) {
		e.deploy(hear(0))
		e.start("")
		e.must(e.client.Purge(e.ctx, "main"))
		_, err := e.client.Get(e.ctx, "main")
		e.refuses(err, durable.ErrNotFound)
		_, err = e.client.History(e.ctx, "main")
		e.refuses(err, durable.ErrNotFound)
		e.equal("instances", len(e.list(durable.Query{})), 0)
	}},
	{area: "purge", says: "an instance that was terminated or has failed is purged", script: func(e *env) {
		e.deploy(hear(1), child.Bind(func(durable.Context, string) (string, error) { return "", declined }))
		e.start("")
		e.terminate("enough")
		_, err := child.Submit(e.ctx, e.client, "", durable.ID("failed"))
		e.must(err)
		e.settle()
		e.is("failed", durable.Failed)
		e.must(e.client.Purge(e.ctx, "main"))
		e.must(e.client.Purge(e.ctx, "failed"))
		e.equal("instances", len(e.list(durable.Query{})), 0)
	}},
	{area: "purge", says: "an instance that runs is not purged but ErrNotEnded", script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.refuses(e.client.Purge(e.ctx, "main"), durable.ErrNotEnded)
		e.suspend("wait")
		e.refuses(e.client.Purge(e.ctx, "main"), durable.ErrNotEnded)
		e.resume()
		e.tell("yes")
		e.settle()
		e.gives("yes")
	}},
	{area: "purge", says: "purging what does not exist is refused as ErrNotFound", aws: true, script: func(e *env) {
		e.refuses(e.client.Purge(e.ctx, "nobody"), durable.ErrNotFound)
	}},
	{area: "purge", says: "the id of a purged instance is free", aws: true, script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.tell("first")
		e.settle()
		e.must(e.client.Purge(e.ctx, "main"))
		e.start("")
		e.runs()
		e.tell("second")
		e.settle()
		e.gives("second")
	}},
	{area: "purge", says: "a purge takes large payloads and histories along", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, in string) (any, error) {
			if _, err := sum(ctx, 60); err != nil {
				return nil, err
			}
			return in, nil
		}))
		e.start(long(100_000))
		e.is("main", durable.Completed)
		e.must(e.client.Purge(e.ctx, "main"))
		_, err := e.client.Get(e.ctx, "main")
		e.refuses(err, durable.ErrNotFound)
	}},
	{area: "status", says: "a custom status is shown while the instance runs", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			ctx.SetStatus(map[string]int{"page": 7})
			return hears(ctx, 1)
		}))
		e.start("")
		e.json("custom status", e.runs().CustomStatus, map[string]int{"page": 7})
	}},
	{area: "status", says: "the last custom status stays when the instance completes", aws: true, script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			ctx.SetStatus("one")
			ctx.SetStatus("two")
			return "done", nil
		}))
		e.start("")
		e.json("custom status", e.is("main", durable.Completed).CustomStatus, "two")
	}},
	{area: "status", says: "a custom status of nil clears it", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			ctx.SetStatus("busy")
			if _, err := hears(ctx, 1); err != nil {
				return nil, err
			}
			ctx.SetStatus(nil)
			return hears(ctx, 1)
		}))
		e.start("")
		e.json("custom status", e.runs().CustomStatus, "busy")
		e.tell("go on")
		e.settle()
		if got := string(e.runs().CustomStatus); got != "" && got != "null" {
			e.Errorf("the custom status is %s", got)
		}
	}},
	{area: "status", says: "a custom status of 16 KiB is kept", aws: true, script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { ctx.SetStatus(long(16<<10 - 2)); return "done", nil }))
		e.start("")
		e.json("custom status", e.is("main", durable.Completed).CustomStatus, long(16<<10-2))
	}},
	{area: "status", says: "a custom status of a byte more suspends the instance", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { ctx.SetStatus(long(16<<10 - 1)); return "done", nil }))
		e.start("")
		e.is("main", durable.Suspended)
	}},
	{area: "status", says: "an instance shows its name, input, and times", script: func(e *env) {
		e.deploy(hear(1))
		e.start("the input")
		e.advance(time.Hour)
		e.tell("yes")
		e.settle()
		in := e.is("main", durable.Completed)
		e.equal("name", in.Name, "Main")
		e.json("input", in.Input, "the input")
		e.equal("created", in.Created.Sub(epoch), time.Duration(0))
		e.equal("updated", in.Updated.Sub(epoch), time.Hour)
	}},
	{area: "status", says: "an instance that nobody has begun yet is Pending", script: func(e *env) {
		e.deploy(hear(1))
		e.begin("")
		e.is("main", durable.Pending)
	}},
}

// long is a text of n characters.
func long(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + i*i%23)
	}
	return string(b)
}
