package memory

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/delivery"
)

var _ backend.Queue = (*queue)(nil)

type queue struct {
	name     string
	ordered  bool // refuses what an ordered queue refuses
	now      func() time.Time
	schedule *delivery.Schedule

	mu       sync.Mutex
	messages map[uint64]backend.Message
	last     uint64
}

func newQueue(name string, ordered bool, o delivery.Options) *queue {
	return &queue{
		name: name, ordered: ordered, now: o.Now,
		schedule: delivery.New(o), messages: map[uint64]backend.Message{},
	}
}

func (q *queue) Send(ctx context.Context, messages []backend.Message) []error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var errs []error
	for i, m := range messages {
		if err := check(ctx, backend.CheckMessage(m, q.ordered)); err != nil {
			if errs == nil {
				errs = make([]error, len(messages))
			}
			errs[i] = fmt.Errorf("send to %s: %w", q.name, err)
			continue
		}
		q.add(m)
	}
	return errs
}

func (q *queue) add(m backend.Message) {
	q.last++
	q.messages[q.last] = copied(m)
	if !q.schedule.Add(delivery.Entry{Seq: q.last, ID: m.ID, Group: m.Group, Due: q.now().Add(m.Delay)}) {
		delete(q.messages, q.last)
	}
}

func (q *queue) Receive(ctx context.Context, max int, wait time.Duration) ([]backend.Delivery, error) {
	taken, err := q.schedule.Receive(ctx, max, wait)
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", q.name, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	var deliveries []backend.Delivery
	for _, t := range taken {
		// A message whose visibility ended in the meantime may have gone to somebody else, who acknowledged it.
		if m, ok := q.messages[t.Seq]; ok {
			deliveries = append(deliveries, backend.Delivery{Message: copied(m), Receipt: t.Receipt, Receives: t.Receives})
		}
	}
	return deliveries, nil
}

func (q *queue) Ack(ctx context.Context, deliveries []backend.Delivery) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ack to %s: %w", q.name, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, d := range deliveries {
		if seq, ok := q.schedule.Done(d.Receipt); ok {
			delete(q.messages, seq)
		}
	}
	return nil
}

func (q *queue) Defer(ctx context.Context, d backend.Delivery, visibility time.Duration) error {
	if err := check(ctx, backend.CheckDefer(visibility)); err != nil {
		return fmt.Errorf("defer in %s: %w", q.name, err)
	}
	q.schedule.Defer(d.Receipt, visibility)
	return nil
}

// copied is m as it is handed out: its body is the receiver's own, its delay has served.
func copied(m backend.Message) backend.Message {
	m.Body = bytes.Clone(m.Body)
	m.Delay = 0
	return m
}
