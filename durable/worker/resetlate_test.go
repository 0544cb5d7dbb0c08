package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

func TestResetsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		if err := yes.Send(ctx, "other", true); err != nil {
			return "", err
		}
		return do.Call(ctx, "a")
	})
	b.refuses(durable.ErrNotFound, "one", "0")
	b.submit("one")
	b.refuses(durable.ErrNotResettable, "it has not begun", "0")
	b.settle()
	b.refuses(durable.ErrNotResettable, "there is no operation 7", "7")
	b.refuses(durable.ErrNotResettable, "sends an event", "0", "result", `1`)
	b.refuses(durable.ErrNotResettable, "the start has no result", "start", "result", `1`)
	b.refuses(durable.ErrInvalid, "is no operation", "")
	b.refuses(durable.ErrInvalid, "is no operation", "1.x")
	b.refuses(durable.ErrInvalid, "is not valid JSON", "1", "result", `{`)
	both := resetOf("1", "result", `1`)
	both.Input = json.RawMessage(`1`)
	if err := b.client.Reset(t.Context(), both); !errors.Is(err, durable.ErrInvalid) {
		t.Errorf("a result and an input: %v", err)
	}
}

func TestARepeatedResetIsOne(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, calls("a", "b"))
	b.ran()
	req := resetOf("1")
	req.ID = "mine"
	for range 2 {
		if err := b.client.Reset(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	b.settle()
	if err := b.client.Reset(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	b.settle()
	b.comesTo("AB", "b")
}

func TestAResetThatComesTooLateIsRecorded(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		v, err := do.Call(ctx, "a")
		if v == "X" {
			_, err = yes.Next(ctx).Await()
			return v, err
		}
		w, err2 := do.Call(ctx, "b")
		return v + w, errors.Join(err, err2)
	})
	b.ran()
	for _, req := range []durable.ResetRequest{resetOf("0", "result", `"X"`), resetOf("1", "result", `"Y"`)} {
		if err := b.client.Reset(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	deliveries := b.take(b.ports.Inbox)
	b.done(b.Inbox(t.Context(), deliveries))
	b.done(b.Inbox(t.Context(), deliveries)) // both come twice
	b.settle()
	b.is("one", durable.Running)
	all := slices.Concat(b.segments("one")...)
	var resets []string
	for _, e := range all {
		if e.Kind == hist.ExecutionReset {
			resets = append(resets, fmt.Sprint(e.Op, " ", e.Rewound != nil, " ", e.Failure != nil && strings.Contains(e.Failure.Message, "no operation 1")))
		}
	}
	if want := []string{"0 true false", "1 false true"}; !slices.Equal(resets, want) {
		t.Errorf("the history says of the resets %q, want %q", resets, want)
	}
	b.raise("one")
	b.settle()
	b.comesTo("X")
}

func TestAResetIsDecidedBehindWhatCameBeforeIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		v, err := do.Call(ctx, "a")
		_, err2 := yes.Next(ctx).Await()
		w, err3 := do.Call(ctx, "b")
		return v + w, errors.Join(err, err2, err3)
	})
	b.submit("one")
	b.settle()
	b.runs = nil
	b.raise("one")
	b.now = b.now.Add(time.Second)
	if err := b.client.Reset(t.Context(), resetOf("0", "result", `"X"`)); err != nil {
		t.Fatal(err)
	}
	b.settle()
	b.comesTo("XB", "b", "b") // the event had the first asked for
	raised := 0
	for _, e := range slices.Concat(b.segments("one")...) {
		if e.Kind == hist.EventRaised {
			raised++
		}
	}
	if raised != 1 {
		t.Errorf("the history has the event %d times", raised)
	}
}

func TestAResetOfAnotherGenerationComesToNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, calls())
	b.deploy("build 2", b.cfg.Handlers[0], hello.Bind(func(ctx durable.Context, in string) (string, error) {
		v, err := do.Call(ctx, in)
		if err == nil && in == "in" {
			return "", hello.ContinueAsNew(ctx, "next")
		}
		if _, err := yes.Next(ctx).Await(); err != nil {
			return "", err
		}
		return v, err
	}))
	b.submit("one")
	b.orchestrate()
	if err := b.client.Reset(t.Context(), resetOf("0", "result", `"X"`)); err != nil {
		t.Fatal(err)
	}
	late := b.take(b.ports.Inbox)
	b.settle()
	b.done(b.Inbox(t.Context(), late))
	b.settle()
	last := b.segments("one")
	e := last[len(last)-1][0]
	if e.Kind != hist.ExecutionReset || e.Rewound != nil || !strings.Contains(e.Failure.Message, "continued as new") {
		t.Errorf("the history says %+v", e)
	}
	b.reset("start", "input", `"again"`)
	b.raise("one")
	b.settle()
	b.comesTo("AGAIN", "in", "next", "again")
}

