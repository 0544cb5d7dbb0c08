package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

var onceOrch = durable.NewOrchestration[Plain, string]("Once")

// once runs steps that may run once at most, one after another and two at a time, among others that may run again, over several turns.
func (w *World) once(ctx durable.Context, in Plain) (string, error) {
	begin := func(ctx durable.Context, key string, opts ...durable.StepOption) (string, error) {
		v, err := durable.Step(ctx, key, func(ctx context.Context) (string, error) {
			return key, w.begins(durable.IdempotencyKey(ctx), len(opts) > 0 && opts[0] == durable.StepOption(durable.AtMostOnce))
		}, opts...)
		if errors.Is(err, durable.OutcomeUnknown) {
			w.seen["steps of which nobody knows"]++
			return key, nil // a crash is not to be seen in the end
		}
		return v, err
	}
	var out []string
	for i := range in.N {
		aside := durable.Go(ctx, func(ctx durable.Context) (string, error) {
			return begin(ctx, fmt.Sprint("a", i), durable.AtMostOnce)
		})
		if _, err := begin(ctx, "again", durable.Checkpoint); err != nil {
			return "", err
		}
		v, err := begin(ctx, fmt.Sprint("s", i), durable.AtMostOnce)
		if err != nil {
			return "", err
		}
		a, err := aside.Await()
		if err != nil {
			return "", err
		}
		if out = append(out, v, a); i%2 == 0 {
			if _, err := work.Call(ctx, Job{Key: "between"}); err != nil {
				return "", err
			}
		}
	}
	return strings.Join(out, ","), nil
}

// begins is the body of a step: others have time to meet it.
func (w *World) begins(operation string, once bool) error {
	if w.current.dead {
		return errDead
	}
	if w.steps[operation]++; once && w.steps[operation] > 1 {
		w.fail("%s runs step %s again, which is to run once at most", w.current, operation)
	}
	return w.inStep(0)
}

// wantOnce: each step has its own result, known or not.
func wantOnce(_ *World, l *life) error {
	if l.end.Kind != history.ExecutionCompleted {
		return fmt.Errorf("it failed: %+v", l.end.Failure)
	}
	var in Plain
	var out string
	if err := errors.Join(json.Unmarshal(l.start.Data.Bytes, &in), json.Unmarshal(l.end.Data.Bytes, &out)); err != nil {
		return err
	}
	var want []string
	for i := range in.N {
		want = append(want, fmt.Sprint("s", i), fmt.Sprint("a", i))
	}
	if want := strings.Join(want, ","); out != want {
		return fmt.Errorf("it came to %s, want %s", out, want)
	}
	return nil
}
