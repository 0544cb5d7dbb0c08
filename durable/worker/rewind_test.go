package worker_test

import (
	"context"
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

// bench is a world whose activities fail while they are said to be broken, and which counts their runs.
type bench struct {
	*hub
	later  []delivery // what was put back
	broken map[string]bool
	runs   []string
	keys   []string
}

var do = durable.NewActivity[string, string]("Do")

func newBench(t *testing.T, cfg worker.Config, body func(*bench, durable.Context) (string, error)) *bench {
	t.Helper()
	b := &bench{broken: map[string]bool{}}
	b.hub = newHub(t, cfg,
		do.Bind(func(ctx context.Context, what string) (string, error) {
			b.runs, b.keys = append(b.runs, what), append(b.keys, durable.IdempotencyKey(ctx))
			if b.broken[what] {
				return "", errors.New(what + " is broken")
			}
			return strings.ToUpper(what), nil
		}),
		hello.Bind(func(ctx durable.Context, _ string) (string, error) { return body(b, ctx) }))
	return b
}

// fails runs the instance into its failure, and mends what was broken.
func (b *bench) fails(broken ...string) {
	b.t.Helper()
	for _, what := range broken {
		b.broken[what] = true
	}
	b.submit("one")
	b.settle()
	b.is("one", durable.Failed)
	clear(b.broken)
	b.runs, b.keys = nil, nil
}

func (b *bench) rewind() {
	b.t.Helper()
	b.now = b.now.Add(time.Second) // people take their time; a child's new life is newer than the one before
	b.manage("one", durable.Rewind, "mended")
	b.settle()
}

// comesTo fails unless the instance completes so, and only these activities ran since it failed.
func (b *bench) comesTo(output string, runs ...string) {
	b.t.Helper()
	if in := b.is("one", durable.Completed); string(in.Output) != fmt.Sprintf("%q", output) {
		b.t.Errorf("the output is %s, want %q", in.Output, output)
	}
	slices.Sort(runs)
	got := slices.Sorted(slices.Values(b.runs))
	if !slices.Equal(got, runs) {
		b.t.Errorf("what ran after the failure is %v, want %v", got, runs)
	}
}

// calls makes the calls one after the other.
func calls(what ...string) func(*bench, durable.Context) (string, error) {
	return func(_ *bench, ctx durable.Context) (string, error) {
		var out strings.Builder
		for _, w := range what {
			v, err := do.Call(ctx, w)
			if err != nil {
				return "", err
			}
			out.WriteString(v)
		}
		return out.String(), nil
	}
}

func TestARewindRunsWhatFailedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, calls("a", "b", "c"))
	b.fails("b")
	b.rewind()
	b.comesTo("ABC", "b", "c")
	if in := b.is("one", durable.Completed); in.Failure != nil {
		t.Errorf("it completed, and shows the failure %+v", in.Failure)
	}
}

func TestARewindMayFailAndBeRepeated(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, calls("a", "b", "c"))
	b.fails("b")
	b.broken["b"] = true
	b.rewind()
	b.is("one", durable.Failed)
	b.broken["b"], b.broken["c"] = false, true
	b.rewind()
	b.is("one", durable.Failed)
	clear(b.broken)
	b.rewind()
	b.comesTo("ABC", "b", "b", "c", "c")
	if len(slices.Compact(slices.Sorted(slices.Values(b.keys)))) != len(b.keys) {
		t.Errorf("runs of one activity share an idempotency key: %v", b.keys)
	}
}

func TestARewindKeepsWhatSucceededBesideTheFailure(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(b *bench, ctx durable.Context) (string, error) {
		first := durable.Go(ctx, func(ctx durable.Context) (string, error) { return calls("a", "b", "c")(b, ctx) })
		other := durable.Go(ctx, func(ctx durable.Context) (string, error) { return calls("x", "y", "z")(b, ctx) })
		v, err := first.Await()
		w, err2 := other.Await()
		return v + w, errors.Join(err, err2)
	})
	b.fails("x")
	b.rewind()
	b.comesTo("ABCXYZ", "x", "y", "z")
}

func TestARewindLeavesWhatTheCodeDidAboutTheFailure(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		v, err := do.Call(ctx, "a")
		if err != nil {
			_, undone := do.Call(ctx, "undo")
			return "", errors.Join(err, undone)
		}
		w, err := do.Call(ctx, "b") // where the undo was
		if err != nil {
			return "", err
		}
		x, err := do.Call(ctx, "c")
		return v + w + x, err
	})
	b.fails("a")
	b.rewind()
	b.comesTo("ABC", "a", "b", "c")
}

