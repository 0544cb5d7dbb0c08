package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// ports is the backend as one actor sees it.
func (a *actor) ports() backend.Backend {
	in, dead := a.w.inner, a.w.dead.Backend()
	return backend.Backend{
		Table:      &table{a, in.Table},
		Inbox:      &queue{a, "inbox", in.Inbox, dead.Inbox},
		Wake:       &queue{a, "wake", in.Wake, dead.Wake},
		Activities: &queue{a, "activities", in.Activities, dead.Activities},
		Blobs:      &blobs{a, in.Blobs},
		Dead: backend.Dead{
			Inbox:      &queue{a, "dead inbox", dead.Inbox, nil},
			Wake:       &queue{a, "dead wake", dead.Wake, nil},
			Activities: &queue{a, "dead activities", dead.Activities, nil},
		},
	}
}

type table struct {
	a     *actor
	inner backend.Table
}

var _ backend.Table = (*table)(nil)

func (t *table) Get(ctx context.Context, key backend.Key) (item *backend.Item, err error) {
	err = t.a.call(reading, func() string { return "get " + short(key) }, func() (err error) {
		item, err = t.inner.Get(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return item, nil
}

func (t *table) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	return t.a.call(aimOf(item.Key), func() string { return "put " + describeItem(item) }, func() error {
		old, err := t.inner.Get(ctx, item.Key)
		if err != nil {
			return err
		}
		if err := t.inner.Put(ctx, item, cond); err != nil {
			t.a.w.seen[lostPut]++
			return err
		}
		t.a.w.index.changed(old, item)
		t.a.w.check.put(t.a, old, item)
		return nil
	})
}

// aimOf says what a put is for.
func aimOf(k backend.Key) aim {
	if _, ok := segmentOf(k); ok {
		return committing
	}
	if k.Sort == "row" {
		return showing
	}
	return sending
}

func (t *table) Delete(ctx context.Context, key backend.Key) error {
	return t.a.call(sending, func() string { return "delete " + short(key) }, func() error {
		old, err := t.inner.Get(ctx, key)
		if err != nil {
			return err
		}
		t.a.w.check.deleted(t.a, key, old)
		return t.inner.Delete(ctx, key)
	})
}

func (t *table) Query(ctx context.Context, partition, from, to string, limit int) (items []backend.Item, err error) {
	err = t.a.call(reading, func() string { return fmt.Sprintf("query %s: %d", shortPartition(partition), len(items)) }, func() (err error) {
		items, err = t.inner.Query(ctx, partition, from, to, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return items, nil
}

func (t *table) Index(ctx context.Context, partition, from, to string, limit int) (found []backend.Indexed, err error) {
	err = t.a.call(reading, func() string { return "index " + partition }, func() (err error) {
		if t.a.w.strike(stale) == stale {
			found, err = t.a.w.index.then(ctx, partition, from, to, limit)
			return err
		}
		found, err = t.inner.Index(ctx, partition, from, to, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

type queue struct {
	a     *actor
	name  string
	inner backend.Queue
	dead  backend.Queue // where what is delivered too often goes; nil: nowhere
}

var _ backend.Queue = (*queue)(nil)

func (q *queue) Send(ctx context.Context, messages []backend.Message) []error {
	var errs []error
	err := q.a.call(sending, func() string { return "send to " + q.name + describeMessages(messages, errs) }, func() error {
		errs = q.send(ctx, messages)
		return nil
	})
	if err != nil {
		return slices.Repeat([]error{err}, len(messages))
	}
	return errs
}

// send sends what the faults let through.
func (q *queue) send(ctx context.Context, messages []backend.Message) []error {
	errs := make([]error, len(messages))
	torn := len(messages) > 1 && q.a.w.strike(partial) == partial
	first := -1 // one at least that is not sent
	if torn {
		first = q.a.w.rng.IntN(len(messages))
	}
	for i, m := range messages {
		if i == first || torn && chance(q.a.w.rng, 0.4) {
			errs[i] = errRefused
			continue
		}
		if q.a.w.plan.Hasty {
			m.Delay -= m.Delay / 10
		}
		if q.a.w.loses(m) {
			q.a.w.check.sent(q.a, q.name, m)
			continue
		}
		before := q.total()
		if sent := q.inner.Send(ctx, []backend.Message{m}); sent != nil && sent[0] != nil {
			errs[i] = sent[0]
			continue
		}
		if before >= 0 && q.total() == before {
			q.a.w.seen[deduplicated]++
			q.a.w.trace.add("queue", "%s has had %s", q.name, describeMessage(m))
		}
		q.a.w.check.sent(q.a, q.name, m)
		if m.ID, m.Delay = "", 0; q.a.w.plan.Redrive {
			q.a.w.sent = append(q.a.w.sent, again{name: q.name, queue: q.inner, m: m})
		}
		if torn && chance(q.a.w.rng, 0.2) {
			errs[i] = errLost
		}
	}
	return errs
}

func (q *queue) Receive(ctx context.Context, max int, wait time.Duration) (batch []backend.Delivery, err error) {
	err = q.a.call(receiving, func() string { return "receive from " + q.name + describeBatch(batch) }, func() (err error) {
		batch, err = q.inner.Receive(ctx, max, 0)
		q.a.w.check.received(q.a, q.name, batch)
		batch = slices.DeleteFunc(batch, q.bury)
		for _, d := range batch {
			if after, again := q.a.w.again(d); again {
				q.a.w.copy(q.name, q.inner, d.Message, after)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return batch, nil
}

// total is how many messages are in the queue, which is all that shows whether it has dropped one.
func (q *queue) total() int {
	if q.name != "inbox" || q.a.w.plan.Unordered {
		return -1
	}
	return q.a.w.memory.Queues().Inbox.Total()
}

// bury moves a message that was delivered too often to the dead-letter queue. That does not deduplicate what is moved
// into it: SQS gives it an identity of its own there.
func (q *queue) bury(d backend.Delivery) bool {
	if limit := q.a.w.plan.MaxReceives; q.dead == nil || limit == 0 || d.Receives <= limit {
		return false
	}
	q.a.w.trace.add("queue", "%s gives up on %s", q.name, describeMessage(d.Message))
	q.a.w.seen[deadLetter]++
	q.a.w.check.buried(d.Message)
	m := d.Message
	m.ID = ""
	q.dead.Send(context.Background(), []backend.Message{m})
	_ = q.inner.Ack(context.Background(), []backend.Delivery{d})
	return true
}

// Ack acknowledges. Each delivery of a batch is acknowledged by itself: those that are not come again, as the rest of a
// batch does of which a function reports failures.
func (q *queue) Ack(ctx context.Context, batch []backend.Delivery) error {
	return q.a.call(acknowledging, func() string { return "ack to " + q.name + describeBatch(batch) }, func() error {
		torn := len(batch) > 1 && q.a.w.strike(partial) == partial
		done := slices.DeleteFunc(slices.Clone(batch), func(d backend.Delivery) bool {
			if torn && chance(q.a.w.rng, 0.5) {
				q.a.w.trace.add("queue", "%s keeps %s", q.name, describeMessage(d.Message))
				return true
			}
			q.a.w.check.acked(q.a, q.name, d)
			return false
		})
		return q.inner.Ack(ctx, done)
	})
}

func (q *queue) Defer(ctx context.Context, d backend.Delivery, by time.Duration) error {
	return q.a.call(acknowledging, func() string {
		return fmt.Sprintf("defer in %s by %v%s", q.name, by, describeBatch([]backend.Delivery{d}))
	}, func() error { return q.inner.Defer(ctx, d, by) })
}

type blobs struct {
	a     *actor
	inner backend.Blobs
}

var _ backend.Blobs = (*blobs)(nil)

func (b *blobs) Put(ctx context.Context, key string, data []byte) error {
	return b.a.call(reading, func() string { return "put blob " + key }, func() error {
		b.a.w.check.blobPut(b.a, key)
		return b.inner.Put(ctx, key, data)
	})
}

func (b *blobs) Get(ctx context.Context, key string) (data []byte, err error) {
	err = b.a.call(reading, func() string { return "get blob " + key }, func() (err error) {
		data, err = b.inner.Get(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

func (b *blobs) Delete(ctx context.Context, key string) error {
	return b.a.call(reading, func() string { return "delete blob " + key }, func() error {
		b.a.w.check.blobDeleted(b.a, key)
		return b.inner.Delete(ctx, key)
	})
}

func (b *blobs) List(ctx context.Context, prefix, after string, limit int) (listed []backend.BlobInfo, err error) {
	err = b.a.call(reading, func() string { return fmt.Sprintf("list blobs %s: %d", prefix, len(listed)) }, func() (err error) {
		listed, err = b.inner.List(ctx, prefix, after, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return listed, nil
}
