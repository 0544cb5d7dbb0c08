package pebble

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/delivery"
)

var _ backend.Queue = (*queue)(nil)

// queue keeps messages in the database, and in memory only whose turn it is.
type queue struct {
	*store
	name     string
	ordered  bool
	schedule *delivery.Schedule
	last     atomic.Uint64 // number of the newest message
}

func loadQueue(s *store, name string, ordered bool, visibility time.Duration) (*queue, error) {
	opts := delivery.Options{
		Now: s.now, Visibility: visibility, Grouped: ordered,
		Salt: rand.Text(),
	}
	if ordered {
		opts.Dedup = DedupWindow
	}
	q := &queue{store: s, name: name, ordered: ordered, schedule: delivery.New(opts)}
	err := s.scan(messagesOf(q.id()), nil, nil, func(rest, value []byte) (bool, error) {
		m, due, err := decodeMessage(value)
		if err == nil && len(rest) != 8 {
			err = errRecord
		}
		if err != nil {
			return false, fmt.Errorf("message in %s: %w", name, err)
		}
		seq := binary.BigEndian.Uint64(rest)
		q.last.Store(seq)
		// Without its id: a message that was sent again after the window is not a duplicate of the one before it.
		q.schedule.Add(delivery.Entry{Seq: seq, Group: m.Group, Due: due})
		return true, nil
	})
	return q, err
}

// id is the queue's byte in keys.
func (q *queue) id() byte { return q.name[0] }

func (q *queue) Send(ctx context.Context, messages []backend.Message) []error {
	return q.send(ctx, messages, pebble.Sync)
}

// relay is a queue as a worker of this process has it: what it sends is not waited for.
type relay struct{ *queue }

func (r relay) Send(ctx context.Context, messages []backend.Message) []error {
	return r.send(ctx, messages, pebble.NoSync)
}

func (q *queue) send(ctx context.Context, messages []backend.Message, sync *pebble.WriteOptions) []error {
	errs := make([]error, len(messages))
	err := q.call(ctx, nil, func() error {
		entries, err := q.write(messages, errs, sync)
		if err != nil {
			return err
		}
		return q.add(entries)
	})
	failed := false
	for i := range errs {
		if errs[i] == nil {
			errs[i] = err
		}
		if errs[i] != nil {
			errs[i] = fmt.Errorf("send to %s: %w", q.name, errs[i])
			failed = true
		}
	}
	if !failed {
		return nil
	}
	return errs
}

// write makes the messages durable, or has them be so with what is synced next; but for those that it refuses in errs and for duplicates.
func (q *queue) write(messages []backend.Message, errs []error, sync *pebble.WriteOptions) ([]delivery.Entry, error) {
	batch := q.db.NewBatch()
	defer batch.Close()
	var entries []delivery.Entry
	now := q.now()
	for i, m := range messages {
		if errs[i] = backend.CheckMessage(m, q.ordered); errs[i] != nil || q.schedule.Known(m.ID) {
			continue
		}
		e := delivery.Entry{Seq: q.last.Add(1), ID: m.ID, Group: m.Group, Due: now.Add(m.Delay)}
		if err := batch.Set(messageKey(q.id(), e.Seq), encodeMessage(m, e.Due), nil); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return nil, nil
	}
	return entries, batch.Commit(sync)
}

// add lets messages be received that were written. One whose id came with another Send in the meantime is removed again.
func (q *queue) add(entries []delivery.Entry) error {
	for _, e := range entries {
		if q.schedule.Add(e) {
			continue
		}
		if err := q.db.Delete(messageKey(q.id(), e.Seq), pebble.NoSync); err != nil {
			return err
		}
	}
	return nil
}

func (q *queue) Receive(ctx context.Context, max int, wait time.Duration) ([]backend.Delivery, error) {
	taken, err := q.schedule.Receive(ctx, max, wait)
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", q.name, err)
	}
	if len(taken) == 0 {
		return nil, nil
	}
	var deliveries []backend.Delivery
	err = q.call(ctx, nil, func() error {
		for _, t := range taken {
			m, err := q.read(t.Seq)
			if err != nil {
				return err
			}
			if m != nil {
				deliveries = append(deliveries, backend.Delivery{Message: *m, Receipt: t.Receipt, Receives: t.Receives})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", q.name, err)
	}
	return deliveries, nil
}

// read returns the message, nil when it is gone: its visibility may have ended since it was taken, and somebody else
// may have received and acknowledged it.
func (q *queue) read(seq uint64) (*backend.Message, error) {
	value, closer, err := q.db.Get(messageKey(q.id(), seq))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	m, _, err := decodeMessage(value)
	return &m, err
}

func (q *queue) Ack(ctx context.Context, deliveries []backend.Delivery) error {
	err := q.call(ctx, nil, func() error {
		batch := q.db.NewBatch()
		defer batch.Close()
		for _, d := range deliveries {
			if seq, ok := q.schedule.Done(d.Receipt); ok {
				if err := batch.Delete(messageKey(q.id(), seq), nil); err != nil {
					return err
				}
			}
		}
		return batch.Commit(pebble.NoSync)
	})
	if err != nil {
		return fmt.Errorf("ack to %s: %w", q.name, err)
	}
	return nil
}

func (q *queue) Defer(ctx context.Context, d backend.Delivery, visibility time.Duration) error {
	err := q.call(ctx, backend.CheckDefer(visibility), func() error {
		q.schedule.Defer(d.Receipt, visibility)
		return nil
	})
	if err != nil {
		return fmt.Errorf("defer in %s: %w", q.name, err)
	}
	return nil
}
