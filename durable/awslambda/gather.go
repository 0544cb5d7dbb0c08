package awslambda

import (
	"context"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// gatherFor is how long an outcome waits for others of its batch: less than a call of SQS takes.
const gatherFor = 5 * time.Millisecond

// gather is a queue to which activities of a batch send what has come of them, together: SQS bills a call of ten messages as one of one.
type gather struct {
	backend.Queue
	mu      sync.Mutex
	running int // bodies that may still send
	waiting []parcel
	timer   *time.Timer
}

type parcel struct {
	messages []backend.Message
	done     chan<- []error
}

// begin says that so many more bodies run.
func (g *gather) begin(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running += n
}

// end says that a body has come to its end: nobody need wait for it.
func (g *gather) end() {
	g.mu.Lock()
	g.running--
	var all []parcel
	if len(g.waiting) >= g.running {
		all = g.take()
	}
	g.mu.Unlock()
	g.post(context.Background(), all)
}

// Send waits for the others that run, but not for long.
func (g *gather) Send(ctx context.Context, messages []backend.Message) []error {
	done := make(chan []error, 1)
	g.mu.Lock()
	g.waiting = append(g.waiting, parcel{messages, done})
	var all []parcel
	if len(g.waiting) >= min(g.running, backend.MaxBatch) {
		all = g.take()
	} else if g.timer == nil {
		g.timer = time.AfterFunc(gatherFor, func() {
			g.mu.Lock()
			all := g.take()
			g.mu.Unlock()
			g.post(context.WithoutCancel(ctx), all)
		})
	}
	g.mu.Unlock()
	g.post(ctx, all)
	return <-done
}

// take empties what waits. g is locked.
func (g *gather) take() []parcel {
	all := g.waiting
	g.waiting = nil
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
	return all
}

// post sends parcels in one call, as far as they fit, and tells each sender what has become of its own.
func (g *gather) post(ctx context.Context, all []parcel) {
	if len(all) == 0 {
		return
	}
	var messages []backend.Message
	for _, p := range all {
		messages = append(messages, p.messages...)
	}
	errs := g.Queue.Send(ctx, messages)
	for _, p := range all {
		n := len(p.messages)
		if errs == nil {
			p.done <- nil
			continue
		}
		p.done <- errs[:n:n]
		errs = errs[n:]
	}
}
