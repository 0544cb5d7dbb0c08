package replay

import (
	"slices"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Promise is something that a coroutine can wait for.
type Promise struct {
	done    bool
	outcome *history.Event
	err     error // why its scope ended before it was done
	waiters []waiter
}

type waiter struct {
	c    *coroutine
	wait uint64
}

// Done reports whether waiting would return at once.
func (p *Promise) Done() bool { return p.done }

// Err is why the promise was given up; nil when it was not.
func (p *Promise) Err() error { return p.err }

// Outcome is the input that completed the promise: nil for a coroutine's, and for one that is not done or was given up.
func (p *Promise) Outcome() *history.Event { return p.outcome }

// complete marks p as done and queues who waits for it, in the order in which they began to.
func (r *Run) complete(p *Promise, outcome *history.Event) {
	if p.done {
		return
	}
	p.done, p.outcome = true, outcome
	for _, w := range p.waiters {
		if w.c.wait == w.wait && !w.c.queued && !w.c.done {
			w.c.queued = true
			r.ready = append(r.ready, w.c)
		}
	}
	p.waiters = nil
}

func (p *Promise) subscribe(c *coroutine) {
	if len(p.waiters) == cap(p.waiters) { // before it grows: forget those who gave up
		p.waiters = slices.DeleteFunc(p.waiters, func(w waiter) bool { return w.c.wait != w.wait || w.c.done })
	}
	p.waiters = append(p.waiters, waiter{c, c.wait})
}

// Await waits until p is done.
func (r *Run) Await(p *Promise) {
	if !p.done || r.unwinding {
		r.AwaitAny(p)
	}
}

// AwaitAny waits until one of ps is done, and returns the index of the first of those that are.
//
// While nobody else can run, the next input of a replay is fed right here: what the history already answers costs no
// switch. Everybody runs in the same order as if the coroutine had parked first.
func (r *Run) AwaitAny(ps ...*Promise) int {
	r.alive()
	c := r.current
	fed := false
	for {
		if i := slices.IndexFunc(ps, (*Promise).Done); i >= 0 {
			if !fed || len(r.ready) == 0 {
				return i
			}
			fed = false // who was woken by the same input had waited before: after them
			r.pass()
			continue
		}
		r.own()
		if !r.past() && r.panics {
			r.fail(waitInPanic())
		}
		if fed = !r.parks && len(r.ready) == 0 && r.feed(); fed {
			continue
		}
		for _, p := range ps {
			p.subscribe(c)
		}
		r.park()
	}
}

// Signal returns a promise that the code itself completes.
func (r *Run) Signal() (p *Promise, complete func()) {
	p = new(Promise)
	return p, func() { r.complete(p, nil) }
}

// Completed returns a promise that is done, of something that needed no operation.
func Completed() *Promise { return &Promise{done: true} }
