package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// stepping runs steps of the names, and returns what they came to. A step of which lost says so loses its worker.
func stepping(ran *[]string, lost func(name string) context.CancelFunc, names []string, opts ...durable.StepOption) durable.Handler {
	return hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		var out []string
		for _, name := range names {
			v, err := durable.Step(ctx, name, func(context.Context) (string, error) {
				*ran = append(*ran, name)
				if cancel := lost(name); cancel != nil {
					cancel()
				}
				return name, nil
			}, opts...)
			if errors.Is(err, durable.OutcomeUnknown) {
				v = "unknown"
			} else if err != nil {
				return "", err
			}
			out = append(out, v)
		}
		return strings.Join(out, " "), nil
	})
}

func TestStepsAfterTheirWorkerWasLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts []durable.StepOption
		ran  string
		out  string
	}{
		"run again":                       {nil, "[a b a b c]", `"a b c"`},
		"run again from their checkpoint": {[]durable.StepOption{durable.Checkpoint}, "[a b b c]", `"a b c"`},
		"do not run again":                {[]durable.StepOption{durable.AtMostOnce}, "[a b c]", `"a unknown c"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			var ran []string
			h := newHub(t, worker.Config{}, stepping(&ran, func(name string) context.CancelFunc {
				if name != "b" {
					return nil
				}
				return cancel
			}, []string{"a", "b", "c"}, c.opts...))
			h.submit("one")
			wake := h.take(h.ports.Wake)
			if out := h.Wake(ctx, wake); out[0].Ack {
				t.Error("a turn that was lost is acknowledged")
			}
			h.done(h.Wake(t.Context(), wake))
			if got := fmt.Sprint(ran); got != c.ran {
				t.Errorf("steps ran as %s, want %s", got, c.ran)
			}
			if in := h.is("one", durable.Completed); string(in.Output) != c.out {
				t.Errorf("it came to %s, want %s", in.Output, c.out)
			}
		})
	}
}

func kinds(segments [][]durable.HistoryEvent) string {
	var out []string
	for _, seg := range segments {
		for _, e := range seg {
			out = append(out, e.Kind.String())
		}
		out = append(out, "|")
	}
	return strings.Join(out, " ")
}

func TestWhatStepsCommit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts []durable.StepOption
		want string
	}{
		"together":     {nil, "ExecutionStarted StepCompleted StepCompleted ExecutionCompleted |"},
		"checkpoint":   {[]durable.StepOption{durable.Checkpoint}, "ExecutionStarted StepCompleted | StepCompleted ExecutionCompleted |"},
		"at most once": {[]durable.StepOption{durable.AtMostOnce}, "ExecutionStarted StepStarted | StepCompleted | StepStarted | StepCompleted ExecutionCompleted |"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ran []string
			h := newHub(t, worker.Config{}, stepping(&ran, func(string) context.CancelFunc { return nil }, []string{"a", "b"}, c.opts...))
			h.submit("one")
			h.settle()
			h.is("one", durable.Completed)
			if got := kinds(h.segments("one")); got != c.want {
				t.Errorf("the history is\n%s, want\n%s", got, c.want)
			}
		})
	}
}

// Near its deadline a worker hands a turn on before it begins a step, and not with the step begun: nobody else could run it.
func TestAStepThatWasBegunIsNotHandedOn(t *testing.T) {
	t.Parallel()
	var ran []string
	handOn := true
	h := newHub(t, near(&handOn), stepping(&ran, func(string) context.CancelFunc { return nil }, []string{"a"}, durable.AtMostOnce))
	h.submit("one")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	if len(ran) > 0 {
		t.Error("the step ran near the deadline, although the turn could be handed on")
	}
	h.orchestrate()
	if in := h.is("one", durable.Completed); string(in.Output) != `"a"` || len(ran) != 1 {
		t.Errorf("it came to %s after %v", in.Output, ran)
	}
}

// Steps that wait at the same time are begun in one commit, and those that somebody else has begun run beside nobody.
func TestStepsThatWaitTogether(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ran := map[string]int{}
	h := newHub(t, worker.Config{}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		step := func(name string, opts ...durable.StepOption) *durable.Future[string] {
			return durable.Go(ctx, func(ctx durable.Context) (string, error) {
				v, err := durable.Step(ctx, name, func(context.Context) (string, error) { ran[name]++; cancel(); return name, nil }, opts...)
				if errors.Is(err, durable.OutcomeUnknown) {
					return "unknown", nil
				}
				return v, err
			})
		}
		all, err := durable.All(ctx, step("a", durable.AtMostOnce), step("b"), step("c", durable.AtMostOnce))
		return fmt.Sprint(all), err
	}))
	h.submit("one")
	wake := h.take(h.ports.Wake)
	h.Wake(ctx, wake)
	h.done(h.Wake(t.Context(), wake))
	if in := h.is("one", durable.Completed); string(in.Output) != `"[unknown b unknown]"` || fmt.Sprint(ran) != "map[a:1 b:2 c:1]" {
		t.Errorf("it came to %s after %v", in.Output, ran)
	}
	starts := 0
	for _, seg := range h.segments("one")[0] {
		if seg.Kind == hist.StepStarted {
			starts++
		}
	}
	if starts != 2 {
		t.Errorf("the first segment begins %d steps, want 2", starts)
	}
}

func TestAnInlineActivityIsAStep(t *testing.T) {
	t.Parallel()
	inline := durable.NewActivity[int, string]("Inline", durable.AtMostOnce).Inline(func(ctx context.Context, n int) (string, error) {
		if n == 0 {
			return "", fmt.Errorf("no: %w", declined)
		}
		return fmt.Sprint(n, durable.InstanceID(ctx)), nil
	})
	h := newHub(t, worker.Config{}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		v, err := inline.Call(ctx, 7)
		if err != nil {
			return "", err
		}
		_, err = inline.Call(ctx, 0)
		return fmt.Sprint(v, " ", errors.Is(err, declined), " ", err), nil
	}))
	h.submit("one")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	if in := h.is("one", durable.Completed); string(in.Output) != `"7one true Inline failed: no: Declined"` {
		t.Errorf("it came to %s", in.Output)
	}
	if got, want := kinds(h.segments("one")), "ExecutionStarted StepStarted | StepCompleted | StepStarted | StepFailed ExecutionCompleted |"; got != want {
		t.Errorf("the history is %s, want %s", got, want)
	}
}

func TestAStepAtMostOnceRunsAgainWhenItIsRewound(t *testing.T) {
	t.Parallel()
	ran := 0
	h := newHub(t, worker.Config{}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		return durable.Step(ctx, "a", func(context.Context) (string, error) {
			if ran++; ran == 1 {
				return "", declined
			}
			return "a", nil
		}, durable.AtMostOnce)
	}))
	h.submit("one")
	h.settle()
	h.is("one", durable.Failed)
	h.manage("one", durable.Rewind, "")
	h.settle()
	if in := h.is("one", durable.Completed); string(in.Output) != `"a"` || ran != 2 {
		t.Errorf("it came to %s after %d runs", in.Output, ran)
	}
}
