package singleton_test

import (
	"context"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/examples/patterns/singleton"
)

func TestOneAtATime(t *testing.T) {
	t.Parallel()
	copied := map[string]int{}
	sys := durabletest.New(t, singleton.Sync.Bind(singleton.Run), singleton.Copy.Bind(func(_ context.Context, account string) (durable.None, error) {
		copied[account]++
		return durable.None{}, nil
	}))
	start := func(account string) {
		t.Helper()
		if _, err := singleton.Start(t.Context(), sys.Client, account); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		start("blue")
	}
	start("red")
	sys.Settle()
	if copied["blue"] != 1 || copied["red"] != 1 {
		t.Errorf("copied %v", copied)
	}
	start("blue")
	sys.Settle()
	if copied["blue"] != 2 {
		t.Errorf("copied %v: when one has ended the next may come", copied)
	}
}
