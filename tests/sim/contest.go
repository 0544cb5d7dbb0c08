package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/client"
)

// contest makes up what clients do who want the same id, each on terms of its own: in which way it is used, replaced, restarted,
// purged by a query and looked at. It has dice of its own, as purges have.
func (w *World) contest(id string, p *program, add func(*request)) {
	if !w.plan.Contest {
		return
	}
	r := rand.New(rand.NewPCG(w.plan.Seed, uint64(id[len(id)-1])|1<<33))
	when := func() time.Time {
		most := pick(r, 3*time.Millisecond, 3*time.Millisecond, time.Second, time.Minute, 5*time.Hour, 80*time.Hour)
		return epoch.Add(time.Duration(r.Int64N(int64(most))))
	}
	mine := []*task{w.tasks[len(w.tasks)-1]}
	for range 4 + r.IntN(8) {
		switch r.IntN(9) {
		default:
			t := pick(r, mine...)
			versions := bytes.Contains(t.input, []byte(`"Any":true`))
			if chance(r, 0.3) {
				other := p
				if chance(r, 0.2) {
					other = programNamed("saga")
				}
				input := other.input(r, id)
				if m, ok := input.(Made); ok {
					m.Any, m.Parts = true, slices.Insert(m.Parts, 1, Node{Do: "renew", N: madeVersions})
					input = m
				}
				t = &task{instance: id, program: other, input: w.encode(input), tags: map[string]string{"of": fmt.Sprint(len(mine))}}
				w.tasks, mine = append(w.tasks, t), append(mine, t)
			} else if versions || chance(r, 0.3) {
				again := *t
				again.input = append([]byte(" "), t.input...)
				if versions && chance(r, 0.7) {
					again.version, again.input = uint32(r.IntN(madeVersions)), t.input
				}
				w.tasks, t = append(w.tasks, &again), &again
			}
			reuse := pick(r, durable.ReuseEnded, durable.ReuseEnded, durable.ReuseNever, durable.ReuseWhen(durable.Completed), durable.ReuseWhen(durable.Failed, durable.Terminated))
			add(t.startOn(when(), reuse, durable.Conflict(r.IntN(int(durable.ReplaceExisting)+1))))
		case 5:
			add(restart(id, chance(r, 0.3), when()))
		case 6:
			statuses := pick(r, nil, []durable.Status{durable.Terminated}, []durable.Status{durable.Completed, durable.Running})
			add(purgeWhere(id, statuses, when()))
		case 7:
			at := when()
			add(terminate(id, true, at))
			add(purgeTree(id, at.Add(time.Duration(r.IntN(60))*time.Second)))
		case 8:
			add(get(id, when()))
			add(list(when()))
		}
	}
}

// startOn is start on terms: what may be replaced, and what is to be done about what may not.
func (t *task) startOn(at time.Time, reuse durable.Reuse, conflict durable.Conflict) *request {
	names := [...]string{durable.RefuseStart: "or nothing", durable.UseExisting: "or use what is there", durable.UseSame: "or use the same", durable.ReplaceExisting: "in any case"}
	return &request{at: at, what: fmt.Sprintf("start %s %s, reuse %d", t.instance, names[conflict], reuse), call: func(ctx context.Context, a *actor, c *client.Client) error {
		if conflict == durable.ReplaceExisting {
			ctx = &waiting{Context: ctx, a: a}
		}
		a.asks(&asking{instance: t.instance, task: t, reuse: reuse, conflict: conflict})
		ref, err := c.Start(ctx, durable.StartRequest{Name: t.program.orchestration, Version: t.version, ID: t.instance, Input: t.input, Reuse: reuse, Conflict: conflict, At: t.due, Tags: t.tags})
		if !a.dead {
			a.w.check.told(a, ref, err)
		}
		return err
	}}
}

// waiting is a context that lets others go on whenever somebody waits with it, and ends soon.
type waiting struct {
	context.Context
	a    *actor
	over bool
}

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done decides at once that there is no more time, or lets others go on first, for longer than its caller's timer runs: so only one of
// the two is ready when the caller looks, and a seed comes to the same whatever else the machine does.
func (p *waiting) Done() <-chan struct{} {
	if p.over || p.a.dead || chance(p.a.w.rng, 0.8) {
		p.over = true
		return closed
	}
	p.a.sleep(time.Duration(p.a.w.rng.IntN(60)) * time.Second)
	return nil
}

func (p *waiting) Err() error {
	if p.over {
		return context.DeadlineExceeded
	}
	return nil
}

// restart starts what was there once more: under its id, or a new one.
func restart(id string, newID bool, at time.Time) *request {
	return &request{at: at, what: "restart " + id, call: func(ctx context.Context, a *actor, c *client.Client) error {
		k := &asking{instance: id, restarts: true, newID: newID}
		a.asks(k)
		ref, err := c.Restart(ctx, durable.RestartRequest{Instance: id, NewID: newID})
		switch {
		case a.dead:
		case a.sent == nil && errors.Is(err, durable.ErrNotFound):
			a.asking = nil
		default:
			a.w.check.told(a, ref, err)
		}
		return err
	}}
}

// purgeWhere purges an instance and its children, those of them that have come to one of these ends.
func purgeWhere(id string, statuses []durable.Status, at time.Time) *request {
	return &request{at: at, what: fmt.Sprintf("purge %s… of %v", id, statuses), call: func(ctx context.Context, a *actor, c *client.Client) error {
		a.w.check.purgesFamily(id)
		a.purges = statuses
		_, err := c.PurgeWhere(ctx, durable.PurgeRequest{Where: durable.Query{IDPrefix: id, Statuses: statuses}})
		a.purges = nil
		return err
	}}
}

func purgeTree(id string, at time.Time) *request {
	return &request{at: at, what: "purge " + id + " with its children", call: func(ctx context.Context, a *actor, c *client.Client) error {
		a.w.check.purgesFamily(id)
		_, err := durable.PurgeTree(ctx, c, id)
		return err
	}}
}

// get reads an instance: what it is shown to have come to, it has.
func get(id string, at time.Time) *request {
	return &request{at: at, what: "get " + id, call: func(ctx context.Context, a *actor, c *client.Client) error {
		in, err := c.Get(ctx, id)
		if err != nil || a.dead {
			return err
		}
		a.w.check.read(a, &in)
		events, err := c.History(ctx, id)
		if err == nil && !a.dead {
			a.w.check.readHistory(a, id, events)
		}
		return err
	}}
}
