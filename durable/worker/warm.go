package worker

import (
	"container/list"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// warm keeps instances where they wait, the most recently used ones, up to a number of bytes. A copy is out of it while a
// batch works with it. It is a guess: whatever another worker has committed since, it does not know. The conditional put
// of the next segment finds that out (rule 1), and nothing is dropped, and no step is run, on its word (rule 4).
type warm struct {
	mu     sync.Mutex
	copies map[life]*list.Element
	order  list.List // of *parked, the most recently used first
	bytes  int64
}

// life names an incarnation.
type life struct{ instance, incarnation string }

// parked is an instance whose code waits.
type parked struct {
	life   life
	st     *state
	replay *replay.Turn
	bytes  int64
	since  time.Time // of the load that it goes back to
}

// take hands out the copy of a life, or nil.
func (c *warm) take(l life) *parked {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.copies[l]
	if e == nil {
		return nil
	}
	return c.remove(e)
}

func (c *warm) remove(e *list.Element) *parked {
	p := c.order.Remove(e).(*parked)
	delete(c.copies, p.life)
	c.bytes -= p.bytes
	return p
}

// put keeps a copy, and returns those that have to go: the longest unused ones, those from before then, and the one that
// somebody else has put in the meantime.
func (c *warm) put(p *parked, limit int64, then time.Time) (gone []*parked) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.copies == nil {
		c.copies = map[life]*list.Element{}
	}
	if e := c.copies[p.life]; e != nil {
		gone = append(gone, c.remove(e))
	}
	if p.bytes > limit { // it would push out all others, and go last
		return append(gone, p)
	}
	c.copies[p.life] = c.order.PushFront(p)
	c.bytes += p.bytes
	for last := c.order.Back(); last != nil && (c.bytes > limit || last.Value.(*parked).since.Before(then)); last = c.order.Back() {
		gone = append(gone, c.remove(last))
	}
	return gone
}

// clear takes all copies out.
func (c *warm) clear() (gone []*parked) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.order.Len() > 0 {
		gone = append(gone, c.remove(c.order.Back()))
	}
	return gone
}

// Close gives up what the worker keeps: deferred functions of the code run.
func (w *Worker) Close() {
	w.unwind(w.warm.clear())
}

func (w *Worker) unwind(gone []*parked) {
	for _, p := range gone {
		w.cfg.Watch(p.life.instance, p.replay.Close) // what is unwound for ever is lost, and was reported
	}
}

// coroutineBytes is what a waiting coroutine costs, roughly: a stack, and what hangs on it.
const coroutineBytes = 8 << 10

// thaw takes the warm copy of a group's life, unless it is too old: what it was loaded from may be a tombstone's by now.
func (a *attempt) thaw() bool {
	p := a.w.warm.take(life{a.g.instance, a.g.incarnation})
	if p == nil {
		return false
	}
	if a.w.store.Now().Sub(p.since) > a.w.cfg.WarmAge {
		a.w.log.Debug("a warm copy is too old", "instance", a.g.instance)
		a.w.unwind([]*parked{p})
		return false
	}
	a.w.log.Debug("an instance goes on where it waits", "instance", a.g.instance, "segments", len(p.st.h.Segments))
	a.st, a.replay, a.seen, a.since, a.warm = p.st, p.replay, len(p.st.h.Segments), p.since, true
	return true
}

// expect guesses that the life of a start which nobody has received before has no history. It is a guess as any copy is.
func (a *attempt) expect(messages []*history.Message) bool {
	if first := &messages[0].Event; first.Kind != history.ExecutionStarted || isChild(first) || a.g.receivedOver(1) {
		return false
	}
	a.st, a.since, a.warm = fold(&store.History{Instance: a.g.instance, Incarnation: a.g.incarnation}), a.w.store.Now(), true
	return true
}

// unpark unwinds the code of a generation that is over.
func (a *attempt) unpark() {
	if a.replay != nil {
		a.w.cfg.Watch(a.g.instance, a.replay.Close)
		a.replay = nil
	}
}

// leave ends an attempt: the code that it has run is kept warm when it waits just where the history ends, or is unwound.
func (a *attempt) leave(err error) {
	if a.replay == nil {
		return
	}
	p := &parked{life: life{a.g.instance, a.g.incarnation}, st: a.st, replay: a.replay, since: a.since}
	a.replay = nil
	if err != nil || a.w.cfg.Warm <= 0 || a.seen != len(a.st.h.Segments) || a.st.end != nil {
		a.w.unwind([]*parked{p})
		return
	}
	p.bytes = int64(4*a.st.h.Bytes + a.st.h.Memory() + a.st.blobs + coroutineBytes*p.replay.Coroutines())
	gone := a.w.warm.put(p, a.w.cfg.Warm, a.w.store.Now().Add(-a.w.cfg.WarmAge))
	for _, g := range gone {
		a.w.log.Debug("a warm copy gives way", "instance", g.life.instance, "bytes", g.bytes)
	}
	a.w.unwind(gone)
}
