package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// task is one input for one instance id.
type task struct {
	instance string
	program  *program
	input    []byte
	// due is when its code is to begin; zero is at once.
	due time.Time
	// version of the orchestration, and the labels of the instance.
	version uint32
	tags    map[string]string
}

// encode is v as JSON, which sometimes is so long that it becomes a blob.
func (w *World) encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	if chance(w.rng, 0.1) {
		data = append(bytes.Repeat([]byte(" "), history.InlinePayload), data...)
	}
	return data
}

// task finds what a start is for.
func (w *World) task(m *history.Message, k *asking) *task {
	p := m.Event.Data
	if err := w.plain.Hydrate(context.Background(), &p); errors.Is(err, backend.ErrNoBlob) && w.check.purges(m.Instance) {
		return nil // a newer life was purged, and took along what is before it: this start can only be refused
	}
	data := p.Bytes
	if k != nil && k.restarts {
		if t := w.check.restarted(m, k, data); t != nil {
			return t
		}
	}
	i := slices.IndexFunc(w.tasks, func(t *task) bool {
		return t.instance == m.Instance && t.version == m.Event.Version && bytes.Equal(t.input, data)
	})
	if i < 0 {
		w.fail("a start of %s has an input that nobody gave", m.Instance)
		return nil
	}
	return w.tasks[i]
}

// request is one call that a client will make.
type request struct {
	at    time.Time
	what  string
	call  func(ctx context.Context, a *actor, c *client.Client) error
	tries int
}

// anyProgram is one of the plan's.
func (w *World) anyProgram(int) *program { return programNamed(pick(w.rng, w.plan.Programs...)) }

// cast makes the clients and what they will ask for of each instance's program.
func (w *World) cast(program func(i int) *program) {
	scripts := make([][]*request, w.plan.Clients)
	add := func(r *request) {
		i := w.rng.IntN(len(scripts))
		scripts[i] = append(scripts[i], r)
	}
	for i := range w.plan.Instances {
		p := program(i)
		w.write(fmt.Sprintf("%si%d", p.prefix, i+1), p, add)
	}
	for range w.rng.IntN(3) {
		add(list(w.later()))
	}
	for i, script := range scripts {
		slices.SortStableFunc(script, func(a, b *request) int { return a.at.Compare(b.at) })
		w.spawn(fmt.Sprintf("client%d", i+1), w.client(script))
	}
	w.spawnCloser()
	if w.plan.Deploys {
		first := w.later()
		w.deploys = []time.Time{first, first.Add(time.Duration(w.rng.IntN(600)) * time.Second)}
	}
}

// spawnCloser makes the client that nudge asks with: the last of the actors.
func (w *World) spawnCloser() { w.spawn("closer", w.client(nil)) }

// later is some time in a run: most happen at its beginning.
func (w *World) later() time.Time {
	most := pick(w.rng, 5*time.Millisecond, 100*time.Millisecond, time.Second, 10*time.Second, 5*time.Minute, 4*time.Hour, 60*time.Hour)
	return epoch.Add(time.Duration(w.rng.Int64N(int64(most))))
}

// write makes up what happens to one instance.
func (w *World) write(id string, p *program, add func(*request)) {
	starts := pick(w.rng, 1, 1, 2, 2, 3)
	if w.plan.Contended {
		starts = 3 + w.rng.IntN(3)
	}
	for i := range starts {
		if i == 0 || !p.once {
			w.tasks = append(w.tasks, &task{instance: id, program: p, input: w.encode(p.input(w.rng, id))})
		}
		if w.plan.Scheduled && chance(w.rng, 0.8) {
			w.tasks[len(w.tasks)-1].due = w.later()
		}
		at := w.later()
		if i == 0 || chance(w.rng, 0.5) {
			at = epoch.Add(time.Duration(w.rng.IntN(3)) * pick(w.rng, time.Millisecond, time.Millisecond, 40*time.Second))
		}
		reuse := durable.ReuseEnded
		if p.once || chance(w.rng, 0.2) {
			reuse = durable.ReuseNever
		}
		add(w.tasks[len(w.tasks)-1].start(at, reuse))
	}
	for range w.rng.IntN(4) {
		if p.event == nil {
			break
		}
		add(w.raise(id, p, w.later()))
	}
	if w.plan.Managed || chance(w.rng, 0.25) {
		at := w.later()
		add(manage(id, durable.Suspend, at))
		add(manage(id, durable.Resume, at.Add(time.Duration(w.rng.IntN(30))*time.Second)))
	}
	w.purges(id, p, add)
	w.rewinds(id, p, add)
	w.contest(id, p, add)
	w.resets(id, p, add)
	if w.plan.Managed || chance(w.rng, 0.15) {
		at := w.later()
		for range pick(w.rng, 1, 1, 2) {
			add(terminate(id, p.kin && chance(w.rng, 0.5), at))
			if w.plan.Managed && p.event != nil {
				add(w.raise(id, p, at))
			}
		}
	}
}

func (t *task) start(at time.Time, reuse durable.Reuse) *request {
	r := t.startOn(at, reuse, durable.RefuseStart)
	r.what = "start " + t.instance
	return r
}

