package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// group is the messages of one life of an instance in a batch: they succeed or fail together.
type group struct {
	instance, incarnation string
	messages              []*history.Message
	at                    []int // their places in the batch
	receives              int   // the most of any
	redriven              bool  // one came back from a dead-letter queue
	// open is an attempt that has decided all, and has still to send and to show it: with those of other instances of the batch.
	open *attempt
}

// suspicious reports whether the instance may be what takes its batch along.
func (g *group) suspicious() bool { return g.redriven || g.receives > suspect }

// receivedOver reports whether a message was received more than n times. One that came back from a dead-letter queue was
// received as often as its queue allows: what waits for a number of receives must not begin to count again, or it would wait
// for ever where that number is higher.
func (g *group) receivedOver(n int) bool { return g.redriven || g.receives > n }

// tries is how often a message was received, or taken back from a dead-letter queue.
func (g *group) tries() int {
	n := g.receives
	for _, m := range g.messages {
		n = max(n, int(m.Redrives))
	}
	return n
}

// suspect is how often a message is received before its instance is no longer trusted to leave the others alone.
const suspect = 2

// Inbox handles a batch from the inbox, and returns an outcome for each delivery. Instances do not disturb each other.
func (w *Worker) Inbox(ctx context.Context, batch []backend.Delivery) []Outcome {
	outcomes := make([]Outcome, len(batch))
	w.all(ctx, w.groups(batch, outcomes, nil), outcomes)
	return outcomes
}

// all handles groups, and sends what they ask for together: SQS bills a call of ten messages as one of one. Before a group that may take
// the others along, these are done with.
func (w *Worker) all(ctx context.Context, groups []*group, outcomes []Outcome) {
	var open []*group
	for _, g := range groups {
		if g.suspicious() {
			w.finish(ctx, open, outcomes)
			open = nil
		}
		w.settle(ctx, g, outcomes)
		if g.open != nil {
			open = append(open, g)
		}
	}
	w.finish(ctx, open, outcomes)
}

// finish sends and shows what open groups have decided. When it cannot all be sent together, each group sends its own: one that
// no queue takes is the failure of its instance alone.
func (w *Worker) finish(ctx context.Context, open []*group, outcomes []Outcome) {
	together := w.store.Outbox()
	for _, g := range open {
		together.Join(g.open.out)
	}
	sent := len(open) > 1 && !together.Empty() && together.Flush(ctx) == nil
	for _, g := range open {
		a := g.open
		if g.open = nil; sent {
			a.out = w.store.Outbox()
		}
		err := a.settle(ctx)
		a.leave(err)
		w.conclude(g, err, outcomes)
	}
}

// Wake handles a batch of starts and timers.
func (w *Worker) Wake(ctx context.Context, batch []backend.Delivery) []Outcome {
	outcomes := make([]Outcome, len(batch))
	out := w.store.Outbox()
	var timers []int
	groups := w.groups(batch, outcomes, func(i int, m *history.Message) bool {
		if m.Event.Kind != history.TimerFired {
			return false
		}
		timers = append(timers, i)
		if m.Event.At.After(w.store.Now()) { // an early one is delayed again, never fired
			out.Again(m, m.Event.At)
		} else {
			out.Inbox(m)
		}
		return true
	})
	if err := out.Flush(ctx); err != nil {
		for _, i := range timers {
			outcomes[i] = w.again(err)
		}
	} else {
		for _, i := range timers {
			outcomes[i] = Outcome{Ack: true}
		}
	}
	w.all(ctx, groups, outcomes)
	return outcomes
}

// read decodes a delivery. What cannot be is Foreign: a version, or a process with the right key, may be on its way.
func read(d backend.Delivery) (*history.Message, error) {
	if d.Err != nil {
		return nil, d.Err
	}
	return history.DecodeMessage(d.Body)
}

// groups sorts a batch by instance. What take accepts is left out. Instances that keep coming back are last, so that a
// poisonous one takes nobody along.
func (w *Worker) groups(batch []backend.Delivery, outcomes []Outcome, take func(int, *history.Message) bool) []*group {
	var groups []*group
	for i, d := range batch {
		m, err := read(d)
		if err != nil {
			outcomes[i] = Outcome{Foreign: true, Err: err}
			w.log.Error("a message cannot be read by this version; it is kept for a newer one, or for the dead-letter queue", "error", err)
			continue
		}
		if take != nil && take(i, m) {
			continue
		}
		k := slices.IndexFunc(groups, func(g *group) bool {
			return g.instance == m.Instance && g.incarnation == m.Incarnation
		})
		if k < 0 {
			k = len(groups)
			groups = append(groups, &group{instance: m.Instance, incarnation: m.Incarnation})
		}
		g := groups[k]
		g.messages, g.at = append(g.messages, m), append(g.at, i)
		g.receives = max(g.receives, d.Receives)
		g.redriven = g.redriven || m.Redrives > 0
	}
	slices.SortStableFunc(groups, func(a, b *group) int {
		return cmp.Or(boolOrder(a.redriven)-boolOrder(b.redriven), cmp.Compare(max(a.receives, suspect), max(b.receives, suspect)))
	})
	return groups
}

func (w *Worker) settle(ctx context.Context, g *group, outcomes []Outcome) {
	if err := w.instance(ctx, g); g.open == nil {
		w.conclude(g, err, outcomes)
	}
}

// conclude says what becomes of the messages of a group.
func (w *Worker) conclude(g *group, err error, outcomes []Outcome) {
	for _, i := range g.at {
		outcomes[i] = Outcome{Ack: true}
		if err != nil {
			outcomes[i] = w.again(fmt.Errorf("instance %s: %w", g.instance, err))
			if errors.Is(err, errUnborn) {
				outcomes[i].Retry += min(time.Duration(g.tries())*time.Second, unbornPause)
			}
		}
	}
	if err != nil {
		w.log.Warn("messages will be delivered again", "instance", g.instance, "receives", g.receives, "error", err)
	}
}
