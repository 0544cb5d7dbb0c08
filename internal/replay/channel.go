package replay

import (
	"slices"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// channel is the external events of one name: either some wait for the code, or some of the code waits for them.
type channel struct {
	buffer  []*history.Event
	waiters []*Promise
}

func (r *Run) channel(name string) *channel {
	name = strings.ToLower(name)
	ch := r.channels[name]
	if ch == nil {
		ch = new(channel)
		r.channels[name] = ch
	}
	return ch
}

// Event waits for the next external event of the name, which is case-insensitive: the oldest that nobody has taken, or
// the next to come. Of several that wait the newest gets it, as in Durable Functions.
func (r *Run) Event(name string) *Promise {
	r.alive()
	p := new(Promise)
	ch := r.channel(name)
	if len(ch.buffer) > 0 {
		p.done, p.outcome = true, ch.buffer[0]
		ch.buffer = ch.buffer[1:]
		return p
	}
	ch.waiters = append(ch.waiters, p)
	return p
}

// Forget gives up a wait: the event goes to another, or is kept.
func (r *Run) Forget(name string, p *Promise) {
	r.alive()
	ch := r.channel(name)
	ch.waiters = slices.DeleteFunc(ch.waiters, func(q *Promise) bool { return p == q })
}

func (r *Run) raise(e *history.Event) {
	ch := r.channel(e.Name)
	if n := len(ch.waiters); n > 0 {
		p := ch.waiters[n-1]
		ch.waiters = ch.waiters[:n-1]
		r.complete(p, e)
		return
	}
	ch.buffer = append(ch.buffer, e)
}
