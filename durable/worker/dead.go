package worker

import (
	"context"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Dead handles messages of a dead-letter queue, whichever queue gave up on them, so that no instance waits for one that is
// gone. An activity's is an attempt that failed (rule 12); any other goes back to where it came from (rule 10). What cannot
// be read is Foreign, and stays.
func (w *Worker) Dead(ctx context.Context, batch []backend.Delivery) []Outcome {
	outcomes := make([]Outcome, len(batch))
	for i, d := range batch {
		m, err := read(d)
		if err != nil {
			outcomes[i] = Outcome{Foreign: true, Err: err}
			continue
		}
		if err := w.dead(ctx, m); err != nil {
			outcomes[i] = w.again(fmt.Errorf("dead letter for instance %s: %w", m.Instance, err))
			continue
		}
		outcomes[i] = Outcome{Ack: true}
	}
	return outcomes
}

func (w *Worker) dead(ctx context.Context, m *history.Message) error {
	w.log.Warn("a message was delivered too often, and comes back from the dead-letter queue",
		"instance", m.Instance, "kind", m.Event.Kind.String(), "redrives", m.Redrives)
	if m.Event.Kind == history.TaskScheduled && m.Pending.IsZero() {
		return w.unrun(ctx, m, &history.Failure{
			Kind: string(durable.WorkerLost),
			Message: fmt.Sprintf("attempt %d of %s was begun again and again, and no worker lived to report its outcome: "+
				"look in the log for a crash, for a time-out, or for too little memory", m.Attempt, m.Event.Name),
		})
	}
	if m.Event.Kind == history.Notified && w.outdated(m) {
		return nil
	}
	m.Redrives++
	out := w.store.Outbox()
	switch {
	case m.Event.Kind == history.TaskScheduled:
		out.Activity(m)
	case m.Event.Kind == history.Notified:
		out.Notice(m)
	case m.Event.Kind == history.ExecutionStarted:
		out.Start(m)
	case m.Event.Kind == history.TimerFired && m.Event.At.After(w.store.Now()):
		out.Again(m, m.Event.At)
	default:
		out.Inbox(m)
	}
	return out.Flush(ctx)
}
