package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/worker"
	"github.com/google/go-cmp/cmp"
)

// round is the input of an orchestration that continues as new.
type round struct {
	N     int
	Taken []string
}

var (
	eternal = durable.NewOrchestration[round, string]("Eternal")
	say     = durable.NewEvent[string]("Say")
)

// raiseSay raises the event Say, as a call of that id.
func (h *hub) raiseSay(text, call string) {
	h.t.Helper()
	err := h.client.Raise(h.t.Context(), durable.EventRequest{Instance: "one", Name: "Say", Data: []byte(`"` + text + `"`), ID: call})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *hub) submitEternal(r round, opts ...durable.StartOption) {
	h.t.Helper()
	if _, err := eternal.Submit(h.t.Context(), h.client, r, append(opts, durable.ID("one"))...); err != nil {
		h.t.Fatal(err)
	}
}

func TestContinueAsNew(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), eternal.Bind(func(ctx durable.Context, r round) (string, error) {
		ctx.SetStatus(r.N)
		if _, err := greet.Call(ctx, fmt.Sprint(r.N)); err != nil {
			return "", err
		}
		durable.After(ctx, time.Hour) // abandoned
		if r.N < 20 {
			return "", eternal.ContinueAsNew(ctx, round{N: r.N + 1})
		}
		return fmt.Sprint("round ", r.N), nil
	}))
	h.submitEternal(round{}, durable.Tag("team", "blue"))
	created := h.is("one", durable.Pending).Created
	h.settle()
	in := h.is("one", durable.Completed)
	if string(in.Output) != `"round 20"` || string(in.CustomStatus) != "20" || in.Tags["team"] != "blue" || !strings.Contains(string(in.Input), `"N":20`) || !in.Created.Equal(created) {
		t.Errorf("it is %+v, with input %s", in, in.Input)
	}
	if n := len(h.segments("one")); n != 2 {
		t.Errorf("the last generation has %d segments, want 2", n)
	}
	h.advance(3 * time.Hour) // the timers fire, and mean nothing
	h.is("one", durable.Completed)
}

// TestAGenerationKnowsOfTheOneBeforeIt: what came of its own activities is known for one generation only, so that a loop does not carry a thousand names along.
func TestAGenerationKnowsOfTheOneBeforeIt(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), eternal.Bind(func(ctx durable.Context, r round) (string, error) {
		if _, err := greet.Call(ctx, fmt.Sprint(r.N)); err != nil || r.N == 20 {
			return "", err
		}
		return "", eternal.ContinueAsNew(ctx, round{N: r.N + 1})
	}))
	h.submitEternal(round{})
	h.settle()
	h.is("one", durable.Completed)
	begun := h.segments("one")[0][0]
	if n := len(begun.Start.Known); begun.Kind.String() != "GenerationStarted" || n == 0 || n > 2 {
		t.Errorf("generation 20 begins with the names of %d messages: %+v", n, begun.Start.Known)
	}
}

func TestContinueAsNewAtOnceForALongTime(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, eternal.Bind(func(ctx durable.Context, r round) (string, error) {
		if r.N == 100 {
			return "done", nil
		}
		return "", eternal.ContinueAsNew(ctx, round{N: r.N + 1})
	}))
	h.submitEternal(round{})
	start := h.take(h.ports.Wake)
	h.done(h.Wake(t.Context(), start))
	h.is("one", durable.Running)
	rounds := 0
	for batch := h.take(h.ports.Inbox); len(batch) > 0; batch = h.take(h.ports.Inbox) {
		h.done(h.Inbox(t.Context(), batch))
		rounds++
	}
	h.is("one", durable.Completed)
	if rounds != 9 {
		t.Errorf("it was handed on %d times, want 9", rounds)
	}
	h.done(h.Wake(t.Context(), start)) // whatever comes again means nothing
	h.is("one", durable.Completed)
}

func TestAnEventThatComesWhileItContinuesAsNewIsPutBack(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{NearDeadline: func(context.Context) bool { return true }}, eternal.Bind(func(ctx durable.Context, r round) (string, error) {
		switch r.N {
		case 0, 4:
			text, err := say.Next(ctx).Await()
			if r.Taken = append(r.Taken, text); err != nil || r.N == 4 {
				return strings.Join(r.Taken, ""), err
			}
		}
		return "", eternal.ContinueAsNew(ctx, round{N: r.N + 1, Taken: r.Taken}, durable.DropEvents)
	}))
	h.submitEternal(round{})
	h.orchestrate()
	h.raiseSay("a", "")
	h.raiseSay("b", "")
	batch := h.take(h.ports.Inbox)
	outcomes := h.Inbox(t.Context(), batch)
	if len(batch) != 2 || outcomes[1].Ack {
		t.Fatalf("the second event is acknowledged, and nobody has it: %+v", outcomes)
	}
	h.orchestrate()
	h.done(h.Inbox(t.Context(), batch))
	h.orchestrate()
	if in := h.is("one", durable.Completed); string(in.Output) != `"ab"` {
		t.Errorf("the output is %s", in.Output)
	}
}

