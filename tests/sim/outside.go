package sim

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// Activities whose work is done elsewhere: by a courier, who gets their tokens.
var (
	handed    = durable.NewActivity[Job, string]("Handed", durable.Async, durable.Retry{Attempts: attempts, Initial: time.Second}, durable.Timeout(longEnough))
	tended    = durable.NewActivity[Job, string]("Tended", durable.Async, durable.Retry{Attempts: attempts, Initial: time.Second}, durable.HeartbeatTimeout(silence))
	trusted   = durable.NewActivity[Job, string]("Trusted", durable.Async, durable.Retry{Attempts: attempts, Initial: time.Second})
	handedOne = durable.NewActivity[Job, string]("HandedOnce", durable.Async, durable.AtMostOnce, durable.Timeout(longEnough))

	outsideOrch = durable.NewOrchestration[Plain, string]("Outside")
)

// longEnough is how long an outcome from elsewhere is waited for, where that has an end.
const longEnough = 10 * time.Minute

func (w *World) outsideHandlers(a *actor) []durable.Handler {
	var out []durable.Handler
	for _, h := range []durable.Activity[Job, string]{handed, tended, trusted, handedOne} {
		out = append(out, h.Bind(func(ctx context.Context, j Job) (string, error) { return a.handOver(ctx, h, j) }))
	}
	return append(out, outsideOrch.Bind(outside))
}

// parcel is work that was handed to the courier.
type parcel struct {
	activity durable.Activity[Job, string]
	token    string
	job      Job
	attempt  int
	of       opOf
	at       time.Time // when he does something about it
	beats    int       // that he gives before
}

// handOver gives the courier the work. Now and then the body dies on its way back.
func (a *actor) handOver(ctx context.Context, of durable.Activity[Job, string], j Job) (string, error) {
	a.ran(ctx)
	if a.dead {
		return "", errDead
	}
	w := a.w
	p := &parcel{activity: of, token: durable.Token(ctx), job: j, attempt: durable.Attempt(ctx), of: w.check.ops[durable.IdempotencyKey(ctx)],
		at: w.now.Add(time.Duration(w.rng.IntN(60)) * pick(w.rng, time.Millisecond, time.Second))}
	if o := p.of.op; o.handedAt == nil {
		o.handedAt = map[uint32]time.Time{}
	}
	if _, again := p.of.op.handedAt[uint32(p.attempt)]; !again {
		p.of.op.handedAt[uint32(p.attempt)] = w.now
	}
	switch {
	case w.direct != nil:
		p.at = w.now.Add(5 * time.Second)
	case of.Name() == trusted.Name():
	case of.Name() == tended.Name():
		p.beats = w.rng.IntN(4)
		p.at = w.now.Add(time.Duration(w.rng.Int64N(int64(silence))))
		fallthrough
	default:
		if chance(w.rng, 0.2) {
			w.trace.add(a, "hands on what the courier loses")
			p = nil
		}
	}
	if p != nil {
		w.parcels = append(w.parcels, p)
	}
	if w.direct == nil && chance(w.rng, 0.2) && !a.pause() {
		return "", errDead
	}
	return "", durable.ErrPending
}

// courier does the work that was handed on, and reports it. He reports again what he does not know to have arrived.
func (w *World) courier(a *actor) {
	for {
		due := func(p *parcel) bool { return !p.at.After(w.now) }
		if !a.rest(func() bool { return slices.ContainsFunc(w.parcels, due) }) {
			return
		}
		p := w.parcels[slices.IndexFunc(w.parcels, due)]
		done, err := w.deliver(a, p)
		if a.dead {
			return
		}
		w.trace.add(a, "reports %s of %s, attempt %d: %v", describeEvent(p.of.op.command), p.of.life, p.attempt, err)
		switch {
		case err == nil && !done:
			p.beats--
			p.at = w.now.Add(time.Duration(w.rng.Int64N(int64(silence))))
		case err == nil, errors.Is(err, durable.ErrNotPending), errors.Is(err, durable.ErrEnded), errors.Is(err, durable.ErrNotFound):
			w.parcels = slices.DeleteFunc(w.parcels, func(q *parcel) bool { return p == q })
		case open(err):
			p.at = w.now.Add(time.Second)
		default:
			w.fail("%s cannot report: %v", a, err)
		}
	}
}

// deliver reports once: a heartbeat, or the outcome.
func (w *World) deliver(a *actor, p *parcel) (done bool, err error) {
	ctx, c, o := context.Background(), client.New(a.newStore()), p.of.op
	if p.beats > 0 {
		o.beat++
		return false, p.activity.Heartbeat(ctx, c, p.token, o.beat)
	}
	if p.attempt > p.job.Fails {
		return true, p.activity.Complete(ctx, c, p.token, p.job.Key)
	}
	o.failedAt = max(o.failedAt, uint32(p.attempt))
	return true, p.activity.Fail(ctx, c, p.token, errors.New("the courier could not"))
}

