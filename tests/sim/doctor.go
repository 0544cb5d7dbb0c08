package sim

import (
	"context"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// A doctor repairs instances while everybody works, at moments that nobody has chosen for it: nothing may come of that. And it
// repairs them once nothing happens any more: what a queue has lost, which no protocol makes up for, it must bring back.

// remembers is longer than queues deduplicate: what is repeated earlier may be dropped.
const remembers = 6 * time.Minute

// doctor visits some times on its own, and whenever it is called.
func (w *World) doctor(a *actor) {
	p := a.newProcess()
	defer p.close()
	visits := w.rng.IntN(5)
	for {
		var next time.Time
		if visits > 0 && !w.calm {
			next = w.now.Add(pick(w.rng, time.Millisecond, 50*time.Millisecond, time.Second, time.Minute, time.Hour))
		}
		if !a.restUntil(next, func() bool { return w.called || !next.IsZero() && !next.After(w.now) }) {
			return
		}
		called := w.called
		visits--
		w.visit(a, p, called)
		if a.dead {
			return
		}
		w.called = w.called && !called
	}
}

// visit repairs all instances, or some of them.
func (w *World) visit(a *actor, p *process, all bool) {
	ctx, s := context.Background(), a.newStore()
	var seen []string
	err := s.Walk(ctx, true, func(id string) error {
		if slices.Contains(seen, id) || !all && chance(w.rng, 0.3) {
			return nil
		}
		seen = append(seen, id)
		sent, err := p.Repair(ctx, id)
		w.trace.add(a, "repairs %s: %d sent again, %v", id, len(sent), err)
		return err
	})
	if err != nil && all && !a.dead {
		w.fail("%s cannot repair: %v", a, err)
	}
}

// call has the doctor repair everything, after so long that no queue remembers what it has lost; false without one.
func (w *World) call() bool {
	if !w.plan.Doctor {
		return false
	}
	w.now = w.now.Add(remembers)
	w.called, w.repaired = true, true
	return true
}

// loses reports whether the queue loses the message: one that the history asks for, not one that only its sender knows.
func (w *World) loses(m backend.Message) bool {
	if !w.plan.Loses || w.calm || !chance(w.rng, 0.15) {
		return false
	}
	d, err := history.DecodeMessage(m.Body)
	if err != nil || d.Event.Kind == history.TaskScheduled && d.Event.Failure != nil {
		return false
	}
	switch d.Event.Kind {
	case history.ExecutionStarted, history.TaskScheduled, history.TaskCompleted, history.TaskFailed, history.TimerFired, history.Continued,
		history.SubOrchestrationCompleted, history.SubOrchestrationFailed:
		w.seen[lostByQueue]++
		w.trace.add("queue", "loses %s", describeMessage(m))
		return true
	}
	return false
}

const lostByQueue = "messages lost by a queue"
