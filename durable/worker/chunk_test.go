package worker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// fanOut asks for n activities and waits for all.
func fanOut(n int) durable.Handler {
	return hello.Bind(func(ctx durable.Context, name string) (string, error) {
		var all []*durable.Future[string]
		for i := range n {
			all = append(all, greet.Start(ctx, fmt.Sprint(i)))
		}
		got, err := durable.All(ctx, all...)
		return fmt.Sprint(len(got)), err
	})
}

func TestAFanOutIsCommittedInChunks(t *testing.T) {
	t.Parallel()
	const n = 2500
	h := newHub(t, worker.Config{InFlight: n}, greet.Bind(greetBody), fanOut(n))
	h.submit("one")
	h.orchestrate()
	got := h.segments("one")
	if len(got) != 3 || len(got[0]) != 1001 || len(got[1]) != 1000 || len(got[2]) != 500 {
		t.Errorf("there are %d commits, want 1001, 1000 and 500 events", len(got))
	}
	sent := h.take(h.ports.Activities)
	for i, op := range operations(t, sent) {
		if op != fmt.Sprint(i) {
			t.Fatalf("operation %d was sent as %s", i, op)
		}
	}
	if len(sent) != n {
		t.Errorf("%d activities were sent, want %d", len(sent), n)
	}
	for _, d := range sent {
		h.done([]worker.Outcome{h.Activity(t.Context(), d)})
	}
	results := h.take(h.ports.Inbox)
	for ; len(results) > 0; results = results[min(500, len(results)):] {
		h.done(h.Inbox(t.Context(), results[:min(500, len(results))]))
	}
	if in := h.is("one", durable.Completed); string(in.Output) != `"2500"` {
		t.Errorf("the output is %s", in.Output)
	}
}

// near hands a turn on after every commit, for as long as it says yes.
func near(yes *bool) worker.Config {
	return worker.Config{SegmentCommands: 4, NearDeadline: func(context.Context) bool { return *yes }}
}

func TestALongTurnIsHandedOn(t *testing.T) {
	t.Parallel()
	handOn := true
	h := newHub(t, near(&handOn), greet.Bind(greetBody), fanOut(10))
	h.submit("one")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	for commits := 1; commits <= 2; commits++ {
		if got := len(h.segments("one")); got != commits {
			t.Fatalf("there are %d commits, want %d", got, commits)
		}
		if got := len(h.take(h.ports.Activities)); got != 4 {
			t.Errorf("%d activities were sent with commit %d, want 4", got, commits)
		}
		h.is("one", durable.Running)
		on := h.take(h.ports.Inbox)
		if len(on) != 1 || message(t, on[0]).Event.Kind != hist.Continued {
			t.Fatalf("the rest was left to %d messages", len(on))
		}
		h.done(h.Inbox(t.Context(), on))
	}
	if got := operations(t, h.take(h.ports.Activities)); len(got) != 2 {
		t.Errorf("the last commit sent %v, want the last two", got)
	}
	if rest := h.take(h.ports.Inbox); len(rest) > 0 {
		t.Errorf("the turn is over, and %d messages go on with it", len(rest))
	}
}

func TestEachChunkIsSentBeforeTheNext(t *testing.T) {
	t.Parallel()
	var h *hub
	var sent []int
	h = newHub(t, worker.Config{SegmentCommands: 4, NearDeadline: func(context.Context) bool {
		sent = append(sent, h.memory.Queues().Activities.Total())
		return false
	}}, greet.Bind(greetBody), fanOut(10))
	h.submit("one")
	h.orchestrate()
	if got, want := fmt.Sprint(sent), "[4 8]"; got != want {
		t.Errorf("after each commit %s activities were sent, want %s", got, want)
	}
}

func TestWhoeverMeetsAnUnfinishedTurnFinishesItFirst(t *testing.T) {
	t.Parallel()
	handOn := true
	h := newHub(t, near(&handOn), greet.Bind(greetBody), fanOut(10))
	h.submit("one")
	start := h.take(h.ports.Wake)
	h.done(h.Wake(t.Context(), start))
	on := h.take(h.ports.Inbox) // lost
	work := h.take(h.ports.Activities)
	h.done([]worker.Outcome{h.Activity(t.Context(), work[0])})
	result := h.take(h.ports.Inbox)

	if o := h.Inbox(t.Context(), result)[0]; o.Ack || o.Retry <= 0 {
		t.Errorf("a result was settled before the turn was over: %+v", o)
	}
	if got := operations(t, h.take(h.ports.Activities)); len(got) != 4 || got[0] != "4" {
		t.Errorf("sent %v, want the second chunk", got)
	}
	handOn = false
	h.done(h.Inbox(t.Context(), result))
	if got := operations(t, h.take(h.ports.Activities)); len(got) != 2 || got[0] != "8" {
		t.Errorf("sent %v, want the third chunk", got)
	}
	h.done(h.Inbox(t.Context(), on)) // late: its commit is there, and owes what is open in the turn from there on
	if got := operations(t, h.take(h.ports.Activities)); fmt.Sprint(got) != "[4 5 6 7 8 9]" {
		t.Errorf("sent %v, want what is open from the second chunk on", got)
	}
	h.done(h.Wake(t.Context(), start))
	if got := operations(t, h.take(h.ports.Activities)); fmt.Sprint(got) != "[1 2 3 4 5 6 7 8 9]" {
		t.Errorf("sent %v, want all that is open in the turn", got)
	}
}

