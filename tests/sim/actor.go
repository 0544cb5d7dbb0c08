package sim

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// What a caller of a port may be told.
var (
	errRefused = errors.New("sim: the call was refused")
	errLost    = errors.New("sim: the answer was lost")
	errTooLong = errors.New("sim: the activities before it took too long")
	errDead    = errors.New("sim: this process has crashed")
)

// actor is one process. Its body is run by a coroutine that stops at every call of a port. A crash is that from then on
// no call has any effect: the body runs out through its error paths, unseen, and another life begins.
type actor struct {
	w    *World
	name string
	life int
	body func(*actor)
	next func() (struct{}, bool)
	stop func()
	// yield is that of the present life.
	yield func(struct{}) bool
	dead  bool
	done  bool
	// until is when an actor that stands still may go on.
	until time.Time
	// ready is asked, while the actor rests, whether there is something to do.
	ready func() bool
	// wakes is when a resting actor may have something to do for a reason that no queue shows; zero is never.
	wakes time.Time
	skew  time.Duration
	// at is what the call is for that the actor is in.
	at    aim
	build int
	// wanted is what the director wants to happen to the actor next.
	wanted fault
	// held is what the actor has received and works on.
	held holding
	// script is what a client has still to ask for, and sent the start that it is about.
	script *[]*request
	sent   *start
	// asking is what the start is for that it asks for, and purges what its purge is to take; nil is any.
	asking *asking
	purges []durable.Status
	// alarms are the timers of the present life.
	alarms []*alarm
}

func (w *World) spawn(name string, body func(*actor)) *actor {
	a := &actor{w: w, name: name, body: body}
	w.actors = append(w.actors, a)
	a.begin()
	return a
}

// begin starts a life.
func (a *actor) begin() {
	a.life++
	a.asking, a.purges = nil, nil
	a.dead, a.ready, a.wakes, a.at, a.wanted, a.held, a.alarms = false, nil, time.Time{}, reading, none, holding{}, nil
	if a.w.plan.Skew > 0 {
		a.skew = time.Duration(a.w.rng.Int64N(int64(2*a.w.plan.Skew))) - a.w.plan.Skew
	}
	life := a.life
	a.next, a.stop = iter.Pull(func(yield func(struct{}) bool) {
		a.yield = yield
		defer func() {
			if p := recover(); p != nil {
				a.w.fail("%s panicked: %v\n%s", a, p, debug.Stack())
			}
			if life == a.life && !a.dead {
				a.done = true
			}
		}()
		a.body(a)
	})
}

func (a *actor) String() string { return fmt.Sprintf("%s.%d", a.name, a.life) }

// now is the actor's clock.
func (a *actor) now() time.Time { return a.w.now.Add(a.skew) }

// resume lets the actor go on to its next stop.
func (a *actor) resume() {
	a.w.current = a
	a.next()
}

// crash ends the actor's life; another begins after a pause.
func (a *actor) crash(pause time.Duration) {
	a.w.trace.add(a, "crashes")
	a.kill()
	a.until = a.w.now.Add(pause)
	a.begin()
}

// kill unwinds the actor: none of its calls has any effect any more.
func (a *actor) kill() {
	a.dead = true
	a.w.current = a
	a.stop()
}

// pause stops the actor until it is chosen again, and reports whether it is still alive.
func (a *actor) pause() bool {
	if !a.dead && !a.yield(struct{}{}) {
		a.dead = true
	}
	if !a.dead {
		a.ring()
	}
	return !a.dead
}

// rest stops the actor until ready says that there is something to do.
func (a *actor) rest(ready func() bool) bool { return a.restUntil(time.Time{}, ready) }

// restUntil is rest where ready says nothing new before a time.
func (a *actor) restUntil(wakes time.Time, ready func() bool) bool {
	a.ready, a.wakes = ready, wakes
	alive := a.pause()
	a.ready, a.wakes = nil, time.Time{}
	return alive
}

// runnable reports whether the actor can be chosen now.
func (a *actor) runnable() bool {
	return !a.done && !a.until.After(a.w.now) && (a.ready == nil || a.ready())
}

// aim is what a call of a port is for: a plan may aim its faults at one kind.
type aim uint8

const (
	reading aim = iota
	receiving
	committing
	sending
	showing
	acknowledging
	aims
)

// call makes one call of a port: it stops before its effect, and again before the answer is seen.
func (a *actor) call(at aim, what func() string, effect func() error) error {
	a.at = at
	defer func() { a.at = reading }()
	a.come(at, what, false)
	if !a.pause() {
		return errDead
	}
	if at == committing && a.w.strike(overtaken) == overtaken {
		a.letGo()
		a.standStill()
		if !a.pause() {
			return errDead
		}
	}
	f := a.w.strike(refused, lost, retried)
	if f == none && at == showing {
		f = a.w.strike(unshown)
	}
	var err error
	switch f {
	case refused, unshown:
		a.w.trace.call(a, what, f, errRefused)
		return errRefused
	case retried:
		_ = effect()
	}
	err = effect()
	a.w.trace.call(a, what, f, err)
	a.come(at, what, true)
	if !a.pause() {
		return errDead
	}
	if f == lost {
		return errLost
	}
	return err
}

// letGo makes what the actor works on visible to the others, as the end of its visibility does.
func (a *actor) letGo() {
	for _, d := range a.held.batch {
		a.w.trace.add(a, "no longer hides %s", describeMessage(d.Message))
		_ = a.held.queue.Defer(context.Background(), d, 0)
	}
	a.held = holding{disturbed: true}
	a.w.queues = nil
}
