package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// reset asks for a reset of the instance "main": edit is "result" or "input" and the JSON of it, or nothing.
func (e *env) reset(op string, edit ...string) error {
	req := durable.ResetRequest{Instance: "main", Operation: op, Reason: "a person knows better"}
	if len(edit) > 0 && edit[0] == "result" {
		req.Result = json.RawMessage(edit[1])
	} else if len(edit) > 0 {
		req.Input = json.RawMessage(edit[1])
	}
	return e.client.Reset(e.ctx, req)
}

// resets is reset, and lets happen what can.
func (e *env) resets(op string, edit ...string) {
	e.Helper()
	e.must(e.reset(op, edit...))
	e.settle()
}

// chain calls Work with each of these, one after the other, and returns what came.
func chain(all ...string) durable.Handler {
	return body(func(ctx durable.Context, _ string) (any, error) {
		var out []string
		for _, in := range all {
			v, err := work.Call(ctx, in)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return strings.Join(out, " "), nil
	})
}

// forget has only count what happens from now on.
func (e *env) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.notes = nil
}

var resetCases = []sentence{
	{area: "rewind", says: "an instance that is rewound, and ends at once, shows that end", script: func(e *env) {
		broken := true
		e.deploy(body(func(durable.Context, string) (any, error) {
			if broken {
				return nil, errors.New("the code is broken")
			}
			return "done", nil
		}))
		e.start("")
		e.fails("the code is broken")
		broken = false
		e.must(e.manage(durable.Rewind, "mended"))
		e.settle()
		e.gives("done")
	}},
	{area: "reset", says: "an operation that is reset with a result has it and does not run again", aws: true, script: func(e *env) {
		e.deploy(e.echoes(), chain("a", "b", "c"))
		e.start("")
		e.forget()
		e.resets("1", "result", `"B"`)
		e.gives("a B c")
		e.happened("c")
	}},
	{area: "reset", says: "an activity that is reset with an input runs again with that", script: func(e *env) {
		e.deploy(e.echoes(), chain("a", "b", "c"))
		e.start("")
		e.forget()
		e.resets("1", "input", `"B"`)
		e.gives("a B c")
		e.happened("B", "c")
	}},
	{area: "reset", says: "an operation that is reset with neither runs again, and what came before it stands", script: func(e *env) {
		broken := true
		e.deploy(works(func(_ context.Context, in string) (string, error) {
			e.note(in)
			return fmt.Sprint(in, broken), nil
		}), chain("a", "b", "c"))
		e.start("")
		e.forget()
		broken = false
		e.resets("1")
		e.gives("atrue bfalse cfalse")
		e.happened("b", "c")
	}},
	{area: "reset", says: "an orchestration that is reset to its start begins anew, with another input if there is one", script: func(e *env) {
		e.deploy(e.echoes(), calls(work))
		e.start("first")
		e.gives("first")
		e.resets("start", "input", `"second"`)
		e.gives("second")
		e.json("input", e.is("main", durable.Completed).Input, "second")
		e.resets("start")
		e.gives("second")
	}},
	{area: "reset", says: "an operation that has no outcome yet is given one", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (any, error) {
			if err := durable.Sleep(ctx, 1000*time.Hour); err != nil {
				return nil, err
			}
			return work.Call(ctx, "after")
		}))
		e.start("")
		e.runs()
		e.resets("0", "result", `null`)
		e.gives("after")
	}},
	{area: "reset", says: "an instance that was terminated or has failed goes on when it is reset", script: func(e *env) {
		e.deploy(works(func(context.Context, string) (string, error) { return "", errors.New("never") }), body(func(ctx durable.Context, _ string) (any, error) {
			v, err := work.Call(ctx, "a")
			if err != nil {
				return nil, err
			}
			w, err := answer.Next(ctx).Await()
			return v + w, err
		}))
		e.start("")
		e.fails("never")
		e.resets("0", "result", `"a"`)
		e.runs()
		e.terminate("enough")
		e.resets("0", "result", `"b"`)
		e.tell("!")
		e.settle()
		e.gives("b!")
	}},
	{area: "reset", says: "an instance that is suspended goes on when it is reset", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (any, error) {
			v, err := work.Call(ctx, "a")
			if err == nil && v == "a" {
				panic("this cannot be")
			}
			return v, err
		}))
		e.start("")
		e.stops("this cannot be")
		e.resets("0", "result", `"b"`)
		e.gives("b")
	}},
	{area: "reset", says: "events come again after a reset, in their order", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (any, error) {
			v, err := work.Call(ctx, "a")
			w, err2 := hears(ctx, 2)
			return fmt.Sprint(v, " ", w), errors.Join(err, err2)
		}))
		e.start("")
		e.tell("one")
		e.settle()
		e.tell("two")
		e.settle()
		e.gives("a one two")
		e.resets("0", "result", `"b"`)
		e.gives("b one two")
	}},
	{area: "reset", says: "a reset after a reset and a reset after a rewind stand on what was before them", script: func(e *env) {
		broken := true
		e.deploy(works(func(_ context.Context, in string) (string, error) {
			if broken && in == "b" {
				return "", errors.New("the disk is full")
			}
			return in, nil
		}), chain("a", "b", "c"))
		e.start("")
		e.resets("0", "result", `"A"`)
		e.fails("the disk is full")
		broken = false
		e.must(e.manage(durable.Rewind, ""))
		e.settle()
		e.gives("A b c")
		e.resets("1", "input", `"B"`)
		e.resets("2", "result", `"C"`)
		e.gives("A B C")
	}},
	{area: "reset", says: "a value of a megabyte is taken as a result and as an input", script: func(e *env) {
		e.deploy(works(func(_ context.Context, in string) (string, error) { return fmt.Sprint(len(in)), nil }),
			body(func(ctx durable.Context, _ string) (any, error) {
				v, err := work.Call(ctx, "a")
				w, err2 := work.Call(ctx, v)
				return w, errors.Join(err, err2)
			}))
		e.start("")
		large := fmt.Sprintf("%q", strings.Repeat("x", 1<<20))
		e.resets("0", "result", large)
		e.gives("1048576")
		e.resets("0", "input", large)
		e.gives("7")
	}},
	{area: "reset", says: "sub-orchestrations that run behind a reset end, and are started anew when they are asked for again", script: func(e *env) {
		e.deploy(e.echoes(), kids(), body(func(ctx durable.Context, _ string) (any, error) {
			v, err := work.Call(ctx, "wait")
			w, err2 := child.Call(ctx, v, kidID)
			return w, errors.Join(err, err2)
		}))
		e.start("")
		old := e.is("kid", durable.Running).Incarnation
		e.resets("0", "result", `"done"`)
		for range 10 { // the new life waits for the end of the old one
			e.advance(10 * time.Second)
		}
		e.gives("done")
		if e.is("kid", durable.Completed).Incarnation == old {
			e.Error("it is the same life")
		}
	}},
	{area: "reset", says: "a reset that makes no sense is refused, and nothing happens", script: func(e *env) {
		e.deploy(e.echoes(), body(func(ctx durable.Context, _ string) (any, error) {
			err := durable.Sleep(ctx, time.Minute)
			v, err2 := durable.Step(ctx, "step", func(context.Context) (string, error) { return "s", nil })
			return v, errors.Join(err, err2)
		}))
		e.refuses(e.reset("0"), durable.ErrNotFound)
		e.start("")
		e.advance(2 * time.Minute)
		e.gives("s")
		before := e.kinds("main")
		e.refuses(e.reset("2"), durable.ErrNotResettable)
		e.refuses(e.reset("0", "input", `1`), durable.ErrNotResettable)
		e.refuses(e.reset("0", "result", `1`), durable.ErrNotResettable)
		e.refuses(e.reset("1", "input", `1`), durable.ErrNotResettable)
		e.refuses(e.reset("start", "result", `1`), durable.ErrNotResettable)
		e.refuses(e.reset("1", "result", `{`), durable.ErrInvalid)
		e.refuses(e.reset("first"), durable.ErrInvalid)
		e.settle()
		e.equal("history", slices.Equal(before, e.kinds("main")), true)
	}},
}
