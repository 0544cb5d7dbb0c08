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

// completes runs the instance to its end.
func (b *bench) ran() {
	b.t.Helper()
	b.submit("one")
	b.settle()
	b.is("one", durable.Completed)
	b.runs, b.keys = nil, nil
}

// reset resets the instance: edit is "result" or "input" and the JSON of it, or nothing.
func (b *bench) reset(op string, edit ...string) {
	b.t.Helper()
	b.now = b.now.Add(time.Second)
	if err := b.client.Reset(b.t.Context(), resetOf(op, edit...)); err != nil {
		b.t.Fatal(err)
	}
	b.settle()
}

func resetOf(op string, edit ...string) durable.ResetRequest {
	req := durable.ResetRequest{Instance: "one", Operation: op, Reason: "a test"}
	if len(edit) > 0 && edit[0] == "result" {
		req.Result = json.RawMessage(edit[1])
	} else if len(edit) > 0 {
		req.Input = json.RawMessage(edit[1])
	}
	return req
}

// refuses fails unless the reset is refused with these words.
func (b *bench) refuses(is error, words, op string, edit ...string) {
	b.t.Helper()
	err := b.client.Reset(b.t.Context(), resetOf(op, edit...))
	if !errors.Is(err, is) || !strings.Contains(err.Error(), words) {
		b.t.Errorf("a reset to %s with %v: %v, want %v and %q", op, edit, err, is, words)
	}
}

// kept runs a test with workers that keep instances where they wait, and with those that do not.
func kept(t *testing.T, test func(t *testing.T, cfg worker.Config)) {
	t.Parallel()
	for _, warm := range []int64{0, 1 << 20} {
		t.Run(fmt.Sprint("warm ", warm), func(t *testing.T) { test(t, worker.Config{Warm: warm}) })
	}
}

func TestAResetWithAResultGoesOnWithIt(t *testing.T) {
	kept(t, func(t *testing.T, cfg worker.Config) {
		b := newBench(t, cfg, calls("a", "b", "c"))
		b.ran()
		b.reset("1", "result", `"X"`)
		b.comesTo("AXC", "c")
		b.runs = nil
		b.reset("2", "result", `"Y"`) // what was reset before stands
		b.comesTo("AXY")
		b.reset("0", "result", `"Z"`)
		b.comesTo("ZBC", "b", "c")
	})
}

func TestAResetWithAnInputAsksAgainWithIt(t *testing.T) {
	kept(t, func(t *testing.T, cfg worker.Config) {
		b := newBench(t, cfg, calls("a", "b", "c"))
		b.ran()
		b.reset("1", "input", `"x"`)
		b.comesTo("AXC", "x", "c")
		b.runs = nil
		b.reset("1") // the input stands
		b.comesTo("AXC", "x", "c")
		b.runs = nil
		b.reset("0") // and goes with what it was said in
		b.comesTo("ABC", "a", "b", "c")
	})
}

func TestAResetWithNothingRunsTheOperationAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, calls("a", "b", "c"))
	b.fails("b")
	b.reset("1")
	b.comesTo("ABC", "b", "c")
	keys := b.keys
	b.runs = nil
	b.reset("1")
	b.comesTo("ABC", "b", "c")
	if len(slices.Compact(slices.Sorted(slices.Values(b.keys)))) != len(b.keys) || len(keys) != 2 {
		t.Errorf("runs of one activity share an idempotency key: %v", b.keys)
	}
}

// echo calls Do with its input, and hands the result on.
func echo(_ *bench, ctx durable.Context, in string) (string, error) { return do.Call(ctx, in) }

// newEcho is a bench whose instance sees its input.
func newEcho(t *testing.T, cfg worker.Config) *bench {
	t.Helper()
	b := newBench(t, cfg, calls())
	b.deploy("build 2", b.cfg.Handlers[0], hello.Bind(func(ctx durable.Context, in string) (string, error) { return echo(b, ctx, in) }))
	return b
}

func TestAResetToTheStartBeginsAnew(t *testing.T) {
	kept(t, func(t *testing.T, cfg worker.Config) {
		b := newEcho(t, cfg)
		b.ran()
		b.reset("start", "input", `"other"`)
		b.comesTo("OTHER", "other")
		if in := b.is("one", durable.Completed); string(in.Input) != `"other"` {
			t.Errorf("the input is shown as %s", in.Input)
		}
		b.runs = nil
		b.reset("start")
		b.comesTo("OTHER", "other")
		b.runs = nil
		b.reset("0") // whose outcome came in behind the start
		b.comesTo("OTHER", "other")
		same := durable.StartRequest{Name: "Hello", ID: "one", Input: json.RawMessage(`"in"`), Conflict: durable.UseSame, Reuse: durable.ReuseNever}
		if _, err := b.client.Start(t.Context(), same); err != nil {
			t.Errorf("the start repeated: %v", err)
		}
	})
}

