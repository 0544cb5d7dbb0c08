package worker_test

import (
	"context"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
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
		check(t, status(t, sys, durable.Failed).Failure.Message)
	})
	t.Run("of a step", func(t *testing.T) {
		t.Parallel()
		sys := durabletest.New(t, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
			return durable.Step(ctx, "s", func(context.Context) (string, error) { panic("oh dear") })
		}))
		start(t, sys, "")
		check(t, status(t, sys, durable.Failed).Failure.Message)
	})
}
