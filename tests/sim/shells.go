package sim

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// newStore is a store of the actor's own, with its own clock and its own randomness.
func (a *actor) newStore() *store.Store {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(a.w.rng.Uint32())
	}
	return store.New(store.Config{Backend: a.ports(), Now: a.now, Rand: rand.NewChaCha8(seed), DirectDelay: a.w.plan.DirectDelay,
		FoldBytes: a.w.plan.FoldBytes, CompressFrom: a.w.plan.CompressFrom})
}

// newWorker is a worker of the present build.
func (a *actor) newWorker() *worker.Worker {
	w := a.w
	a.build = w.build
	var notify func(context.Context, worker.Notification) error
	if w.plan.Notifies {
		notify = a.hears
	}
	made, err := worker.New(worker.Config{
		Notify: notify,
		Store:  a.newStore(), Handlers: w.handlers(a), Build: strconv.Itoa(a.build), StrictInputs: true,
		UnknownReceives: w.plan.UnknownReceives, Jitter: w.rng.Float64,
		NearDeadline:    func(context.Context) bool { return !w.calm && chance(w.rng, w.plan.HandOn) },
		SegmentCommands: w.plan.SegmentCommands, SegmentBytes: w.plan.SegmentBytes,
		Warm: w.plan.Warm, WarmAge: w.plan.WarmAge, InFlight: w.plan.InFlight, SpinTurns: w.plan.SpinTurns,
		Watch: a.watch, Within: a.within, After: a.after,
		Log:     slog.New(&logHandler{a: a}),
		Execute: a.execute,
	})
	if err != nil {
		panic(err)
	}
	return made
}

// watch gives up code that would come back, sometimes.
func (a *actor) watch(_ string, run func()) bool {
	if a.w.strike(stuck) == stuck {
		a.w.trace.add(a, "gives its code up")
		return false
	}
	run()
	return true
}

// execute runs steps in any order.
func (a *actor) execute(steps []func()) {
	for _, i := range a.w.rng.Perm(len(steps)) {
		steps[i]()
	}
}

// counts is what is in the queues now.
func (w *World) counts() *memory.Queues {
	if w.queues == nil {
		q := w.memory.Queues()
		w.queues = &q
	}
	return w.queues
}

// process is a worker in a process that makes room for another one now and then.
type process struct {
	*worker.Worker
	a *actor
}

func (a *actor) newProcess() *process { return &process{a.newWorker(), a} }

// renew is called while the process is idle: a deployment or the platform may replace it.
func (p *process) renew() {
	w := p.a.w
	switch {
	case p.a.build != w.build && (w.calm || w.direct != nil || chance(w.rng, 0.3)):
	case w.strike(recycled) == recycled:
		w.trace.add(p.a, "makes room for a new process")
	default:
		return
	}
	p.close()
	p.Worker = p.a.newWorker()
}

func (p *process) close() { p.Worker.Close() }

// orchestrate receives and handles batches of the inbox and the wake queue.
func (w *World) orchestrate(a *actor) {
	p := a.newProcess()
	defer p.close()
	for a.rest(func() bool { c := w.counts(); return c.Inbox.Ready+c.Wake.Ready > 0 }) {
		p.renew()
		c := w.memory.Queues()
		q, handle := a.ports().Inbox, p.Inbox
		if c.Inbox.Ready == 0 || c.Wake.Ready > 0 && chance(w.rng, 0.5) {
			q, handle = a.ports().Wake, p.Wake
		}
		a.pump(q, handle)
	}
}

// runActivities receives and handles batches of activities, one after the other.
func (w *World) runActivities(a *actor) {
	p := a.newProcess()
	defer p.close()
	handle := func(ctx context.Context, batch []backend.Delivery) []worker.Outcome {
		outcomes := make([]worker.Outcome, len(batch))
		begin := w.now
		for i, d := range batch {
			if i > 0 && w.now.Sub(begin) > 20*time.Second { // others may have what is left
				outcomes[i] = worker.Outcome{Err: errTooLong}
				continue
			}
			a.held.one = d
			outcomes[i] = p.Activity(ctx, d)
		}
		return outcomes
	}
	for a.rest(func() bool { return w.counts().Activities.Ready > 0 }) {
		p.renew()
		a.pump(a.ports().Activities, handle)
	}
}