func TestALongTurnsEndComesWithItsLastChunk(t *testing.T) {
	t.Parallel()
	handOn := true
	h := newHub(t, near(&handOn), greet.Bind(greetBody), hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		for i := range 6 {
			greet.Start(ctx, fmt.Sprint(i))
		}
		ctx.SetStatus("gone")
		return "done", nil
	}))
	h.submit("one")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	h.is("one", durable.Running)
	h.take(h.ports.Activities)
	h.done(h.Inbox(t.Context(), h.take(h.ports.Inbox)))
	if in := h.is("one", durable.Completed); string(in.CustomStatus) != `"gone"` {
		t.Errorf("the custom status is %s", in.CustomStatus)
	}
	if got := operations(t, h.take(h.ports.Activities)); len(got) != 6 {
		t.Errorf("sent %v, want everything that is open", got)
	}
}

// A build that asks for less must not close a turn that another build has begun.
func TestAnotherBuildCannotFinishATurnItDoesNotKnow(t *testing.T) {
	t.Parallel()
	handOn := true
	h := newHub(t, near(&handOn), greet.Bind(greetBody), fanOut(10))
	h.submit("one")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	handOn = false
	h.deploy("build 2", greet.Bind(greetBody), fanOut(2))
	h.orchestrate()
	h.is("one", durable.Suspended)
	h.deploy("build 3", greet.Bind(greetBody), fanOut(10))
	h.manage("one", durable.Resume, "")
	h.settle()
	h.is("one", durable.Completed)
}

func TestStepsThatRunLongAreCommittedAsTheyGo(t *testing.T) {
	t.Parallel()
	var h *hub
	runs, times := 0, map[time.Time]bool{}
	h = newHub(t, worker.Config{Checkpoint: time.Second}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		for range 4 {
			_, err := durable.Step(ctx, "slow", func(context.Context) (int, error) {
				runs++
				h.now = h.now.Add(600 * time.Millisecond)
				return runs, nil
			})
			times[ctx.Now()] = true
			if err != nil {
				return "", err
			}
		}
		return fmt.Sprint(runs), nil
	}))
	h.submit("one")
	h.orchestrate()
	h.is("one", durable.Completed)
	if got := len(h.segments("one")); got != 3 || runs != 4 || len(times) != 2 {
		t.Errorf("%d runs in %d commits at %d times, want 4 in 3 at 2", runs, got, len(times))
	}
}

// Two steps ran side by side, and the code returned after the first: the second one's outcome is nobody's.
func TestTheEndOfATurnWithStepsCanBeHandedOn(t *testing.T) {
	t.Parallel()
	handOn := true
	var h *hub
	cfg := near(&handOn)
	h = newHub(t, cfg, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		run := func(name string) *durable.Future[int] {
			return durable.Go(ctx, func(ctx durable.Context) (int, error) {
				return durable.Step(ctx, name, func(context.Context) (int, error) { h.now = h.now.Add(time.Minute); return 1, nil })
			})
		}
		durable.First(ctx, run("a"), run("b"))
		return "first", nil
	}))
	h.submit("one")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	h.is("one", durable.Running)
	h.orchestrate()
	h.is("one", durable.Completed)
}

func TestAStoppedWorkerCommitsNoSteps(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	h := newHub(t, worker.Config{}, hello.Bind(func(c durable.Context, _ string) (string, error) {
		_, err := durable.Step(c, "s", func(ctx context.Context) (int, error) { runs++; cancel(); return runs, ctx.Err() })
		return "", err
	}))
	h.submit("one")
	start := h.take(h.ports.Wake)
	if o := h.Wake(ctx, start)[0]; o.Ack || !errors.Is(o.Err, context.Canceled) {
		t.Errorf("got %+v, want a retry", o)
	}
	h.is("one", durable.Pending)
}

func TestLargePayloadsBecomeBlobs(t *testing.T) {
	t.Parallel()
	large := make([]byte, 3*hist.InlinePayload)
	for i := range large {
		large[i] = 'x'
	}
	echo := greet.Bind(func(_ context.Context, s string) (string, error) { return s + "!", nil })
	h := newHub(t, worker.Config{}, echo, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		s, err := greet.Call(ctx, string(large))
		if err != nil {
			return "", err
		}
		return greet.Call(ctx, s)
	}))
	h.submit("one")
	h.settle()
	in := h.is("one", durable.Completed)
	if got, want := len(in.Output), len(large)+len(`"!!"`); got != want {
		t.Errorf("the output has %d bytes, want %d", got, want)
	}
	for _, item := range h.memory.Items() {
		if len(item.Value) > hist.InlinePayload {
			t.Errorf("item %s has %d bytes", item.Sort, len(item.Value))
		}
	}
}

// The end of a long turn is not committed yet when a build comes that cannot go on with it: the right one still can.
func TestAnInterruptedEndIsFinishedAfterAResume(t *testing.T) {
	t.Parallel()
	handOn := true
	body := hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		for i := range 6 {
			greet.Start(ctx, fmt.Sprint(i))
		}
		return "done", nil
	})
	h := newHub(t, near(&handOn), greet.Bind(greetBody), body)
	h.submit("one")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	handOn = false
	h.deploy("build 2")
	h.orchestrate()
	h.is("one", durable.Suspended)
	h.raise("one")
	h.orchestrate()
	h.deploy("build 3", greet.Bind(greetBody), body)
	h.manage("one", durable.Resume, "")
	h.settle()
	if in := h.is("one", durable.Completed); string(in.Output) != `"done"` {
		t.Errorf("the output is %s", in.Output)
	}
}
