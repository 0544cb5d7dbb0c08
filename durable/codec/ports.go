package codec

import (
	"context"
	"errors"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

type table struct {
	inner backend.Table
	coder
}

func item(key backend.Key) Where    { return Where{"item", key.Partition + "\x00" + key.Sort} }
func summary(key backend.Key) Where { return Where{"summary", key.Partition + "\x00" + key.Sort} }

// open decodes an item in place.
func (t *table) open(ctx context.Context, i *backend.Item) (err error) {
	if i.Value, err = t.decode(ctx, item(i.Key), i.Value); err != nil || i.Index == nil {
		return err
	}
	entry := *i.Index
	entry.Summary, err = t.decode(ctx, summary(i.Key), entry.Summary)
	i.Index = &entry
	return err
}

func (t *table) Get(ctx context.Context, key backend.Key) (*backend.Item, error) {
	found, err := t.inner.Get(ctx, key)
	if err == nil && found != nil {
		err = t.open(ctx, found)
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (t *table) Put(ctx context.Context, i backend.Item, cond backend.Condition) error {
	value, err := t.encode(ctx, item(i.Key), i.Value)
	if err != nil {
		return err
	}
	i.Value = value
	if i.Index != nil {
		entry := *i.Index
		if entry.Summary, err = t.encode(ctx, summary(i.Key), entry.Summary); err != nil {
			return err
		}
		i.Index = &entry
	}
	err = t.inner.Put(ctx, i, cond)
	var failed *backend.ConditionError
	if errors.As(err, &failed) && failed.Found != nil {
		found := *failed.Found
		if err := t.open(ctx, &found); err != nil {
			return err // its fate is known to the storage, and unknown to who asked: the safe side
		}
		return &backend.ConditionError{Found: &found}
	}
	return err
}

func (t *table) Delete(ctx context.Context, key backend.Key) error { return t.inner.Delete(ctx, key) }

func (t *table) Query(ctx context.Context, partition, from, to string, limit int) ([]backend.Item, error) {
	items, err := t.inner.Query(ctx, partition, from, to, limit)
	for i := range items {
		if err != nil {
			return nil, err
		}
		err = t.open(ctx, &items[i])
	}
	return items, err
}

func (t *table) Index(ctx context.Context, partition, from, to string, limit int) ([]backend.Indexed, error) {
	entries, err := t.inner.Index(ctx, partition, from, to, limit)
	for i := range entries {
		if err != nil {
			return nil, err
		}
		entries[i].Summary, err = t.decode(ctx, summary(entries[i].Key), entries[i].Summary)
	}
	return entries, err
}

type queue struct {
	inner backend.Queue
	coder
	name string
}

func (q *queue) where() Where { return Where{"message", q.name} }

// Send encodes all it can, and sends these.
func (q *queue) Send(ctx context.Context, messages []backend.Message) []error {
	encoded := make([]backend.Message, 0, len(messages))
	at := make([]int, 0, len(messages))
	var errs []error
	fail := func(i int, err error) {
		if errs == nil {
			errs = make([]error, len(messages))
		}
		errs[i] = err
	}
	for i, m := range messages {
		body, err := q.encode(ctx, q.where(), m.Body)
		if err != nil {
			fail(i, err)
			continue
		}
		m.Body = body
		encoded, at = append(encoded, m), append(at, i)
	}
	if len(encoded) == 0 {
		return errs
	}
	for i, err := range q.inner.Send(ctx, encoded) {
		if err != nil {
			fail(at[i], err)
		}
	}
	return errs
}

func (q *queue) Receive(ctx context.Context, max int, wait time.Duration) ([]backend.Delivery, error) {
	deliveries, err := q.inner.Receive(ctx, max, wait)
	for i := range deliveries {
		deliveries[i] = q.open(ctx, deliveries[i])
	}
	return deliveries, err
}

// open decodes a delivery. One that cannot be decoded is handed out as it was sent, with the reason.
func (q *queue) open(ctx context.Context, d backend.Delivery) backend.Delivery {
	body, err := q.decode(ctx, q.where(), d.Body)
	if err != nil {
		d.Err = err
		return d
	}
	d.Body = body
	return d
}

func (q *queue) Ack(ctx context.Context, deliveries []backend.Delivery) error {
	return q.inner.Ack(ctx, deliveries)
}

func (q *queue) Defer(ctx context.Context, d backend.Delivery, after time.Duration) error {
	return q.inner.Defer(ctx, d, after)
}

// Open decodes a delivery of q that came another way than by q.Receive: in an event of Lambda's.
func Open(ctx context.Context, q backend.Queue, d backend.Delivery) backend.Delivery {
	if q, ok := q.(*queue); ok {
		return q.open(ctx, d)
	}
	return d
}

type blobs struct {
	backend.Blobs // Delete and List; sizes are those of what is stored
	coder
}

func (b *blobs) Put(ctx context.Context, key string, data []byte) error {
	encoded, err := b.encode(ctx, Where{"blob", key}, data)
	if err != nil {
		return err
	}
	return b.Blobs.Put(ctx, key, encoded)
}

func (b *blobs) Get(ctx context.Context, key string) ([]byte, error) {
	stored, err := b.Blobs.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	return b.decode(ctx, Where{"blob", key}, stored)
}
