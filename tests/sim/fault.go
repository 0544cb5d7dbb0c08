package sim

import (
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// fault is one way in which a call of a port, or an actor, goes wrong.
type fault uint8

const (
	none      fault = iota
	refused         // the call fails and had no effect
	lost            // it had its effect, the answer is an error
	retried         // the first answer is lost inside of the call, which is made again
	partial         // some messages of a batch are not sent or not acknowledged, or are and it is not known
	unshown         // a status row is not written
	stale           // the index answers from an older state
	duplicate       // a delivery is delivered once more, at once or days later
	throttled       // a batch is received, and nobody is there to handle it
	expired         // what an actor works on becomes visible to the others
	overtaken       // an actor stands still before a commit, and what it works on goes to the others
	crash           // the actor is gone
	recycled        // an idle process makes room for a new one, which knows nothing
	stall           // the actor stands still until others have taken over
	jump            // everybody stands still for as long
	stuck           // a worker gives its code up
	overslept       // the sweeper is not called for a while
	moved           // somebody has the queue move its dead letters back, past the worker
	faults
)

var faultNames = [faults]string{"-", "refused", "lost", "retried", "partial", "unshown", "stale", "duplicate", "throttled", "expired",
	"overtaken", "crash", "recycled", "stall", "jump", "stuck", "overslept", "moved"}

func (f fault) String() string { return faultNames[f] }

// often is how likely a fault is at each of its chances, in relation to the plan's rate: what has few chances needs more.
var often = [faults]float64{refused: 0.3, lost: 0.3, retried: 0.3, partial: 1, unshown: 1, stale: 3, duplicate: 1, throttled: 1, expired: 0.2,
	overtaken: 1, crash: 0.3, recycled: 1, stall: 0.3, jump: 0.1, stuck: 0.5, overslept: 20, moved: 5}

// place is where a director may have something happen: before the effect of a call of a port, or after it and before the
// answer is seen.
type place struct {
	// n counts the places of a run.
	n     int
	actor *actor
	at    aim
	what  string
	after bool
}

// director decides what goes wrong where, in place of chance.
type director func(place) fault

// strike decides whether something goes wrong here, and which of kinds.
func (w *World) strike(kinds ...fault) fault {
	a := w.current
	if w.calm || w.budget == 0 || a != nil && a.dead {
		return none
	}
	if w.direct != nil {
		if a == nil || a.wanted == none || !slices.Contains(kinds, a.wanted) {
			return none
		}
		f := a.wanted
		a.wanted = none
		return w.struck(f)
	}
	aimed := a != nil && a.at == w.plan.Aim && w.plan.Aim != reading
	for _, f := range kinds {
		rate := w.plan.Rates[f]
		if aimed && rate > 0 {
			rate = min(10*rate, 0.4)
		}
		if chance(w.rng, rate) {
			return w.struck(f)
		}
	}
	return none
}

func (w *World) struck(f fault) fault {
	w.budget--
	w.tally[f]++
	if w.current != nil {
		w.current.held.disturbed = true
	}
	return f
}

// come asks the director what is to happen at this place.
func (a *actor) come(at aim, what func() string, after bool) {
	if a.w.direct == nil || a.dead || a.w.calm {
		return
	}
	a.w.places++
	a.wanted = a.w.direct(place{n: a.w.places, actor: a, at: at, what: what(), after: after})
}

// again decides whether a delivery comes once more, and when.
func (w *World) again(d backend.Delivery) (time.Duration, bool) {
	if w.twice != nil {
		return w.twice(d)
	}
	if w.strike(duplicate) != duplicate {
		return 0, false
	}
	return pick(w.rng, 0, time.Second, 45*time.Second, 10*time.Minute, 72*time.Hour), true
}

// longestStall is how long an actor stands still at most.
const longestStall = 26 * time.Hour

// standStill stops the actor for so long that everything that it has received goes to others.
func (a *actor) standStill() {
	d := pick(a.w.rng, 31*time.Second, 2*time.Minute, 7*time.Minute, longestStall)
	if a.w.still > 0 {
		d = a.w.still
	}
	a.until = a.w.now.Add(d)
	a.w.trace.add(a, "stands still for %v", d)
}

// holding is what an actor has received and works on.
type holding struct {
	queue backend.Queue
	batch []backend.Delivery
	// one is the delivery whose activity runs, and beats whether its body does.
	one   backend.Delivery
	beats bool
	// disturbed: something has happened to the actor since, or to a call of its.
	disturbed bool
}

// tallyNames is what a run counts beside the faults: what came of them.
const (
	lostPut      = "conditional puts lost"
	deduplicated = "messages deduplicated"
	deadLetter   = "dead letters"
)
