package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Activities that are bounded in what they may do: together, in silence, or to once.
var (
	hurried = durable.NewActivity[Job, string]("Hurried", durable.Retry{Attempts: 10, Initial: 5 * time.Second, Factor: 2}, durable.Deadline(time.Minute))
	beating = durable.NewActivity[Job, string]("Beating", durable.Retry{Attempts: attempts, Initial: time.Second},
		durable.HeartbeatTimeout(silence), durable.Timeout(time.Hour))
	onlyOnce = durable.NewActivity[Job, string]("OnlyOnce", durable.AtMostOnce)

	boundsOrch = durable.NewOrchestration[Plain, string]("Bounds")
)

const (
	silence = 30 * time.Second
	// beats is how many a body gives: mostly for longer than its message is hidden at first.
	beats = 8
)

func (w *World) boundedHandlers(a *actor) []durable.Handler {
	return []durable.Handler{hurried.Bind(a.work), onlyOnce.Bind(a.lengthy), beating.Bind(a.beating), boundsOrch.Bind(bounds)}
}

// within is the context of an attempt by the world's clock.
func (a *actor) within(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := a.after(d, func() { cancel(cause) })
	return ctx, func() { stop(); cancel(nil) }
}

// alarm is a timer of an actor's present life: it goes off when the actor goes on.
type alarm struct {
	at time.Time
	f  func()
}

func (a *actor) after(d time.Duration, f func()) func() bool {
	al := &alarm{a.w.now.Add(d), f}
	a.alarms = append(a.alarms, al)
	return func() bool { set := al.f != nil; al.f = nil; return set }
}

// ring has the alarms go off that are due.
func (a *actor) ring() {
	var left []*alarm
	for _, al := range a.alarms {
		switch {
		case al.f == nil:
		case al.at.After(a.w.now):
			left = append(left, al)
		default:
			al.f()
		}
	}
	a.alarms = left
}

// sleep lets time pass in a body.
func (a *actor) sleep(d time.Duration) bool {
	a.until = a.w.now.Add(d)
	return a.pause()
}

// lengthy is work that others have time to meet.
func (a *actor) lengthy(ctx context.Context, j Job) (string, error) {
	out, err := a.work(ctx, j)
	if err == nil && chance(a.w.rng, 0.5) && !a.sleep(time.Duration(a.w.rng.IntN(60))*time.Second) {
		return "", errDead
	}
	return out, err
}

// beating works for a while, and says so; attempts up to Fails fall silent.
func (a *actor) beating(ctx context.Context, j Job) (string, error) {
	a.ran(ctx)
	if a.dead {
		return "", errDead
	}
	a.held.beats = true
	defer func() { a.held.beats = false }()
	of := a.w.check.ops[durable.IdempotencyKey(ctx)]
	first, _ := durable.LastHeartbeat[int](ctx)
	if first > of.op.beat {
		a.w.fail("%s reads heartbeat %d of %s, which nobody gave", a, first, of.life)
	}
	for i := first; i < beats; i++ {
		pause := time.Duration(1+a.w.rng.IntN(15)) * time.Second
		if durable.Attempt(ctx) <= j.Fails && i >= 2 {
			pause = silence + time.Second // it heeds the end of its context
		}
		if !a.sleep(pause) {
			return "", errDead
		}
		of.op.beat = max(of.op.beat, i+1)
		err := durable.Heartbeat(ctx, i+1)
		if a.dead {
			return "", errDead
		}
		switch {
		case errors.Is(err, durable.ErrCanceled):
			a.w.seen["canceled activities"]++
			if of.life.end == nil {
				a.w.fail("%s cancels %s, whose life has not ended", a, of.life)
			}
			return "", err
		case err != nil:
			a.w.seen["attempts that time ran out for"]++
			return "", err
		case pause > silence:
			a.w.fail("%s did not notice that %s was silent for %v", a, of.life, pause)
		}
	}
	return j.Key, nil
}

