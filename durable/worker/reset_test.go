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
