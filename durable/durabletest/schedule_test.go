package durabletest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
)

var (
	greet = durable.NewOrchestration[string, string]("Greet")
	word  = durable.NewEvent[string]("Word")
)

// scheduled is a system whose instances note when their code begins, and wait for as many words as their input has letters.
func scheduled(t *testing.T) (*durabletest.System, *[]string) {
	began := new([]string)
	var sys *durabletest.System
	sys = durabletest.New(t, note.Bind(func(_ context.Context, s string) (durable.None, error) {
		*began = append(*began, fmt.Sprint(s, " at ", sys.Now().Sub(durabletest.Epoch)))
		return durable.None{}, nil
	}), greet.Bind(func(ctx durable.Context, in string) (string, error) {
		if _, err := note.Call(ctx, fmt.Sprint("by ", ctx.Now().Sub(durabletest.Epoch))); err != nil {
			return "", err
		}
		var words []string
		for range in {
			w, err := word.Next(ctx).Await()
			if err != nil {
				return "", err
			}
			words = append(words, w)
		}
		return strings.Join(words, " "), nil
	}))
	return sys, began
}

func TestAScheduledStart(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) time.Time { return durabletest.Epoch.Add(d) }
	raise := func(t *testing.T, sys *durabletest.System, w string) {
		t.Helper()
		if err := word.Raise(t.Context(), sys.Client, "i", w); err != nil {
			t.Fatal(err)
		}
	}
	manage := func(t *testing.T, sys *durabletest.System, c durable.Command) {
		t.Helper()
		if err := sys.Client.Manage(t.Context(), durable.ManageRequest{Instance: "i", Command: c, Reason: "no"}); err != nil {
			t.Fatal(err)
		}
		sys.Settle()
	}
	for _, c := range []struct {
		name   string
		due    time.Duration
		before func(t *testing.T, sys *durabletest.System) // a second before the time
		early  durable.Status
		began  string
		status durable.Status
		output string
	}{
		{name: "in a minute", due: time.Minute, early: durable.Pending, began: "by 1m0s at 1m0s", status: durable.Completed, output: `""`},
		{name: "in three days", due: 72 * time.Hour, early: durable.Pending, began: "by 72h0m0s at 72h0m0s", status: durable.Completed, output: `""`},
		{name: "events wait", due: time.Hour, early: durable.Pending, began: "by 1h0m0s at 1h0m0s", status: durable.Completed, output: `"a b"`,
			before: func(t *testing.T, sys *durabletest.System) { raise(t, sys, "a"); sys.Settle(); raise(t, sys, "b") }},
		{name: "terminated", due: time.Hour, early: durable.Terminated, status: durable.Terminated, output: `"no"`,
			before: func(t *testing.T, sys *durabletest.System) { raise(t, sys, "a"); manage(t, sys, durable.Terminate) }},
		{name: "suspended", due: time.Hour, early: durable.Suspended, status: durable.Suspended,
			before: func(t *testing.T, sys *durabletest.System) { manage(t, sys, durable.Suspend) }},
		{name: "suspended and resumed", due: time.Hour, early: durable.Pending, began: "by 1h0m0s at 1h0m0s", status: durable.Completed, output: `""`,
			before: func(t *testing.T, sys *durabletest.System) {
				manage(t, sys, durable.Suspend)
				manage(t, sys, durable.Resume)
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sys, began := scheduled(t)
			input := strings.Repeat("x", strings.Count(c.output, "a")+strings.Count(c.output, "b"))
			if _, err := greet.Submit(t.Context(), sys.Client, input, durable.ID("i"), durable.StartAt(at(c.due))); err != nil {
				t.Fatal(err)
			}
			in, err := sys.Client.Get(t.Context(), "i")
			if err != nil || in.Status != durable.Pending || !in.StartAt.Equal(at(c.due)) || !in.Created.Equal(at(0)) {
				t.Errorf("it is %s, for %v, created %v, %v", in.Status, in.StartAt, in.Created, err)
			}
			sys.Settle()
			sys.Advance(c.due - time.Second)
			if c.before != nil {
				c.before(t, sys)
			}
			sys.Settle()
			if in, err = sys.Client.Get(t.Context(), "i"); err != nil || in.Status != c.early || len(*began) > 0 {
				t.Errorf("a second before it is %s, %v, and has begun: %v", in.Status, err, *began)
			}
			sys.Advance(time.Second - time.Millisecond)
			if len(*began) > 0 {
				t.Errorf("it has begun: %v", *began)
			}
			sys.Advance(time.Hour)
			if diff := cmp.Diff(c.began, strings.Join(*began, ", ")); diff != "" {
				t.Errorf("its code begins: -want +got:\n%s", diff)
			}
			if in, err = sys.Client.Get(t.Context(), "i"); err != nil || in.Status != c.status || string(in.Output) != c.output {
				t.Errorf("it ends as %s with %s, %v; want %s with %s", in.Status, in.Output, err, c.status, c.output)
			}
		})
	}
}

func TestAScheduledStartThatIsSuspendedAtItsTimeBeginsWhenItIsResumed(t *testing.T) {
	t.Parallel()
	sys, began := scheduled(t)
	if _, err := greet.Submit(t.Context(), sys.Client, "", durable.ID("i"), durable.StartAt(durabletest.Epoch.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	for _, c := range []durable.Command{durable.Suspend, durable.Resume} {
		if err := sys.Client.Manage(t.Context(), durable.ManageRequest{Instance: "i", Command: c}); err != nil {
			t.Fatal(err)
		}
		sys.Advance(2 * time.Hour)
	}
	if got := strings.Join(*began, ", "); got != "by 2h0m0s at 2h0m0s" {
		t.Errorf("its code begins: %s", got)
	}
}

// What has passed is no time to wait for.
func TestAStartForThePastBeginsAtOnce(t *testing.T) {
	t.Parallel()
	sys, began := scheduled(t)
	for _, due := range []time.Duration{-time.Hour, 0} {
		if _, err := greet.Submit(t.Context(), sys.Client, "", durable.StartAt(durabletest.Epoch.Add(due)), durable.ID(fmt.Sprint("i", due.Hours()))); err != nil {
			t.Fatal(err)
		}
	}
	sys.Settle()
	if len(*began) != 2 {
		t.Errorf("begun are %v", *began)
	}
}

// Those who come after the first generation, or rewind it, do not wait for its time again.
func TestAScheduledStartWaitsOnce(t *testing.T) {
	t.Parallel()
	again := durable.NewOrchestration[int, int]("Again")
	fails := true
	sys := durabletest.New(t, again.Bind(func(ctx durable.Context, n int) (int, error) {
		if fails {
			return 0, fmt.Errorf("not yet")
		}
		if n < 3 {
			return 0, again.ContinueAsNew(ctx, n+1)
		}
		return n, nil
	}))
	run, err := again.Submit(t.Context(), sys.Client, 1, durable.ID("i"), durable.StartAt(durabletest.Epoch.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	sys.Advance(time.Hour)
	if in, err := run.Status(t.Context()); err != nil || in.Status != durable.Failed {
		t.Fatalf("it is %s, %v", in.Status, err)
	}
	fails = false
	if err := sys.Client.Manage(t.Context(), durable.ManageRequest{Instance: "i", Command: durable.Rewind}); err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	if out, err := run.Wait(t.Context()); out != 3 || err != nil {
		t.Errorf("got %d, %v", out, err)
	}
	if in, err := run.Status(t.Context()); err != nil || !in.StartAt.IsZero() {
		t.Errorf("its third generation is for %v, %v", in.StartAt, err)
	}
}
