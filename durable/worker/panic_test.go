package worker_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
)

// What a panic leaves is shown over HTTP and on pages: one line that names the place, and no stack.
func TestAPanicShowsItsPlaceAndNoStack(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, text string) {
		t.Helper()
		if !strings.Contains(text, "oh dear") || !strings.Contains(text, "panic_test.go:") {
			t.Errorf("%q does not say what happened and where", text)
		}
		if strings.ContainsAny(text, "\n\t") || strings.Contains(text, "goroutine") {
			t.Errorf("%q shows a stack", text)
		}
	}
	call := hello.Bind(func(ctx durable.Context, name string) (string, error) { return greet.Call(ctx, name) })
	t.Run("of an orchestration", func(t *testing.T) {
		t.Parallel()
		sys := durabletest.New(t, hello.Bind(func(durable.Context, string) (string, error) { panic("oh dear") }))
		start(t, sys, "")
		check(t, status(t, sys, durable.Suspended).SuspendReason)
	})
	t.Run("of an activity", func(t *testing.T) {
		t.Parallel()
		sys := durabletest.New(t, call, greet.Bind(func(context.Context, string) (string, error) { panic("oh dear") }))
		start(t, sys, "")
		f := status(t, sys, durable.Failed).Failure
		check(t, f.Message)
		inHistory(t, sys, hist.TaskFailed)
		shownNowhere(t, f)
	})
	t.Run("of a step", func(t *testing.T) {
		t.Parallel()
		sys := durabletest.New(t, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
			return durable.Step(ctx, "s", func(context.Context) (string, error) { panic("oh dear") })
		}))
		start(t, sys, "")
		f := status(t, sys, durable.Failed).Failure
		check(t, f.Message)
		inHistory(t, sys, hist.StepFailed)
		shownNowhere(t, f)
	})
}

// inHistory fails unless the event of that kind has the stack of the body, from its first line on, and nothing of what called it.
func inHistory(t *testing.T, sys *durabletest.System, kind hist.Kind) {
	t.Helper()
	events, err := sys.Client.History(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == kind {
			if s := e.Failure.Stack; !strings.HasPrefix(s, "  ") || !strings.Contains(s, "panic_test.go:") || strings.Contains(s, "worker.(*Worker)") {
				t.Errorf("the history has the stack %q", s)
			}
			return
		}
	}
	t.Errorf("the history has no %s", kind)
}

func shownNowhere(t *testing.T, f *hist.Failure) {
	t.Helper()
	if f.Stack != "" || slices.ContainsFunc(f.Causes, func(c hist.Failure) bool { return c.Stack != "" }) {
		t.Error("the instance's failure has the stack")
	}
}