func TestEventsAreKeptWhenItContinuesAsNew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts []durable.RenewOption
		want []string
	}{"kept": {want: []string{"a", "b", "c", "d"}}, "dropped": {[]durable.RenewOption{durable.DropEvents}, []string{"a", "e", "f", "g"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			h := newHub(t, worker.Config{}, greet.Bind(greetBody), eternal.Bind(func(ctx durable.Context, r round) (string, error) {
				if _, err := greet.Call(ctx, "x"); err != nil {
					return "", err
				}
				text, err := say.Next(ctx).Await()
				if err != nil {
					return "", err
				}
				r.Taken = append(r.Taken, text)
				if len(r.Taken) == 4 {
					got = r.Taken
					return "", nil
				}
				return "", eternal.ContinueAsNew(ctx, r, c.opts...)
			}))
			h.submitEternal(round{})
			h.orchestrate()
			for i, text := range []string{"a", "b", strings.Repeat(" ", 100_000) + "c", "d"} {
				h.raiseSay(text, fmt.Sprint("call-", i))
				h.orchestrate()
				h.raiseSay(text, fmt.Sprint("call-", i)) // the same
				h.orchestrate()
			}
			h.settle()
			if name == "dropped" {
				for _, text := range []string{"e", "f", "g"} {
					h.is("one", durable.Running)
					h.raiseSay(text, text)
					h.settle()
				}
			}
			h.is("one", durable.Completed)
			for i := range got {
				got[i] = strings.TrimSpace(got[i])
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("the events taken (-want +got):\n%s", diff)
			}
		})
	}
}

// A message that a generation has consumed means nothing to the next one, however often it comes, for as long as it may.
func TestMessagesOfAnEarlierGeneration(t *testing.T) {
	t.Parallel()
	runs := 0
	h := newHub(t, worker.Config{}, greet.Bind(func(context.Context, string) (string, error) { runs++; return "", nil }),
		eternal.Bind(func(ctx durable.Context, r round) (string, error) {
			first, second := greet.Start(ctx, "first"), greet.Start(ctx, "second") // nobody waits for the second
			if _, err := first.Await(); err != nil {
				return "", err
			}
			text, err := say.Next(ctx).Await()
			if err != nil || r.N == 2 {
				return strings.Join(append(r.Taken, text), ""), err
			}
			_ = second
			return "", eternal.ContinueAsNew(ctx, round{N: r.N + 1, Taken: append(r.Taken, text)})
		}))
	h.submitEternal(round{})
	h.orchestrate()
	var all []backend.Delivery
	for round := range 3 {
		work := h.take(h.ports.Activities)
		h.done([]worker.Outcome{h.Activity(t.Context(), work[0])})
		h.raiseSay(fmt.Sprint(round), fmt.Sprint(round))
		batch := h.take(h.ports.Inbox)
		all = append(all, batch...)
		h.done(h.Inbox(t.Context(), batch))
		for _, d := range work[1:] {
			h.done([]worker.Outcome{h.Activity(t.Context(), d)}) // too late for its generation
		}
		late := h.take(h.ports.Inbox)
		all = append(all, late...)
		h.done(h.Inbox(t.Context(), late))
		for _, d := range all { // all of them again, each alone
			h.done(h.Inbox(t.Context(), []backend.Delivery{d}))
		}
	}
	if in := h.is("one", durable.Completed); string(in.Output) != `"012"` {
		t.Errorf("the output is %s", in.Output)
	}
}

func TestWhoBeganAGenerationMayDieBeforeItIsSent(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), eternal.Bind(func(ctx durable.Context, r round) (string, error) {
		text, err := say.Next(ctx).Await()
		if err != nil || r.N == 2 {
			return text, err
		}
		greet.Start(ctx, text)
		if _, err := greet.Call(ctx, text); err != nil || r.N > 0 {
			return "", err
		}
		return "", eternal.ContinueAsNew(ctx, round{N: r.N + 1})
	}))
	h.submitEternal(round{})
	h.orchestrate()
	h.raiseSay("x", "1")
	h.raiseSay("y", "2")
	h.orchestrate()
	h.work()
	results := h.take(h.ports.Inbox)
	h.done(h.Inbox(t.Context(), results))
	for _, d := range results {
		h.take(h.ports.Activities) // what was sent is lost
		h.done(h.Inbox(t.Context(), []backend.Delivery{d}))
	}
	if got := operations(t, h.take(h.ports.Activities)); len(got) != 2 {
		t.Errorf("the message that ended the first generation sends %q of the second again, want two activities", got)
	}
}

func TestAManagedInstanceThatContinuesAsNew(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, eternal.Bind(func(ctx durable.Context, r round) (string, error) {
		if _, err := say.Next(ctx).Await(); err != nil {
			return "", err
		}
		return "", eternal.ContinueAsNew(ctx, round{N: r.N + 1})
	}))
	h.submitEternal(round{})
	h.settle()
	h.raiseSay("a", "")
	h.settle()
	h.manage("one", durable.Suspend, "wait")
	h.raiseSay("b", "")
	h.raiseSay("c", "")
	h.settle()
	h.is("one", durable.Suspended)
	h.manage("one", durable.Resume, "go on")
	h.settle()
	if in := h.is("one", durable.Running); !strings.Contains(string(in.Input), `"N":3`) {
		t.Errorf("its input is %s", in.Input)
	}
	h.manage("one", durable.Terminate, "enough")
	h.settle()
	h.is("one", durable.Terminated)
	if err := h.client.Purge(t.Context(), "one"); err != nil {
		t.Error(err)
	}
	if _, err := h.client.Get(t.Context(), "one"); !errors.Is(err, durable.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	h.submitEternal(round{})
	h.settle()
	h.is("one", durable.Running)
}

