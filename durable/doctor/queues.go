package doctor

import (
	"context"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// waiting is what is in the queues of a hub that nobody else has open.
type waiting struct {
	// messages by identity, and instances that have anything in their inbox: it may be what they wait for.
	messages, inboxes map[string]bool
	// blobs that they carry.
	blobs map[string]bool
}

// has reports whether a message may be on its way.
func (w *waiting) has(instance, id string) bool { return w.messages[id] || w.inboxes[instance] }

// lookIntoQueues notes what is ready in the queues, and puts it back.
func (e *examination) lookIntoQueues(ctx context.Context) error {
	if !e.Exclusive {
		return nil
	}
	*e.waiting = waiting{messages: map[string]bool{}, inboxes: map[string]bool{}, blobs: map[string]bool{}}
	b := e.Store.Backend()
	for _, q := range []backend.Queue{b.Inbox, b.Wake, b.Activities} {
		deliveries, err := look(ctx, q, 0)
		if err != nil {
			return fmt.Errorf("look into a queue: %w", err)
		}
		for _, d := range deliveries {
			m, err := history.DecodeMessage(d.Body)
			if err != nil {
				continue // a dead letter
			}
			e.waiting.messages[m.ID] = true
			e.waiting.blobs[m.Event.Data.Blob] = true
			if q == b.Inbox {
				e.waiting.inboxes[m.Instance] = true
			}
		}
		if err := putBack(ctx, q, deliveries); err != nil {
			return err
		}
	}
	return nil
}

// note takes down that a message will be sent.
func (w *waiting) note(m *history.Message) {
	if w.messages == nil {
		w.messages = map[string]bool{}
	}
	w.messages[m.ID] = true
}