// pump handles one batch.
func (a *actor) pump(q backend.Queue, handle func(context.Context, []backend.Delivery) []worker.Outcome) {
	ctx := context.Background()
	a.held = holding{}
	batch, err := q.Receive(ctx, 1+a.w.rng.IntN(backend.MaxBatch), 0)
	if err != nil || len(batch) == 0 {
		return
	}
	if a.w.strike(throttled) == throttled {
		// A poller has received the batch, and no function could be run: it comes again when its visibility ends.
		a.w.trace.add(a, "is throttled%s", describeBatch(batch))
		return
	}
	a.held.queue, a.held.batch = q.(*queue).inner, batch
	outcomes := handle(ctx, batch)
	a.held = holding{}
	if a.dead {
		return
	}
	var done []backend.Delivery
	for i, o := range outcomes {
		switch {
		case o.Ack:
			done = append(done, batch[i])
		case o.Foreign:
			a.w.fail("%s calls a message foreign: %v", a, o.Err)
		default:
			a.w.trace.add(a, "%s: %v", describeMessage(batch[i].Message), o.Err)
			_ = q.Defer(ctx, batch[i], o.Retry)
		}
	}
	if len(done) > 0 {
		_ = q.Ack(ctx, done)
	}
}

// drain handles dead letters.
func (w *World) drain(a *actor) {
	wk := a.newWorker()
	for a.rest(func() bool { return w.dead.Queues().Ready() > 0 }) {
		c, q := w.dead.Queues(), a.ports().Dead
		if w.strike(moved) == moved {
			w.moveBack()
			continue
		}
		switch {
		case c.Inbox.Ready > 0:
			a.pump(q.Inbox, wk.Dead)
		case c.Wake.Ready > 0:
			a.pump(q.Wake, wk.Dead)
		default:
			a.pump(q.Activities, wk.Dead)
		}
	}
}

// moveBack is what the queue service does when somebody asks it to: dead letters go back to where they came from, in
// their order, as new messages.
func (w *World) moveBack() {
	ctx, from, to := context.Background(), w.dead.Backend(), w.inner
	for i, q := range []backend.Queue{from.Inbox, from.Wake, from.Activities} {
		batch, _ := q.Receive(ctx, backend.MaxBatch, 0)
		for _, d := range batch {
			w.trace.add("queue", "moves back %s", describeMessage(d.Message))
			d.Message.ID = ""
			[]backend.Queue{to.Inbox, to.Wake, to.Activities}[i].Send(ctx, []backend.Message{d.Message})
		}
		_ = q.Ack(ctx, batch)
	}
}

// horizon is how far ahead of its time a due row is sent.
func (w *World) horizon() time.Duration {
	d := w.plan.DirectDelay
	if d <= 0 || d > backend.MaxDelay {
		d = backend.MaxDelay
	}
	return d * 2 / 3
}

// earliestDue is the time of the first due row.
func (w *World) earliestDue() (time.Time, bool) {
	var first time.Time
	for shard := range 4 {
		items, _ := w.inner.Table.Query(context.Background(), "due#"+strconv.Itoa(shard), "", "", 1)
		if len(items) == 0 {
			continue
		}
		ms, err := strconv.ParseInt(items[0].Sort[:13], 10, 64)
		if err != nil {
			w.fail("a due row has the key %s", items[0].Sort)
		}
		if t := time.UnixMilli(ms); first.IsZero() || t.Before(first) {
			first = t
		}
	}
	return first, !first.IsZero()
}

// sweep sends what is due.
func (w *World) sweep(a *actor) {
	s := a.newStore()
	for a.rest(func() bool {
		due, ok := w.earliestDue()
		return ok && !w.now.Before(w.nextTry) && !due.Add(-w.horizon()-2*w.plan.Skew).After(w.now)
	}) {
		w.nextTry = w.now.Truncate(sweepEvery).Add(sweepEvery)
		if w.strike(overslept) == overslept {
			d := pick(w.rng, 5*time.Minute, 3*time.Hour, 26*time.Hour)
			w.trace.add(a, "is not called for %v", d)
			w.nextTry = w.nextTry.Add(d)
			continue
		}
		if _, err := s.Sweep(context.Background()); err != nil {
			w.trace.add(a, "sweep: %v", err)
		}
	}
}
