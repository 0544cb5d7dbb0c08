package chaining_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/examples/patterns/chaining"
)

func TestEachGetsWhatTheOneBeforeReturned(t *testing.T) {
	t.Parallel()
	sys := durabletest.New(t, chaining.Digest.Bind(chaining.Run),
		chaining.Fetch.Bind(func(ctx context.Context, url string) (string, error) {
			if durable.Attempt(ctx) < 3 {
				return "", errors.New("the server is busy")
			}
			return "page of " + url, nil
		}),
		chaining.Shorten.Bind(func(_ context.Context, page string) (string, error) { return "short " + page, nil }),
		chaining.Publish.Bind(func(_ context.Context, text string) (string, error) { return "published " + text, nil }))
	run, err := chaining.Digest.Submit(t.Context(), sys.Client, "example.com")
	if err != nil {
		t.Fatal(err)
	}
	sys.Advance(time.Minute)
	if out, err := run.Wait(t.Context()); out != "published short page of example.com" || err != nil {
		t.Errorf("got %q, %v", out, err)
	}
}
