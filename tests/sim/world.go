package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// epoch is when every run begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	// maxSteps ends a run that does not come to rest.
	maxSteps = 50_000
	// sweepEvery is how often due rows are looked at.
	sweepEvery = time.Minute
	// lastBuild is the build that has every bug fixed.
	lastBuild = 3
)

// World is one run.
type World struct {
	plan   Plan
	rng    *rand.Rand
	now    time.Time
	step   int
	budget int
	// calm: nothing goes wrong any more.
	calm    bool
	memory  *memory.Backend
	inner   backend.Backend
	plain   *store.Store    // over inner, for checks
	dead    *memory.Backend // whose queues are the dead-letter queues
	queues  *memory.Queues  // of this step, once somebody has asked
	actors  []*actor
	current *actor
	copies  []again
	sent    []again // everything that ever was, when the plan wants it again
	build   int
	deploys []time.Time
	nextTry time.Time // of the sweeper
	tasks   []*task
	parcels []*parcel
	check   *check
	trace   *trace
	failure error
	// tally counts the faults, and seen what came of them.
	tally [faults]int
	seen  map[string]int
	steps map[string]int // how often steps ran whose runs are counted, by operation
	// direct decides in place of chance, and places counts what it was asked.
	direct director
	places int
	// twice says, in place of chance, which deliveries come once more, and when. still is how long an actor stands still; 0
	// is by chance.
	twice func(backend.Delivery) (time.Duration, bool)
	still time.Duration
	index *oldIndex
	// called: the doctor is to repair everything, which it has done at least once when repaired.
	called, repaired bool
}

// again is a message that is delivered once more.
type again struct {
	at    time.Time
	name  string
	queue backend.Queue
	m     backend.Message
}

// Result is what became of a run.
type Result struct {
	Seed  uint64
	Plan  Plan
	Steps int
	// Faults that happened, by their names, and Seen what came of them.
	Faults, Seen map[string]int
	// Segments that were committed.
	Segments int
	// Err is the first thing that went wrong.
	Err error
	// Trace has every step when it was asked for.
	Trace []string
	Hash  string
}

// Run runs one seed.
func Run(seed uint64, traced bool) Result {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	w := newWorld(newPlan(seed, r), r, traced)
	return w.run(func() { w.cast(w.anyProgram) })
}

func newWorld(plan Plan, r *rand.Rand, traced bool) *World {
	w := &World{plan: plan, rng: r, now: epoch, build: 1, budget: plan.Budget, seen: map[string]int{}, steps: map[string]int{}}
	w.trace = &trace{w: w, on: traced}
	w.check = newCheck(w)
	o := memory.Options{Now: func() time.Time { return w.now }, Unordered: plan.Unordered, LookAhead: plan.LookAhead, Pick: w.rng.IntN}
	w.memory, w.dead = memory.New(o), memory.New(o)
	w.inner = w.memory.Backend()
	w.plain = store.New(store.Config{Backend: w.inner})
	w.index = newOldIndex(w)
	return w
}

// run runs what the clients that cast makes ask for.
func (w *World) run(cast func()) Result {
	w.populate()
	cast()
	w.live()
	w.rest()
	for _, a := range w.actors {
		a.kill()
	}
	r := Result{Seed: w.plan.Seed, Plan: w.plan, Steps: w.step, Faults: map[string]int{}, Seen: w.seen,
		Segments: w.check.segments, Err: w.failure, Trace: w.trace.lines, Hash: w.trace.hash()}
	for f, n := range w.tally {
		r.Faults[fault(f).String()] += n
	}
	return r
}

// fail notes the first thing that goes wrong.
func (w *World) fail(format string, args ...any) {
	if w.failure == nil {
		w.failure = fmt.Errorf("step %d: "+format, append([]any{w.step}, args...)...)
		w.trace.add("VIOLATION", "%v", w.failure)
	}
}

// populate makes the actors.
func (w *World) populate() {
	for i := range w.plan.Orchestrators {
		w.spawn(fmt.Sprintf("orch%d", i+1), w.orchestrate)
	}
	for i := range w.plan.Runners {
		w.spawn(fmt.Sprintf("act%d", i+1), w.runActivities)
	}
	w.spawn("sweep", w.sweep)
	w.spawn("drain", w.drain)
	if w.plan.Doctor {
		w.spawn("doctor", w.doctor)
	}
	if slices.ContainsFunc(w.plan.Programs, func(name string) bool {
		return name == "outside" || programNamed(name).orchestration == made.orchestration
	}) {
		w.spawn("courier", w.courier)
	}
}

