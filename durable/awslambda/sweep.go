package awslambda

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// sweep sends what is due soon, and takes back dead letters. What is left when the time is up is the next one's.
func (o *orchestrator) sweep(ctx context.Context) error {
	sent, err := o.worker.Sweep(ctx)
	if err != nil {
		err = fmt.Errorf("send what is due: %w", err)
	}
	if sent > 0 {
		o.Log.Info("due rows were sent", "rows", sent)
	}
	dead := o.store.Backend().Dead
	errs := []error{err}
	for _, q := range []backend.Queue{dead.Inbox, dead.Wake, dead.Activities} {
		if q != nil {
			errs = append(errs, o.drain(ctx, q))
		}
	}
	return errors.Join(errs...)
}

// drain handles dead letters until none is left but what cannot be read: that stays for a person, hidden for the queue's
// visibility time-out each time.
func (o *orchestrator) drain(ctx context.Context, q backend.Queue) error {
	for ctx.Err() == nil {
		deliveries, err := q.Receive(ctx, backend.MaxBatch, 0)
		if err != nil || len(deliveries) == 0 {
			return err
		}
		var done []backend.Delivery
		for i, outcome := range o.worker.Dead(ctx, deliveries) {
			if outcome.Ack {
				done = append(done, deliveries[i])
			} else {
				o.Log.Error("a dead letter stays in its queue", "error", outcome.Err)
			}
		}
		if len(done) > 0 {
			err = q.Ack(ctx, done)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