func TestARestartStartsWhatTheResetHasBegunWith(t *testing.T) {
	t.Parallel()
	b := newEcho(t, worker.Config{})
	b.ran()
	b.reset("start", "input", `"other"`)
	b.runs = nil
	if _, err := b.client.Restart(t.Context(), durable.RestartRequest{Instance: "one"}); err != nil {
		t.Fatal(err)
	}
	b.settle()
	b.comesTo("OTHER", "other")
}

func TestAnOperationWithoutAnOutcomeIsGivenOne(t *testing.T) {
	kept(t, func(t *testing.T, cfg worker.Config) {
		b := newBench(t, cfg, calls("a", "b"))
		b.submit("one")
		b.orchestrate()
		late := b.take(b.ports.Activities)
		b.reset("0", "result", `"X"`)
		b.comesTo("XB", "b")
		b.done([]worker.Outcome{b.Activity(t.Context(), late[0])})
		b.settle()
		b.comesTo("XB", "a", "b")
	})
}

func TestAnOperationWithoutAnOutcomeIsAskedForOnceMore(t *testing.T) {
	kept(t, func(t *testing.T, cfg worker.Config) {
		b := newBench(t, cfg, calls("a", "b"))
		b.submit("one")
		b.orchestrate()
		late := b.take(b.ports.Activities)
		b.reset("0", "input", `"x"`)
		b.done([]worker.Outcome{b.Activity(t.Context(), late[0])})
		b.settle()
		b.comesTo("XB", "a", "b", "x")
	})
}

func TestAResetResumes(t *testing.T) {
	kept(t, func(t *testing.T, cfg worker.Config) {
		b := newBench(t, cfg, calls("a", "b", "c"))
		b.submit("one")
		b.orchestrate()
		b.manage("one", durable.Suspend, "wait")
		b.settle()
		b.is("one", durable.Suspended)
		b.runs = nil
		b.reset("0", "result", `"X"`) // its outcome was kept for the resume
		b.comesTo("XBC", "b", "c")
	})
}

func TestAResetOfATerminatedInstance(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		v, err := do.Call(ctx, "a")
		_, late := yes.Next(ctx).Await()
		w, err2 := do.Call(ctx, v)
		return v + w, errors.Join(err, late, err2)
	})
	b.submit("one")
	b.settle()
	b.raise("one")
	b.orchestrate()
	b.manage("one", durable.Terminate, "enough")
	b.orchestrate()
	b.is("one", durable.Terminated)
	b.take(b.ports.Activities)
	b.runs = nil
	b.reset("1", "result", `"X"`) // it has none: the end is taken back
	b.comesTo("AX")
	b.reset("0", "result", `"b"`) // the event comes again
	b.comesTo("bB", "b")
}

func TestAResetOfWhatTheWorkerSuspended(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		v, err := do.Call(ctx, "a")
		if v != "X" {
			panic("cannot go on with " + v)
		}
		return v, err
	})
	b.submit("one")
	b.settle()
	b.is("one", durable.Suspended)
	b.reset("0", "input", `"y"`)
	b.is("one", durable.Suspended)
	b.reset("0", "result", `"X"`)
	if in := b.is("one", durable.Completed); string(in.Output) != `"X"` {
		t.Errorf("the output is %s", in.Output)
	}
}

func TestAResetGivesEventsAgainAndTimersTheirEnd(t *testing.T) {
	kept(t, func(t *testing.T, cfg worker.Config) {
		b := newBench(t, cfg, func(_ *bench, ctx durable.Context) (string, error) {
			v, err := do.Call(ctx, "a")
			if _, err := yes.Next(ctx).Await(); err != nil {
				return "", err
			}
			if v == "X" { // another way
				return v, durable.Sleep(ctx, 1000*time.Hour)
			}
			w, err2 := do.Call(ctx, "b")
			return v + w, errors.Join(err, err2)
		})
		b.submit("one")
		b.raise("one")
		b.settle()
		b.is("one", durable.Completed)
		b.runs = nil
		b.reset("0", "result", `"X"`)
		b.is("one", durable.Running)
		b.refuses(durable.ErrNotResettable, "only result is null", "1", "result", `7`)
		b.refuses(durable.ErrNotResettable, "is a timer and has no input", "1", "input", `7`)
		b.reset("1", "result", `null`)
		b.comesTo("X")
	})
}

func TestAResetToAStep(t *testing.T) {
	kept(t, func(t *testing.T, cfg worker.Config) {
		steps := map[string]int{}
		step := func(ctx durable.Context, name string) (string, error) {
			return durable.Step(ctx, name, func(context.Context) (string, error) {
				steps[name]++
				return name, nil
			})
		}
		b := newBench(t, cfg, func(_ *bench, ctx durable.Context) (string, error) {
			v, e1 := step(ctx, "s")
			w, e2 := do.Call(ctx, "a")
			x, e3 := step(ctx, "t")
			y, e4 := step(ctx, "u")
			return v + w + x + y, errors.Join(e1, e2, e3, e4)
		})
		b.ran()
		b.refuses(durable.ErrNotResettable, "is an inline step", "2", "input", `"x"`)
		b.reset("2", "result", `"X"`)
		b.comesTo("sAXu", "a") // its outcome came in with that of the activity
		if steps["s"] != 1 || steps["t"] != 1 || steps["u"] != 2 {
			t.Errorf("the steps ran %v times", steps)
		}
		b.reset("3")
		b.reset("0", "result", `"Y"`)
		if in := b.is("one", durable.Completed); string(in.Output) != `"YAtu"` || steps["s"] != 1 {
			t.Errorf("the output is %s, the steps ran %v times", in.Output, steps)
		}
	})
}

