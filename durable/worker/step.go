package worker

import (
	"context"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// begin commits what the turn has so far, and that steps begin which are to run at most once: the put that succeeds is the right to
// run them (rule 12). It is not followed by handing on, because nobody else may.
func (t *turn) begin(ctx context.Context, steps []replay.Step) error {
	var starts []history.Event
	for _, s := range steps {
		if s.AtMostOnce && !s.Begun {
			starts = append(starts, history.Event{Kind: history.StepStarted, Op: s.Op, Epoch: s.Epoch, Name: s.Name})
		}
	}
	if len(starts) == 0 {
		return nil
	}
	if len(t.seg.Events) > 0 && t.w.cfg.NearDeadline(ctx) {
		if err := t.chunks(ctx, true); err != nil {
			return err
		}
	}
	t.seg.Events = append(t.seg.Events, starts...)
	t.beginning = true
	defer func() { t.beginning = false }()
	return t.chunks(ctx, true)
}

// checkpoint reports whether the outcome of a step is to be committed before another step runs: lost, that of one that runs at most
// once is unknown.
func checkpoint(s replay.Step) bool { return s.Checkpoint || s.AtMostOnce }

// steps runs the inline activities that the code waits for, except those that somebody else has begun and that are to run at most once.
func (t *turn) steps(ctx context.Context, steps []replay.Step) []history.Event {
	outcomes := make([]history.Event, len(steps))
	var run []func()
	for i, s := range steps {
		if s.Begun {
			outcomes[i] = unknownStep(s)
			continue
		}
		run = append(run, func() {
			info := durable.ActivityInfo{Instance: t.g.instance, Attempt: 1, MaxPayload: t.w.store.MaxPayload(),
				Key: store.OperationID(t.g.instance, t.g.incarnation, t.st.h.Generation, s.Op, s.Epoch),
				Log: t.w.log.With("instance", t.g.instance, "step", s.Name)}
			e := history.Event{Kind: history.StepCompleted, Op: s.Op, Epoch: s.Epoch, Name: s.Name, Attempt: 1}
			e.Data.Bytes, e.Failure = s.Run(durable.WithActivityInfo(ctx, info))
			if e.Failure != nil {
				e.Kind, e.Data.Bytes = history.StepFailed, nil
				e.Failure.Activity, e.Failure.Attempt = s.Name, 1
			}
			outcomes[i] = e
		})
	}
	t.w.cfg.Execute(run)
	return outcomes
}

// unknownStep is the outcome of a step of which the history has nothing but that it began.
func unknownStep(s replay.Step) history.Event {
	return history.Event{Kind: history.StepFailed, Op: s.Op, Epoch: s.Epoch, Name: s.Name, Attempt: 1, Failure: &history.Failure{
		Kind: string(durable.OutcomeUnknown), Activity: s.Name, Attempt: 1, Permanent: true,
		Message: "the step was begun, and nobody knows what came of it: it is to run at most once, and was lost",
	}}
}