func TestActivitiesThatAreHeldBackGoBeforeTheNextGeneration(t *testing.T) {
	t.Parallel()
	made := map[string]int{}
	h := newHub(t, worker.Config{InFlight: 3}, greet.Bind(func(_ context.Context, name string) (string, error) { made[name]++; return "", nil }),
		eternal.Bind(func(ctx durable.Context, r round) (string, error) {
			for i := range 10 {
				greet.Start(ctx, fmt.Sprint(r.N, " ", i))
			}
			if r.N == 2 {
				return "", nil
			}
			return "", eternal.ContinueAsNew(ctx, round{N: r.N + 1})
		}))
	h.submitEternal(round{})
	h.settle()
	h.is("one", durable.Completed)
	if len(made) != 30 {
		t.Errorf("%d activities were made, want 30", len(made))
	}
}

// The message by which a call goes on owes the first turn of the generation that the call comes to, however many it begins.
func TestWhoBeganManyGenerationsMayDieBeforeTheLastIsSent(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), eternal.Bind(func(ctx durable.Context, r round) (string, error) {
		if r.N < 15 {
			return "", eternal.ContinueAsNew(ctx, round{N: r.N + 1})
		}
		return greet.Call(ctx, "x")
	}))
	h.submitEternal(round{})
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	batch := h.take(h.ports.Inbox) // asks to go on
	h.done(h.Inbox(t.Context(), batch))
	if got := operations(t, h.take(h.ports.Activities)); len(got) != 1 {
		t.Fatalf("it asks for %q", got)
	}
	h.done(h.Inbox(t.Context(), batch)) // what was sent is lost
	if got := operations(t, h.take(h.ports.Activities)); len(got) != 1 {
		t.Errorf("the message sends %q again, want the activity that is waited for", got)
	}
}

func TestTerminateOfWhatContinuesAsNewForEver(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, eternal.Bind(func(ctx durable.Context, r round) (string, error) {
		return "", eternal.ContinueAsNew(ctx, round{N: r.N + 1})
	}))
	h.submitEternal(round{})
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	h.manage("one", durable.Terminate, "enough")
	for range 3 {
		h.Inbox(t.Context(), h.take(h.ports.Inbox))
	}
	h.is("one", durable.Terminated)
}

func TestManyLargeEventsDoNotBeginAGenerationTogether(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, eternal.Bind(func(ctx durable.Context, r round) (string, error) {
		for range 1 + 28*r.N {
			if _, err := say.Next(ctx).Await(); err != nil {
				return "", err
			}
		}
		if r.N == 0 {
			return "", eternal.ContinueAsNew(ctx, round{N: 1})
		}
		return "", nil
	}))
	h.submitEternal(round{})
	h.orchestrate()
	var batch []backend.Delivery
	for i := range 30 {
		h.raiseSay(strings.Repeat("x", 16_000), fmt.Sprint(i))
	}
	batch = h.take(h.ports.Inbox)
	for range 3 {
		h.Inbox(t.Context(), batch)
	}
	h.is("one", durable.Completed)
}

func TestIDsOfEachGenerationAreItsOwn(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, eternal.Bind(func(ctx durable.Context, r round) (string, error) {
		r.Taken = append(r.Taken, ctx.NewID())
		if r.N++; r.N < 3 {
			return "", eternal.ContinueAsNew(ctx, r)
		}
		return strings.Join(r.Taken, " "), nil
	}))
	h.submitEternal(round{})
	h.settle()
	ids := strings.Fields(string(h.is("one", durable.Completed).Output))
	if len(ids) != 3 || ids[0] == ids[1] || ids[1] == ids[2] {
		t.Errorf("the ids are %q", ids)
	}
}

func TestContinueAsNewWithAnotherVersion(t *testing.T) {
	t.Parallel()
	old := eternal.Bind(func(ctx durable.Context, r round) (string, error) {
		return "", eternal.ContinueAsNew(ctx, r, durable.Version(2))
	})
	h := newHub(t, worker.Config{}, old)
	h.submitEternal(round{N: 7})
	h.orchestrate()
	in := h.is("one", durable.Suspended)
	if !strings.Contains(in.SuspendReason, "version 2 of orchestration Eternal is not registered") || in.Version != 2 {
		t.Errorf("it is %+v", in)
	}
	h.deploy("build 2", old, eternal.Version(2).Bind(func(_ durable.Context, r round) (string, error) { return fmt.Sprint(r.N), nil }))
	h.manage("one", durable.Resume, "")
	h.settle()
	h.is("one", durable.Completed)
}
