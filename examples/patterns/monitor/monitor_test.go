package monitor_test

import (
	"context"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/examples/patterns/monitor"
)

// watch has a job that is done at its n-th look, and moves the clock by two days.
func watch(t *testing.T, n int) (looks int, in durable.Instance) {
	t.Helper()
	sys := durabletest.New(t, monitor.Watch.Bind(monitor.Run), monitor.IsDone.Bind(func(context.Context, string) (bool, error) {
		looks++
		return looks == n, nil
	}))
	run, err := monitor.Watch.Submit(t.Context(), sys.Client, "job")
	if err != nil {
		t.Fatal(err)
	}
	sys.Advance(48 * time.Hour)
	if in, err = run.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	return looks, in
}

func TestItLooksLessAndLessOften(t *testing.T) {
	t.Parallel()
	if looks, in := watch(t, 5); looks != 5 || in.Status != durable.Completed || string(in.Output) != `"7m30s"` {
		t.Errorf("%d looks, %s: %s", looks, in.Status, in.Output)
	}
}

func TestItGivesUpAfterADay(t *testing.T) {
	t.Parallel()
	if looks, in := watch(t, 0); looks < 100 || looks > 150 || in.Status != durable.Failed {
		t.Errorf("%d looks, %s: %s", looks, in.Status, in.Output)
	}
}