// live runs with faults until the clients have nothing more to ask for and everybody rests, then without, until every
// instance has ended or should have.
func (w *World) live() {
	w.settle()
	w.calm = true
	w.trace.add("calm", "from here on nothing goes wrong; %d faults were left", w.budget)
	w.build = lastBuild
	for _, a := range w.actors {
		a.until = time.Time{}
	}
	for range 60 {
		if w.settle(); w.failure != nil {
			return
		}
		waiting, called := w.nudge(), w.repaired
		if (waiting || !called) && w.call() || waiting {
			continue
		}
		w.redrive()
		return
	}
	w.fail("instances do not end: %s", strings.Join(w.check.open(), ", "))
}

// redrive delivers every message once more, in any order: nothing may come of it.
func (w *World) redrive() {
	if !w.plan.Redrive || w.failure != nil {
		return
	}
	w.trace.add("queue", "delivers everything again")
	before := w.check.segments
	w.rng.Shuffle(len(w.sent), func(i, j int) { w.sent[i], w.sent[j] = w.sent[j], w.sent[i] })
	w.copies, w.sent = w.sent, nil
	w.settle()
	if w.check.segments != before {
		w.fail("old messages change histories that have ended")
	}
}

// settle runs until nothing will happen any more by itself.
func (w *World) settle() {
	for w.failure == nil {
		w.queues = nil
		w.deliverCopies()
		w.deploy()
		var can []*actor
		for _, a := range w.actors {
			if a.runnable() {
				can = append(can, a)
			}
		}
		if len(can) == 0 {
			if !w.advance() {
				return
			}
			continue
		}
		a := can[w.rng.IntN(len(can))]
		if w.current != nil && slices.Contains(can, w.current) && chance(w.rng, w.plan.Sticky) {
			a = w.current
		}
		w.choose(a)
		if w.step++; w.step > maxSteps {
			w.fail("no rest after %d steps: %s", maxSteps, strings.Join(w.check.open(), ", "))
		}
		if chance(w.rng, 0.2) {
			w.now = w.now.Add(time.Duration(w.rng.IntN(5)) * time.Millisecond)
		}
	}
}

// choose lets an actor go on, unless something happens to it.
func (w *World) choose(a *actor) {
	w.current = a
	switch w.strike(crash, stall, jump, expired) {
	case crash:
		a.crash(time.Duration(w.rng.IntN(3)) * time.Second)
	case stall:
		a.standStill()
	case jump:
		w.now = w.now.Add(pick(w.rng, 31*time.Second, 7*time.Minute))
		for _, other := range w.actors {
			other.held.disturbed = true
		}
		w.trace.add("clock", "everybody stood still")
	case expired:
		a.letGo()
		a.resume()
	default:
		a.resume()
	}
}

// copy has a message delivered once more, in a while.
func (w *World) copy(name string, q backend.Queue, m backend.Message, d time.Duration) {
	m.ID = "" // past every deduplication
	w.copies = append(w.copies, again{w.now.Add(d), name, q, m})
	w.trace.add("queue", "delivers again in %v: %s", d, describeMessage(m))
}

func (w *World) deliverCopies() {
	w.copies = slices.DeleteFunc(w.copies, func(l again) bool {
		if l.at.After(w.now) {
			return false
		}
		w.trace.add("queue", "%s delivers again: %s", l.name, describeMessage(l.m))
		l.queue.Send(context.Background(), []backend.Message{l.m})
		return true
	})
}

// deploy makes the next build the one that new lives and idle workers run.
func (w *World) deploy() {
	for len(w.deploys) > 0 && (!w.deploys[0].After(w.now) || chance(w.rng, 0.005)) {
		w.deploys = w.deploys[1:]
		w.build = min(w.build+1, lastBuild)
		w.trace.add("deploy", "build %d", w.build)
	}
}

// advance moves the clock to when something may happen next, and reports false when nothing will.
func (w *World) advance() bool {
	var next time.Time
	consider := func(t time.Time) {
		if t.After(w.now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, m := range []*memory.Backend{w.memory, w.dead} {
		if t, ok := m.NextDue(); ok {
			consider(t)
		}
	}
	for _, a := range w.actors {
		if !a.done {
			consider(a.until)
			consider(a.wakes)
		}
	}
	for _, l := range w.copies {
		consider(l.at)
	}
	for _, p := range w.parcels {
		consider(p.at)
	}
	for _, t := range w.deploys {
		consider(t)
	}
	if due, ok := w.earliestDue(); ok {
		t := due.Add(-w.horizon())
		consider(latest(w.nextTry, t.Truncate(sweepEvery).Add(sweepEvery)))
	}
	if next.IsZero() {
		return false
	}
	w.now = next
	return true
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
