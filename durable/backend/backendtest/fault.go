package backendtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// ErrInjected is wrapped by the error of every call that was made to fail.
var ErrInjected = errors.New("injected fault")

// Fault is what happens to a call.
type Fault uint8

const (
	// None lets the call through.
	None Fault = iota
	// Before fails the call without any effect, as a throttled request does.
	Before
	// After lets the call have its effect and fails it: the answer is lost.
	After
)

// Plan decides about each call by its name: "table.get", "table.put", "table.delete", "table.query", "table.index",
// "blobs.put", "blobs.get", "blobs.delete", "blobs.list", and "send", "receive", "ack" and "defer" of "inbox", "wake" and "activities",
// as in "inbox.send". It is asked once for every message of a Send, as each may fail alone. Calls made at the same time ask
// at the same time.
type Plan func(op string) Fault

// Seeded fails a share of all calls, 0 <= share <= 1, half of them before and half after their effect. The same calls
// in the same order fail with the same seed.
func Seeded(seed uint64, share float64) Plan {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0))
	return func(string) Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.Float64() >= share {
			return None
		}
		return Before + Fault(random.IntN(2))
	}
}

// Faulty returns b with calls failing as planned.
func Faulty(b backend.Backend, plan Plan) backend.Backend {
	return backend.Backend{
		Table:      faultyTable{b.Table, plan},
		Inbox:      faultyQueue{b.Inbox, plan, "inbox"},
		Wake:       faultyQueue{b.Wake, plan, "wake"},
		Activities: faultyQueue{b.Activities, plan, "activities"},
		Blobs:      faultyBlobs{b.Blobs, plan},
	}
}

// guard runs f as the plan says. What f sets is the caller's to drop when the answer is lost.
func (plan Plan) guard(op string, f func() error) error {
	fault := plan(op)
	if fault == Before {
		return injected(op)
	}
	err := f()
	if fault == After {
		return injected(op)
	}
	return err
}

func injected(op string) error { return fmt.Errorf("%s: %w", op, ErrInjected) }

// answer is guard for a call that returns something.
func answer[T any](plan Plan, op string, f func() (T, error)) (T, error) {
	var got T
	err := plan.guard(op, func() (err error) {
		got, err = f()
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return got, nil
}

type faultyTable struct {
	table backend.Table
	plan  Plan
}

func (t faultyTable) Get(ctx context.Context, key backend.Key) (*backend.Item, error) {
	return answer(t.plan, "table.get", func() (*backend.Item, error) { return t.table.Get(ctx, key) })
}

func (t faultyTable) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	return t.plan.guard("table.put", func() error { return t.table.Put(ctx, item, cond) })
}

func (t faultyTable) Delete(ctx context.Context, key backend.Key) error {
	return t.plan.guard("table.delete", func() error { return t.table.Delete(ctx, key) })
}

func (t faultyTable) Query(ctx context.Context, partition, from, to string, limit int) ([]backend.Item, error) {
	return answer(t.plan, "table.query", func() ([]backend.Item, error) {
		return t.table.Query(ctx, partition, from, to, limit)
	})
}

func (t faultyTable) Index(ctx context.Context, partition, from, to string, limit int) ([]backend.Indexed, error) {
	return answer(t.plan, "table.index", func() ([]backend.Indexed, error) {
		return t.table.Index(ctx, partition, from, to, limit)
	})
}

type faultyQueue struct {
	queue backend.Queue
	plan  Plan
	name  string
}

func (q faultyQueue) Send(ctx context.Context, messages []backend.Message) []error {
	op := q.name + ".send"
	errs := make([]error, len(messages))
	var sent []backend.Message
	var places []int
	failed := false
	for i, m := range messages {
		fault := q.plan(op)
		if fault != None {
			errs[i], failed = injected(op), true
		}
		if fault != Before {
			sent, places = append(sent, m), append(places, i)
		}
	}
	for i, err := range q.queue.Send(ctx, sent) {
		if at := places[i]; err != nil && errs[at] == nil {
			errs[at], failed = err, true
		}
	}
	if !failed {
		return nil
	}
	return errs
}

func (q faultyQueue) Receive(ctx context.Context, max int, wait time.Duration) ([]backend.Delivery, error) {
	return answer(q.plan, q.name+".receive", func() ([]backend.Delivery, error) {
		return q.queue.Receive(ctx, max, wait)
	})
}

func (q faultyQueue) Ack(ctx context.Context, deliveries []backend.Delivery) error {
	return q.plan.guard(q.name+".ack", func() error { return q.queue.Ack(ctx, deliveries) })
}

func (q faultyQueue) Defer(ctx context.Context, delivery backend.Delivery, d time.Duration) error {
	return q.plan.guard(q.name+".defer", func() error { return q.queue.Defer(ctx, delivery, d) })
}

type faultyBlobs struct {
	blobs backend.Blobs
	plan  Plan
}

func (b faultyBlobs) Put(ctx context.Context, key string, data []byte) error {
	return b.plan.guard("blobs.put", func() error { return b.blobs.Put(ctx, key, data) })
}

func (b faultyBlobs) Get(ctx context.Context, key string) ([]byte, error) {
	return answer(b.plan, "blobs.get", func() ([]byte, error) { return b.blobs.Get(ctx, key) })
}

func (b faultyBlobs) Delete(ctx context.Context, key string) error {
	return b.plan.guard("blobs.delete", func() error { return b.blobs.Delete(ctx, key) })
}

func (b faultyBlobs) List(ctx context.Context, prefix, after string, limit int) ([]backend.BlobInfo, error) {
	return answer(b.plan, "blobs.list", func() ([]backend.BlobInfo, error) { return b.blobs.List(ctx, prefix, after, limit) })
}
