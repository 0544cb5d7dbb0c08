package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// clock is what everybody of a hub reads. A virtual one moves when it is told to.
type clock struct {
	real bool
	mu   sync.Mutex
	now  time.Time
	// due has the times at which something that is hidden in a queue becomes visible.
	due []time.Time
}

func (c *clock) Now() time.Time {
	if c.real {
		return time.Now()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func (c *clock) hide(d time.Duration) {
	if d <= 0 || c.real {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = append(c.due, c.now.Add(d))
}

// next is the first time after now, and no later than end, at which something becomes visible.
func (c *clock) next(end time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = slices.DeleteFunc(c.due, func(t time.Time) bool { return !t.After(c.now) })
	for _, t := range c.due {
		if t.Before(end) {
			end = t
		}
	}
	return end
}

// timed is a queue that tells the clock what it hides.
type timed struct {
	backend.Queue
	clock *clock
}

func (q timed) Send(ctx context.Context, messages []backend.Message) []error {
	for _, m := range messages {
		q.clock.hide(m.Delay)
	}
	return q.Queue.Send(ctx, messages)
}

func (q timed) Defer(ctx context.Context, d backend.Delivery, by time.Duration) error {
	q.clock.hide(by)
	return q.Queue.Defer(ctx, d, by)
}

func withClock(b backend.Backend, c *clock) backend.Backend {
	b.Inbox, b.Wake, b.Activities = timed{b.Inbox, c}, timed{b.Wake, c}, timed{b.Activities, c}
	return b
}

// errDead is what a dead process would see, if it saw anything.
var errDead = errors.New("this process is dead")

// crashes makes processes die: at each call that changes something, the first that makes it before, and the second after it.
type crashes struct {
	tries map[string]int
	count int
}

// process is what a worker sees of its hub until it dies.
type process struct {
	crashes *crashes
	mu      sync.Mutex
	dead    bool
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *process) die() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	p.crashes.count++
}

// do makes a call of a port, unless the process is dead.
func (p *process) do(f func() error) error {
	if p.isDead() {
		return errDead
	}
	return f()
}

// change makes a call that changes something, before or after which the process may die.
func (p *process) change(key string, f func() error) error {
	p.mu.Lock()
	p.crashes.tries[key]++
	n := p.crashes.tries[key]
	p.mu.Unlock()
	if n == 1 {
		p.die()
		return errDead
	}
	err := f()
	if n == 2 {
		p.die()
		return errDead
	}
	return err
}

// ports are those of the hub as the process sees them.
func (p *process) ports(b backend.Backend) backend.Backend {
	b.Table = mortalTable{b.Table, p}
	b.Inbox, b.Wake, b.Activities = mortalQueue{b.Inbox, p}, mortalQueue{b.Wake, p}, mortalQueue{b.Activities, p}
	b.Blobs = mortalBlobs{b.Blobs, p}
	return b
}

type mortalTable struct {
	backend.Table
	p *process
}

func (t mortalTable) Get(ctx context.Context, k backend.Key) (item *backend.Item, err error) {
	err = t.p.do(func() (err error) { item, err = t.Table.Get(ctx, k); return err })
	return item, err
}

func (t mortalTable) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	return t.p.do(func() error {
		return t.p.change(fmt.Sprint("put ", item.Key, item.Sequence), func() error { return t.Table.Put(ctx, item, cond) })
	})
}

func (t mortalTable) Delete(ctx context.Context, k backend.Key) error {
	return t.p.do(func() error {
		return t.p.change(fmt.Sprint("delete ", k), func() error { return t.Table.Delete(ctx, k) })
	})
}

func (t mortalTable) Query(ctx context.Context, partition, from, to string, limit int) (items []backend.Item, err error) {
	err = t.p.do(func() (err error) { items, err = t.Table.Query(ctx, partition, from, to, limit); return err })
	return items, err
}

func (t mortalTable) Index(ctx context.Context, partition, from, to string, limit int) (found []backend.Indexed, err error) {
	err = t.p.do(func() (err error) { found, err = t.Table.Index(ctx, partition, from, to, limit); return err })
	return found, err
}

type mortalQueue struct {
	backend.Queue
	p *process
}

func (q mortalQueue) Send(ctx context.Context, messages []backend.Message) []error {
	if q.p.isDead() {
		return slices.Repeat([]error{errDead}, len(messages))
	}
	var errs []error
	err := q.p.change("send "+identity(messages[0]), func() error { errs = q.Queue.Send(ctx, messages); return nil })
	if err != nil {
		return slices.Repeat([]error{err}, len(messages))
	}
	return errs
}

// identity is what a message has in common with those that are sent in its place after a crash.
func identity(m backend.Message) string {
	sent, err := history.DecodeMessage(m.Body)
	if err != nil {
		panic(err) // the hub sends nothing else
	}
	return fmt.Sprint(sent.ID, sent.Event.Kind, sent.Attempt)
}

type mortalBlobs struct {
	backend.Blobs
	p *process
}

func (b mortalBlobs) Put(ctx context.Context, key string, data []byte) error {
	return b.p.do(func() error {
		return b.p.change("blob "+key, func() error { return b.Blobs.Put(ctx, key, data) })
	})
}

func (b mortalBlobs) Get(ctx context.Context, key string) (data []byte, err error) {
	err = b.p.do(func() (err error) { data, err = b.Blobs.Get(ctx, key); return err })
	return data, err
}
