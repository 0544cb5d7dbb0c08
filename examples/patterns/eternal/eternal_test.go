package eternal_test

import (
	"context"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/examples/patterns/eternal"
)

func TestItGoesOnUntilItIsToldToStop(t *testing.T) {
	t.Parallel()
	rounds := 0
	sys := durabletest.New(t, eternal.Janitor.Bind(eternal.Run), eternal.CleanUp.Bind(func(context.Context, int) (durable.None, error) {
		rounds++
		return durable.None{}, nil
	}))
	run, err := eternal.Janitor.Submit(t.Context(), sys.Client, 0)
	if err != nil {
		t.Fatal(err)
	}
	sys.Advance(48*time.Hour + 30*time.Minute)
	if rounds != 49 {
		t.Errorf("%d rounds in two days", rounds)
	}
	if all, err := sys.Client.History(t.Context(), run.ID()); err != nil || len(all) > 10 {
		t.Errorf("the history has %d events, %v", len(all), err)
	}
	if err := eternal.Stop.Raise(t.Context(), sys.Client, run.ID(), durable.None{}); err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	if out, err := run.Wait(t.Context()); out != 49 || err != nil {
		t.Errorf("got %d, %v", out, err)
	}
}