func TestARewindDoesNotRepeatWhatTheCodeDoesAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		_, optional := do.Call(ctx, "optional")
		v, err := do.Call(ctx, "a")
		if err != nil {
			return "", err
		}
		w, err := do.Call(ctx, "b")
		return fmt.Sprint(optional == nil, v, w), err
	})
	b.fails("optional", "b")
	b.rewind()
	b.comesTo("trueAB", "optional", "b")
}

func TestARewindGivesEventsAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		v, err := do.Call(ctx, "a")
		if err != nil {
			_, _ = yes.Next(ctx).Await()
			return "", err
		}
		_, err = yes.Next(ctx).Await()
		return v, err
	})
	b.broken["a"] = true
	b.submit("one")
	b.settle()
	b.raise("one")
	b.settle()
	b.is("one", durable.Failed)
	clear(b.broken)
	b.runs = nil
	b.rewind()
	b.comesTo("A", "a")
}

func TestARewindStartsTimersAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		long := durable.After(ctx, time.Minute)
		v, err := do.Call(ctx, "a")
		if err != nil {
			return "", err
		}
		_, err = long.Await()
		return v, err
	})
	b.fails("a")
	b.now = b.now.Add(2 * time.Minute) // it fires, and means nothing
	b.settle()
	b.rewind()
	b.comesTo("A", "a")
}

func TestARewindAsksAgainForWhatWasUnderWay(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{InFlight: 2}, func(_ *bench, ctx durable.Context) (string, error) {
		var all []*durable.Future[string]
		for _, what := range []string{"a", "b", "c", "d"} {
			all = append(all, do.Start(ctx, what))
		}
		out := ""
		for _, f := range all {
			v, err := f.Await()
			if err != nil {
				return "", err
			}
			out += v
		}
		return out, nil
	})
	b.fails("a")
	b.rewind()
	got := slices.Sorted(slices.Values(b.runs))
	if b.is("one", durable.Completed); !slices.Contains(got, "a") || !slices.Contains(got, "d") {
		t.Errorf("what ran again is %v, want what failed and what had no outcome", got)
	}
}

func TestARewindKeepsStepsAndRunsFailedOnes(t *testing.T) {
	t.Parallel()
	steps := map[string]int{}
	b := newBench(t, worker.Config{}, func(b *bench, ctx durable.Context) (string, error) {
		out := ""
		for _, name := range []string{"s", "t", "u"} {
			v, err := durable.Step(ctx, name, func(context.Context) (string, error) {
				steps[name]++
				if b.broken[name] {
					return "", errors.New("broken")
				}
				return name, nil
			})
			if err != nil {
				return "", err
			}
			out += v
		}
		return out, nil
	})
	b.fails("t")
	b.rewind()
	b.comesTo("stu")
	if steps["s"] != 1 || steps["t"] != 2 || steps["u"] != 1 {
		t.Errorf("the steps ran %v times, want the failed one alone to run again", steps)
	}
}

func TestARewindOfCodeThatFailedByItselfRunsItsLastTurn(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(b *bench, ctx durable.Context) (string, error) {
		v, err := do.Call(ctx, "a")
		if err != nil || b.broken["code"] {
			return "", errors.Join(err, errors.New("no"))
		}
		return v, nil
	})
	b.fails("code")
	b.rewind()
	b.comesTo("A")
}

func TestOnlyWhatHasFailedIsRewound(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, calls("a"))
	refused := func(is durable.Status) {
		t.Helper()
		b.is("one", is)
		err := b.client.Manage(t.Context(), durable.ManageRequest{Instance: "one", Command: durable.Rewind})
		if !errors.Is(err, durable.ErrNotFailed) || !strings.Contains(err.Error(), string(is)) {
			t.Errorf("the rewind of what is %s: %v", is, err)
		}
	}
	b.submit("one")
	refused(durable.Pending)
	b.settle()
	refused(durable.Completed)
}

func TestARewindThatComesLateIsDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, calls("a"))
	b.fails("a")
	b.broken["a"] = true
	b.manage("one", durable.Rewind, "first")
	b.manage("one", durable.Rewind, "second")
	deliveries := b.take(b.ports.Inbox)
	b.done(b.Inbox(t.Context(), deliveries[:1]))
	b.done(b.Inbox(t.Context(), deliveries)) // the first comes twice, the second meets what runs
	b.settle()
	b.is("one", durable.Failed)
	if keys := slices.Compact(b.keys); len(keys) != 1 {
		t.Errorf("it ran with the keys %v, want one for one rewind, which is repeated when its message comes again", keys)
	}
}

func TestOldOutcomesAreDroppedAfterARewind(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, calls("a", "b"))
	b.broken["a"] = true
	b.submit("one")
	b.orchestrate()
	b.work()
	old := b.take(b.ports.Inbox)
	b.done(b.Inbox(t.Context(), old))
	b.is("one", durable.Failed)
	clear(b.broken)
	b.manage("one", durable.Rewind, "")
	b.orchestrate()
	b.done(b.Inbox(t.Context(), old)) // the failure once more
	b.settle()
	b.is("one", durable.Completed)
}

func TestAWorkerMayDieBetweenARewindAndItsTurn(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{SegmentCommands: 1}, func(_ *bench, ctx durable.Context) (string, error) {
		v, err := do.Start(ctx, "a"), do.Start(ctx, "b")
		x, e1 := v.Await()
		y, e2 := err.Await()
		return x + y, errors.Join(e1, e2)
	})
	b.fails("a", "b")
	b.manage("one", durable.Rewind, "")
	for range 3 {
		d := b.take(b.ports.Inbox)
		if len(d) > 0 {
			b.done(b.Inbox(t.Context(), d))
		}
	}
	var again []string
	for _, seg := range b.segments("one") {
		for _, e := range seg {
			if e.Kind == hist.TaskScheduled && e.Epoch == 1 {
				again = append(again, e.Op)
			}
		}
	}
	if !slices.Equal(again, []string{"0", "1"}) {
		t.Errorf("asked for again: %v", again)
	}
	b.settle()
	b.comesTo("AB", "a", "b")
}

func TestARewindThatMeetsACompletedInstanceIsDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, calls("a"))
	b.fails("a")
	b.manage("one", durable.Rewind, "first")
	b.manage("one", durable.Rewind, "second")
	deliveries := b.take(b.ports.Inbox)
	b.done(b.Inbox(t.Context(), deliveries[:1]))
	b.settle()
	before := len(b.segments("one"))
	b.done(b.Inbox(t.Context(), deliveries))
	b.settle()
	b.is("one", durable.Completed)
	if got := len(b.segments("one")); got != before {
		t.Errorf("there are %d segments, want %d as before", got, before)
	}
}

func TestOutcomesOfWhatARewindHasAbandonedAreDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(b *bench, ctx durable.Context) (string, error) {
		v, err := do.Call(ctx, "a")
		if err != nil {
			do.Start(ctx, "aside")
			return "", err
		}
		_, err = yes.Next(ctx).Await()
		return v, err
	})
	b.broken["a"] = true
	b.submit("one")
	b.orchestrate()
	b.work()
	b.orchestrate()
	b.is("one", durable.Failed)
	aside := b.take(b.ports.Activities)
	clear(b.broken)
	b.rewind()
	for _, d := range aside {
		b.done([]worker.Outcome{b.Activity(t.Context(), d)})
	}
	b.settle()
	b.is("one", durable.Running)
	b.raise("one")
	b.settle()
	if in := b.is("one", durable.Completed); string(in.Output) != `"A"` {
		t.Errorf("the output is %s", in.Output)
	}
}

func TestOldCancellationsLeaveNewTimers(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		first := durable.After(ctx, time.Hour)
		scope, cancel := durable.WithCancel(ctx)
		timer := durable.After(scope, time.Hour)
		v, err := do.Call(ctx, "a")
		if err != nil {
			cancel()
			return "", err
		}
		_, err = timer.Await()
		_, err2 := first.Await()
		return v, errors.Join(err, err2)
	})
	b.broken["a"] = true
	b.submit("one")
	b.orchestrate()
	b.work()
	old := b.take(b.ports.Inbox)
	b.done(b.Inbox(t.Context(), old))
	b.is("one", durable.Failed)
	clear(b.broken)
	b.runs = nil
	b.rewind()
	if _, err := b.Repair(t.Context(), "one"); err != nil { // every segment's obligations once more
		t.Fatal(err)
	}
	b.advance(2 * time.Hour)
	b.comesTo("A", "a")
}
