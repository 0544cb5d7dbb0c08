package worker_test

import (
	"context"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// A turn that new code has begun, and marked, is not finished by the code before: what that asks for behind the mark would never match.
func TestATurnThatMarksAChangeIsFinishedByCodeThatKnowsIt(t *testing.T) {
	t.Parallel()
	near := true
	h := newHub(t, worker.Config{SegmentCommands: 1, NearDeadline: func(context.Context) bool { return near }})
	code := func(knows bool) durable.Handler {
		return hello.Bind(func(ctx durable.Context, _ string) (string, error) {
			if _, err := yes.Next(ctx).Await(); err != nil {
				return "", err
			}
			word := "old"
			if knows && durable.Changed(ctx, "words") {
				word = "new"
			}
			return greet.Call(ctx, word)
		})
	}
	h.deploy("build 1", greet.Bind(greetBody), code(false))
	h.submit("one")
	h.orchestrate()
	h.raise("one")
	h.deploy("build 2", greet.Bind(greetBody), code(true))
	h.done(h.Inbox(t.Context(), h.take(h.ports.Inbox))) // commits the mark, and hands the rest of its turn on
	near = false
	h.deploy("build 1 again", greet.Bind(greetBody), code(false))
	h.settle()
	h.suspendedWith("one", "the mark of change words", "did not ask for it")
	h.deploy("build 2", greet.Bind(greetBody), code(true))
	h.manage("one", durable.Resume, "")
	h.settle()
	if in := h.is("one", durable.Completed); string(in.Output) != `"Hello, new"` {
		t.Errorf("it ends with %s", in.Output)
	}
}