func TestAWorkerMayDieBetweenAResetAndItsTurn(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{SegmentCommands: 1, UnknownReceives: 5}, func(_ *bench, ctx durable.Context) (string, error) {
		v, w := do.Start(ctx, "a"), do.Start(ctx, "b")
		x, e1 := v.Await()
		y, e2 := w.Await()
		return x + y, errors.Join(e1, e2)
	})
	b.ran()
	handlers := b.cfg.Handlers
	if err := b.client.Reset(t.Context(), resetOf("start")); err != nil {
		t.Fatal(err)
	}
	b.deploy("build 2") // it can commit that it resets the instance, and no more
	late := b.take(b.ports.Inbox)
	if o := b.Inbox(t.Context(), late); o[0].Ack {
		t.Errorf("the message is acknowledged: %+v", o)
	}
	b.deploy("build 3", handlers...)
	b.done(b.Inbox(t.Context(), late))
	b.settle()
	b.comesTo("AB", "a", "b")
}

// abreast starts the calls at the same time, ignores the failure of the first, and makes another call.
func abreast(first string, others ...string) func(*bench, durable.Context) (string, error) {
	return func(b *bench, ctx durable.Context) (string, error) {
		all := []*durable.Future[string]{do.Start(ctx, first)}
		for _, what := range others {
			all = append(all, do.Start(ctx, what))
		}
		out := ""
		for i, f := range all {
			v, err := f.Await()
			if err != nil && i > 0 {
				return "", err
			}
			out += v
		}
		v, err := do.Call(ctx, "last")
		return out + v, err
	}
}

func TestAnEditedInputGoesWithItsReset(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{InFlight: 1}, abreast("a", "b")) // their outcomes come in one after the other
	b.ran()
	b.reset("1", "input", `"x"`)
	b.comesTo("AXLAST", "x", "last")
	b.runs = nil
	b.reset("0")
	b.comesTo("ABLAST", "a", "b", "last")
}

func TestAnEditedInputOutlivesARewind(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{InFlight: 1}, abreast("a", "b", "c"))
	b.broken["a"], b.broken["x"] = true, true
	b.submit("one")
	b.settle()
	b.reset("2", "input", `"x"`)
	b.is("one", durable.Failed)
	clear(b.broken)
	b.runs = nil
	b.rewind() // to before the reset: a had failed
	b.comesTo("ABXLAST", "a", "x", "last")
	b.runs = nil
	b.reset("0")
	b.comesTo("ABXLAST", "a", "x", "last") // b has come with the rewind
}

func TestNobodyReportsWhatAResetHasAbandoned(t *testing.T) {
	t.Parallel()
	outside := durable.NewActivity[string, string]("Outside", durable.Async)
	var tokens []string
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) { return outside.Call(ctx, "x") })
	b.deploy("build 2", append(slices.Clone(b.cfg.Handlers), outside.Bind(func(ctx context.Context, _ string) (string, error) {
		tokens = append(tokens, durable.Token(ctx))
		return "", durable.ErrPending
	}))...)
	b.submit("one")
	b.settle()
	b.reset("0", "result", `"R"`)
	b.comesTo("R")
	b.reset("start")
	if len(tokens) != 2 {
		t.Fatalf("it ran %d times", len(tokens))
	}
	for i, token := range tokens {
		err := b.client.Report(t.Context(), durable.ReportRequest{Token: token, What: durable.ReportResult, Data: json.RawMessage(`"done"`)})
		if abandoned := i == 0; errors.Is(err, durable.ErrNotPending) != abandoned {
			t.Errorf("report %d: %v", i, err)
		}
	}
	b.settle()
	b.comesTo("done")
}

func TestNothingIsResetInTheMiddleOfATurn(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		v := do.Start(ctx, "a")
		_, _ = durable.Step(ctx, "s", func(context.Context) (string, error) { return "", nil }, durable.AtMostOnce)
		panic("in the middle: " + fmt.Sprint(v != nil))
	})
	b.submit("one")
	b.orchestrate()
	b.is("one", durable.Suspended)
	b.refuses(durable.ErrNotResettable, "in the middle of a turn", "0", "result", `"X"`)
	b.reset("start")
	b.is("one", durable.Suspended)
}

func TestAnActivityWhoseInputAPurgeHasTakenIsDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, calls(strings.Repeat("a", 2*hist.InlinePayload)))
	b.submit("one")
	b.orchestrate()
	late := b.take(b.ports.Activities)
	b.manage("one", durable.Terminate, "enough")
	b.orchestrate()
	if err := b.client.Purge(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	if o := b.Activity(t.Context(), late[0]); !o.Ack || len(b.runs) > 0 {
		t.Errorf("it comes again: %+v; what ran: %d", o, len(b.runs))
	}
}

func TestEventsThatComeAgainNeedNotBeTaken(t *testing.T) {
	kept(t, func(t *testing.T, cfg worker.Config) {
		b := newBench(t, cfg, func(_ *bench, ctx durable.Context) (string, error) {
			v, err := do.Call(ctx, "a")
			if v == "X" || err != nil {
				return v, err
			}
			_, err = yes.Next(ctx).Await()
			_, err2 := yes.Next(ctx).Await()
			return v, errors.Join(err, err2)
		})
		b.submit("one")
		b.settle()
		b.raise("one")
		b.settle()
		b.raise("one")
		b.settle()
		b.is("one", durable.Completed)
		b.runs = nil
		b.reset("0", "result", `"X"`)
		b.comesTo("X")
	})
}