func (w *World) raise(id string, p *program, at time.Time) *request {
	name, v := p.event(w.rng)
	req := durable.EventRequest{Instance: id, Name: name, Data: w.encode(v)}
	if chance(w.rng, 0.5) {
		req.ID = fmt.Sprint("event-", w.rng.IntN(3))
	}
	return raise(req, at)
}

func raise(req durable.EventRequest, at time.Time) *request {
	return &request{at: at, what: "raise " + req.Name + " to " + req.Instance, call: func(ctx context.Context, _ *actor, c *client.Client) error {
		return c.Raise(ctx, req)
	}}
}

// terminate ends an instance, with its children or without.
func terminate(id string, recursive bool, at time.Time) *request {
	r := manage(id, durable.Terminate, at)
	if recursive {
		r.call = func(ctx context.Context, _ *actor, c *client.Client) error {
			return c.Manage(ctx, durable.ManageRequest{Instance: id, Command: durable.Terminate, Recursive: true})
		}
	}
	return r
}

func manage(id string, command durable.Command, at time.Time) *request {
	what := [...]string{durable.Terminate: "terminate", durable.Suspend: "suspend", durable.Resume: "resume", durable.Rewind: "rewind"}[command]
	return &request{at: at, what: what + " " + id, call: func(ctx context.Context, _ *actor, c *client.Client) error {
		return c.Manage(ctx, durable.ManageRequest{Instance: id, Command: command, Reason: what})
	}}
}

// list reads the instances. The index only hints, so what it shows may lack the newest; but whatever is listed is there.
func list(at time.Time) *request {
	return &request{at: at, what: "list", call: func(ctx context.Context, a *actor, c *client.Client) error {
		begun := map[string]bool{}
		for _, l := range a.w.check.order {
			begun[l.instance+"/"+l.incarnation] = len(l.segments) > 0 && !l.at(1).scheduled()
		}
		page, err := c.List(ctx, durable.Query{})
		seen := map[string]bool{}
		for _, in := range page.Instances {
			s := a.w.check.starts[in.ID+"/"+in.Incarnation]
			l := a.w.check.life(in.ID, in.Incarnation)
			if in.Status == durable.Pending && begun[in.ID+"/"+in.Incarnation] {
				a.w.fail("%s lists %s#%s as Pending, which has begun", a, in.ID, shortIncarnation(in.Incarnation))
			}
			if s == nil || s.told == refusedTold || seen[in.ID] || in.Status.Ended() && (l == nil || l.end == nil && l.rewinds == 0) {
				a.w.fail("%s lists %s#%s as %s", a, in.ID, shortIncarnation(in.Incarnation), in.Status)
			}
			seen[in.ID] = true
		}
		return err
	}}
}

// client makes its requests one after the other, each at its time. One whose outcome it does not know it may make again.
func (w *World) client(script []*request) func(*actor) {
	return func(a *actor) {
		a.script = &script
		for {
			var next time.Time
			if len(script) > 0 {
				next = script[0].at
			}
			if !a.restUntil(next, func() bool { return len(script) > 0 && !script[0].at.After(w.now) }) {
				return
			}
			r := script[0]
			if !w.plan.Persistent {
				script = script[1:]
			}
			err := r.call(context.Background(), a, client.New(a.newStore()))
			if a.dead {
				return
			}
			if w.plan.Persistent {
				script = script[1:]
			}
			w.trace.add(a, "%s: %v", r.what, err)
			if r.tries++; open(err) && (w.plan.Persistent || r.tries < 3 && chance(w.rng, 0.7)) {
				script = slices.Insert(script, 0, r)
			}
		}
	}
}

// open reports whether an error leaves open what happened.
func open(err error) bool {
	return errors.Is(err, errLost) || errors.Is(err, errRefused) || errors.Is(err, context.DeadlineExceeded)
}

// told notes what a client knows of its start.
func (c *check) told(a *actor, ref durable.InstanceRef, err error) {
	s, k := a.sent, a.asking
	a.asking = nil
	c.settled(a, k, ref, err)
	switch {
	case err == nil && (s == nil || s.incarnation != ref.Incarnation):
		c.used(a, k, ref)
	case err == nil:
		s.told = accepted
	case errors.Is(err, durable.ErrExists) && s != nil:
		if c.life(s.instance, s.incarnation) != nil {
			c.w.fail("%s was told that %s#%s is refused, and it ran", a, s.instance, shortIncarnation(s.incarnation))
		}
		s.told = refusedTold
		c.w.trace.add(a, "knows that %s#%s is refused", s.instance, shortIncarnation(s.incarnation))
	case !errors.Is(err, durable.ErrExists) && !open(err):
		c.w.fail("%s cannot start: %v", a, err)
	}
}

// nudge asks for what instances may wait for, and reports false when none waits.
func (w *World) nudge() bool {
	closer := w.actors[len(w.actors)-1]
	waiting := false
	for _, l := range w.check.order {
		if l.task != nil && l.task.program.rewound && l.rewindable() && w.newest(l) {
			waiting = true
			*closer.script = append(*closer.script, manage(l.instance, durable.Rewind, w.now))
		}
		if l.end != nil || l.task == nil {
			continue
		}
		waiting = true
		if l.suspended {
			*closer.script = append(*closer.script, manage(l.instance, durable.Resume, w.now))
		} else if l.task.program.event != nil {
			*closer.script = append(*closer.script, w.raise(l.instance, l.task.program, w.now))
		}
	}
	return waiting
}