func outside(ctx durable.Context, in Plain) (string, error) {
	names := []string{"handed", "tended", "trusted", "once"}
	calls := []*durable.Future[string]{
		handed.Start(ctx, Job{Key: names[0], Fails: in.N - 1}),
		tended.Start(ctx, Job{Key: names[1], Fails: in.N / 2}),
		trusted.Start(ctx, Job{Key: names[2], Fails: in.N - 2}),
		handedOne.Start(ctx, Job{Key: names[3], Fails: in.N / 4}),
	}
	out := ""
	for _, c := range calls {
		v, err := c.Await()
		switch {
		case err == nil:
			out += v + " "
		case errors.Is(err, durable.OutcomeUnknown):
			out += "unknown "
		case errors.Is(err, durable.ActivityTimedOut):
			out += "late "
		case errors.Is(err, durable.WorkerLost):
			out += "lost "
		default:
			out += "failed "
		}
	}
	return out, nil
}

func outsideInput(r *rand.Rand, instance string) any {
	return Plain{Instance: instance, N: 1 + r.IntN(5), Nonce: r.Uint32()}
}

// wantOutside: an outcome is the one that was reported, or there was none in time.
func wantOutside(w *World, l *life) error {
	if l.end.Kind != history.ExecutionCompleted {
		return fmt.Errorf("it failed: %+v", l.end.Failure)
	}
	var in Plain
	var out string
	if err := errors.Join(json.Unmarshal(l.start.Data.Bytes, &in), json.Unmarshal(l.end.Data.Bytes, &out)); err != nil {
		return err
	}
	var errs []error
	for i, c := range []struct {
		name  string
		fails int
		most  int
		or    []string
	}{
		{"handed", in.N - 1, attempts, []string{"late", "lost"}},
		{"tended", in.N / 2, attempts, []string{"late", "lost"}},
		{"trusted", in.N - 2, attempts, []string{"lost"}},
		{"once", in.N / 4, 1, []string{"unknown", "lost"}},
	} {
		want := c.name
		if c.fails >= c.most {
			want = "failed"
		}
		if w.plan.Doctor { // who has one more attempt made
			c.or = append(c.or, c.name)
		}
		if o := l.ops[strconv.Itoa(i)]; o != nil && !o.handedAt[uint32(c.most+1)].IsZero() { // and so has a message that comes again after the last
			c.or = append(c.or, c.name)
		}
		if got := strings.Fields(out)[i]; got != want && !slices.Contains(c.or, got) {
			errs = append(errs, fmt.Errorf("%s came to %s, want %s", c.name, got, want))
		}
	}
	return errors.Join(errs...)
}

// looksAfter notes a message that looks after an attempt, or reports its failure: only of what was begun.
func (c *check) looksAfter(a *actor, m *history.Message) *op {
	of, ok := c.ops[store.AttemptID(m)]
	if !ok || of.life.incarnation != m.Incarnation || of.op.command.Op != m.Event.Op {
		c.w.fail("%s looks after %s of %s, which no history asks for", a, describeEvent(&m.Event), m.Instance)
		return nil
	}
	of.op.watches++
	return of.op
}

// patient checks that nobody gives an attempt up that may still come to an end. It is called when the next attempt, or the
// failure, is sent.
func (c *check) patient(a *actor, of opOf, attempt uint32, kind string) {
	p, since := of.op.command.Policy, of.op.handedAt[attempt]
	latest := c.w.now.Add(2*c.w.plan.Skew + time.Millisecond) // which messages round to
	early := func(d time.Duration) bool { return d > 0 && !since.IsZero() && latest.Before(since.Add(d)) }
	switch {
	case p == nil || of.op.dead:
	case kind == string(durable.OutcomeUnknown) && latest.Before(of.op.claimedAt.Add(5*time.Minute)):
		c.w.fail("%s gives up %s of %s %v after it was begun", a, describeEvent(of.op.command), of.life, c.w.now.Sub(of.op.claimedAt))
	case kind == string(durable.OutcomeUnknown) && of.op.pended < attempt: // that its work was handed on nobody can know
	case p.Async && attempt > of.op.failedAt && (early(p.Timeout) || early(p.Heartbeat)):
		c.w.fail("%s gives up attempt %d of %s of %s %v after it was handed on", a, attempt, describeEvent(of.op.command), of.life, c.w.now.Sub(since))
	}
}

// marked notes what an attempt, or a claim, says of itself.
func (c *check) marked(a *actor, item backend.Item) {
	of, ok := c.ops[item.Sort[strings.LastIndexByte(item.Sort, '#')+1:]]
	since, n := binary.Uvarint(item.Value[2:])
	if !ok || n <= 0 {
		c.w.fail("%s marks an attempt of what no history asks for: %s", a, item.Sort)
		return
	}
	if strings.HasPrefix(item.Sort, "c#") {
		of.op.claimedAt = time.UnixMilli(int64(since)) // its time is bounded from then on, however long the claim took
		return
	}
	if state := store.State(item.Sequence.Number); state >= store.Pending {
		of.op.pended = max(of.op.pended, uint32(item.Sequence.Generation))
	}
	details := string(item.Value[2+n:])
	if details == "" {
		return
	}
	beat, err := strconv.Atoi(details)
	if err != nil || beat > of.op.beat {
		c.w.fail("a heartbeat is kept that nobody gave: %s, %s", item.Sort, details)
	}
}

// lookedAfter reports whether a message that looks after an attempt has done what it is for.
func (o *op) lookedAfter(m *history.Message) bool {
	return o.reported || o.attempt > m.Attempt || m.Event.Failure == nil && o.watches > 1
}
