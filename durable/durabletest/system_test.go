package durabletest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
)

var (
	note  = durable.NewActivity[string, durable.None]("Note")
	clock = durable.NewOrchestration[[]int, string]("Clock")
)

func TestAdvanceLetsThingsHappenInTheirOrderAndTime(t *testing.T) {
	t.Parallel()
	var got []string
	var sys *durabletest.System
	sys = durabletest.New(t,
		note.Bind(func(_ context.Context, s string) (durable.None, error) {
			got = append(got, fmt.Sprint(s, " at ", sys.Now().Sub(durabletest.Epoch)))
			return durable.None{}, nil
		}),
		clock.Bind(func(ctx durable.Context, minutes []int) (string, error) {
			var all []*durable.Future[durable.None]
			for _, n := range minutes {
				all = append(all, durable.Go(ctx, func(ctx durable.Context) (durable.None, error) {
					if err := durable.Sleep(ctx, time.Duration(n)*time.Minute); err != nil {
						return durable.None{}, err
					}
					return note.Call(ctx, fmt.Sprint(n))
				}))
			}
			_, err := durable.All(ctx, all...)
			return "done", err
		}))
	run, err := clock.Submit(t.Context(), sys.Client, []int{4320, 10, 20, 0})
	if err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	sys.Advance(20*time.Minute - time.Millisecond)
	if want := "0 at 0s, 10 at 10m0s"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	sys.Advance(72 * time.Hour)
	if want := "0 at 0s, 10 at 10m0s, 20 at 20m0s, 4320 at 72h0m0s"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if out, err := run.Wait(t.Context()); out != "done" || err != nil {
		t.Errorf("got %q, %v", out, err)
	}
	if want := durabletest.Epoch.Add(72*time.Hour + 20*time.Minute - time.Millisecond); !sys.Now().Equal(want) {
		t.Errorf("it is %v, want %v", sys.Now(), want)
	}
}

func TestAnInputThatDiffersFromReplayToReplaySuspends(t *testing.T) {
	t.Parallel()
	calls := 0
	sys := durabletest.New(t, note.Bind(func(context.Context, string) (durable.None, error) { return durable.None{}, nil }),
		clock.Bind(func(ctx durable.Context, _ []int) (string, error) {
			calls++
			_, err := note.Call(ctx, fmt.Sprint(calls))
			return "", err
		}))
	run, err := clock.Submit(t.Context(), sys.Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	in, err := run.Status(t.Context())
	if err != nil || in.Status != durable.Suspended || !strings.Contains(in.SuspendReason, `with another input: "2" instead of "1" at `) {
		t.Errorf("got %s: %s, %v", in.Status, in.SuspendReason, err)
	}
}