func TestAResetToAStepThatASuspensionHadPutOff(t *testing.T) {
	t.Parallel()
	ran := 0
	b := newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		v, err := do.Call(ctx, "a")
		w, err2 := durable.Step(ctx, "s", func(context.Context) (string, error) { ran++; return "s", nil })
		return v + w, errors.Join(err, err2)
	})
	b.submit("one")
	b.orchestrate()
	b.work()
	b.manage("one", durable.Suspend, "with the outcome, in one turn")
	b.orchestrate()
	b.is("one", durable.Suspended)
	b.manage("one", durable.Resume, "")
	b.settle()
	b.comesTo("As", "a")
	b.reset("1", "result", `"X"`)
	b.comesTo("AX", "a", "a")
	if ran != 1 {
		t.Errorf("the step ran %d times", ran)
	}
}

func TestRewindsAndResetsStandOnEachOther(t *testing.T) {
	kept(t, func(t *testing.T, cfg worker.Config) {
		b := newBench(t, cfg, func(b *bench, ctx durable.Context) (string, error) {
			first := do.Start(ctx, "a")
			other := do.Start(ctx, "b")
			v, err := first.Await()
			w, err2 := other.Await()
			if err := errors.Join(err, err2); err != nil {
				return "", err
			}
			x, err := do.Call(ctx, "c")
			return v + w + x, err
		})
		b.fails("a")
		b.rewind() // the result of b is kept
		b.comesTo("ABC", "a", "c")
		b.runs = nil
		b.broken["x"] = true
		b.reset("0", "input", `"x"`)
		b.is("one", durable.Failed)
		clear(b.broken)
		b.runs = nil
		b.rewind() // with the input that the reset had said
		b.comesTo("XBC", "x", "c")
		b.runs = nil
		b.reset("2", "result", `"Y"`)
		b.comesTo("XBY")
		b.broken["z"] = true
		b.reset("2", "input", `"z"`)
		b.is("one", durable.Failed)
		b.rewind()
		b.is("one", durable.Failed)
		b.runs = nil
		b.reset("2")
		b.is("one", durable.Failed)
		clear(b.broken)
		b.reset("2")
		b.comesTo("XBZ", "z", "z")
	})
}

func TestAResetToAResultThatARewindHasKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(b *bench, ctx durable.Context) (string, error) {
		_, optional := do.Call(ctx, "optional")
		v, err := do.Call(ctx, "a")
		w, err2 := do.Call(ctx, "b")
		return fmt.Sprint(optional == nil, v, w), errors.Join(err, err2)
	})
	b.fails("optional", "b")
	b.rewind() // a is asked for behind the cut, and has its result
	b.comesTo("trueAB", "optional", "b")
	b.runs = nil
	b.refuses(durable.ErrNotResettable, "asked for anew by the code", "1", "input", `"x"`)
	b.reset("1", "result", `"X"`)
	b.comesTo("trueXB", "optional", "b")
}

func TestLargeEditsAreKeptInBlobs(t *testing.T) {
	kept(t, func(t *testing.T, cfg worker.Config) {
		cfg.SegmentCommands = 1
		b := newBench(t, cfg, calls("a", "b", "c"))
		b.ran()
		large := strings.Repeat("x", 3*hist.InlinePayload)
		b.reset("1", "input", fmt.Sprintf("%q", large))
		b.comesTo("A"+strings.ToUpper(large)+"C", large, "c")
		b.runs = nil
		b.reset("1", "result", fmt.Sprintf("%q", large))
		b.comesTo("A"+large+"C", "c")
	})
}

func TestAResetInTheMiddleOfAFanOut(t *testing.T) {
	t.Parallel()
	for _, cfg := range []worker.Config{{}, {InFlight: 2}, {SegmentCommands: 1}, {InFlight: 1, Warm: 1 << 20}} {
		b := newBench(t, cfg, func(_ *bench, ctx durable.Context) (string, error) {
			var all []*durable.Future[string]
			for _, what := range []string{"a", "b", "c", "d", "e"} {
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
			w, err := do.Call(ctx, "last")
			return out + w, err
		})
		b.submit("one")
		b.orchestrate()
		b.work()
		b.orchestrate() // some may wait for their turn
		b.reset("1", "result", `"X"`)
		if in := b.is("one", durable.Completed); string(in.Output) != `"AXCDELAST"` {
			t.Errorf("the output is %s", in.Output)
		}
	}
}

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