func bounds(ctx durable.Context, in Plain) (string, error) {
	calls := []*durable.Future[string]{
		hurried.Start(ctx, Job{Key: "hurried", Fails: in.N}),
		beating.Start(ctx, Job{Key: "beating", Fails: in.N - 1}),
		onlyOnce.Start(ctx, Job{Key: "once", Fails: in.N / 4, Final: true}),
	}
	out := ""
	for _, c := range calls {
		v, err := c.Await()
		switch {
		case err == nil:
			out += v + " "
		case errors.Is(err, durable.ActivityTimedOut):
			out += "late "
		case errors.Is(err, durable.OutcomeUnknown):
			out += "unknown "
		case errors.Is(err, durable.WorkerLost):
			out += "lost "
		default:
			out += "failed "
		}
	}
	return out, nil
}

func boundsInput(r *rand.Rand, instance string) any {
	return Plain{Instance: instance, N: 1 + r.IntN(6), Nonce: r.Uint32()}
}

// wantBounds: what can happen to each of the three is limited, and by its own option only.
func wantBounds(w *World, l *life) error {
	if l.end.Kind != history.ExecutionCompleted {
		return fmt.Errorf("it failed: %+v", l.end.Failure)
	}
	var in Plain
	var out, hurried, beating, once string
	if err := errors.Join(json.Unmarshal(l.start.Data.Bytes, &in), json.Unmarshal(l.end.Data.Bytes, &out)); err != nil {
		return err
	}
	if _, err := fmt.Sscan(out, &hurried, &beating, &once); err != nil {
		return err
	}
	one := func(what, got string, of ...string) error {
		for _, s := range of {
			if s == got {
				return nil
			}
		}
		return fmt.Errorf("%s came to %s, want one of %v; input %d", what, got, of, in.N)
	}
	may := map[bool][]string{true: {"late", "lost"}, false: {"late", "lost", "beating"}}[in.N > attempts]
	soon := map[bool][]string{true: {"late"}, false: {"late", "hurried"}}[in.N > 3 && w.plan.Skew == 0] // pauses of 5, 10, 20 and 40 seconds
	result := map[bool]string{true: "failed", false: "once"}[in.N >= 4]
	return errors.Join(one("hurried", hurried, soon...), one("beating", beating, may...), one("once", once, result, "unknown", "lost"))
}

// received checks that what beats is hidden: a message whose body beats is not delivered to somebody else, unless its worker
// was disturbed since it received it.
func (c *check) received(a *actor, queue string, batch []backend.Delivery) {
	for _, d := range batch {
		for _, other := range c.w.actors {
			if h := other.held; queue == "activities" && h.beats && !h.disturbed && messageOf(h.one) == messageOf(d) {
				c.w.fail("%s receives %s, whose body beats in %s", a, describeMessage(d.Message), other)
			}
		}
	}
}

// messageOf is what the receipts of one message have in common: all but how often it was received.
func messageOf(d backend.Delivery) string { return d.Receipt[:strings.LastIndexByte(d.Receipt, '.')] }

// ranBounded checks that an activity may run now.
func (c *check) ranBounded(a *actor, of opOf) {
	p := of.op.command.Policy
	switch {
	case p == nil:
	case p.AtMostOnce && of.op.runs > 1:
		c.w.fail("%s runs %s of %s again, which is to run once at most", a, describeEvent(of.op.command), of.life)
	case of.op.command.Name == "durable.http": // whose message is hidden for longer first, and that may take until then
	case p.Deadline > 0 && c.w.now.Add(-c.w.plan.Skew).After(of.op.command.At.Add(p.Deadline)):
		c.w.fail("%s runs %s of %s after its deadline", a, describeEvent(of.op.command), of.life)
	}
}

// unrun reports whether an outcome may be reported of an activity whose body never ran.
func (o *op) unrun(e *history.Event) bool {
	p := o.command.Policy
	if p == nil || e.Failure == nil {
		return false
	}
	return p.Deadline > 0 && e.Failure.Kind == string(durable.ActivityTimedOut) ||
		p.AtMostOnce && e.Failure.Kind == string(durable.OutcomeUnknown)
}
