package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
)

// performer runs a made program, and notes what each node comes to.
type performer struct {
	w  *World
	in Made
	// changes: it is of a build that has the changes.
	changes bool
	clock   int
	// broken: something was.
	broken bool
}

// perform is the code of one version of the made orchestration.
func (w *World) perform(version uint32, build int) func(durable.Context, Made) ([]*Played, error) {
	return func(ctx durable.Context, in Made) ([]*Played, error) {
		// A build without the question goes on with a turn that one with it has begun where a segment ends between a mark and what
		// is asked for behind it. There all builds have the question.
		p := &performer{w: w, in: in, changes: build > 1 || w.plan.SegmentCommands+w.plan.SegmentBytes > 0}
		if in.Version != version && !in.Any {
			return nil, fmt.Errorf("it runs as version %d, and is of version %d", version, in.Version)
		}
		var failed error
		for i, part := range in.Parts {
			if part.Do == "renew" {
				next := in
				next.Parts, next.Done = in.Parts[i+1:], p.in.Done
				var opts []durable.RenewOption
				if part.N < madeVersions {
					next.Version = uint32(part.N)
					opts = append(opts, durable.Version(part.N))
				}
				if part.Final {
					opts = append(opts, durable.DropEvents)
				}
				return nil, madeOrch.ContinueAsNew(ctx, next, opts...)
			}
			o := &Played{ID: ctx.NewID()[:idPart]}
			p.in.Done = append(p.in.Done, o)
			if err := p.do(ctx, part, o); err != nil {
				failed = err
			}
			if p.broken {
				return nil, errBroken
			}
		}
		if failed != nil && in.Fails {
			return nil, errors.Join(errMade, failed)
		}
		return p.in.Done, nil
	}
}

// kinds are what an error is, as far as code tells errors apart.
func kinds(err error) string {
	var out []string
	var act *durable.ActivityError
	var orch *durable.OrchestrationError
	for _, k := range []struct {
		name string
		is   bool
	}{
		{"canceled", errors.Is(err, durable.ErrCanceled)},
		{"child", errors.As(err, &orch)},
		{"exists", errors.Is(err, durable.InstanceExists)},
		{"failed", errors.As(err, &act)},
		{"late", errors.Is(err, durable.ActivityTimedOut)},
		{"lost", errors.Is(err, durable.WorkerLost)},
		{"many", errors.Is(err, durable.ErrTooManyFailures)},
		{"saga", errors.Is(err, errSaga)},
		{"terminated", errors.Is(err, durable.InstanceTerminated)},
		{"timeout", errors.Is(err, durable.ErrTimeout)},
		{"unknown", errors.Is(err, durable.OutcomeUnknown)},
	} {
		if k.is {
			out = append(out, k.name)
		}
	}
	if err != nil && len(out) == 0 {
		return "unexpected: " + err.Error()
	}
	return strings.Join(out, "+")
}

func (p *performer) do(ctx durable.Context, n Node, o *Played) error {
	return p.note(ctx, o, func(o *Played) error { return p.node(ctx, n, o) })
}

// note notes what f comes to.
func (p *performer) note(ctx durable.Context, o *Played, f func(*Played) error) error {
	p.clock++
	o.From, o.At, o.Over = p.clock, ctx.Now().UnixMilli(), kinds(ctx.Err())
	err := f(o)
	p.clock++
	o.To, o.Till, o.Err = p.clock, ctx.Now().UnixMilli(), kinds(err)
	return err
}

// kid is where a child of a node notes what it comes to.
func (o *Played) kid() *Played {
	o.Kids = append(o.Kids, &Played{})
	return o.Kids[len(o.Kids)-1]
}

func (p *performer) node(ctx durable.Context, n Node, o *Played) (err error) {
	switch n.Do {
	case "call":
		o.V, err = work.Call(ctx, n.job())
		o.V = short64(o.V)
		p.breaks(n, err)
	case "hand":
		o.V, err = handed.Call(ctx, n.job())
	case "leave":
		work.Start(ctx, n.job())
	case "step", "check", "once":
		o.V, err = p.step(ctx, n)
	case "inline":
		o.V, err = inlined.Inline(func(context.Context, Job) (string, error) { return n.Key, p.w.inStep(n.Fails) }).Call(ctx, n.job())
	case "http":
		resp, e := durable.HTTP(ctx, n.asks())
		if o.V, err = "", e; e == nil {
			o.V = fmt.Sprintf("%d %s", resp.Status, resp.Body)
		}
		err = o.late(ctx, err)
	case "changed":
		return p.changed(ctx, n, o)
	case "status":
		ctx.SetStatus(n.Key)
	case "id":
		o.V = ctx.NewID()
	case "sleep":
		err = durable.Sleep(ctx, n.For)
	case "wait":
		var v int
		if v, err = goOn.Within(ctx, n.For); err == nil {
			o.V = fmt.Sprint(v)
		}
		err = o.late(ctx, err)
	case "hear":
		o.V, err = tell.Within(ctx, n.For)
		err = o.late(ctx, err)
	case "tell":
		to := p.in.Parent
		switch {
		case n.N == toItself:
			to = ctx.InstanceID()
		case n.N > 0 || to == "":
			to = fmt.Sprint("i", 1+n.N%p.in.Siblings)
		}
		err = tell.Send(ctx, to, n.Key)
	case "all":
		var futures []*durable.Future[string]
		for i := range n.N {
			futures = append(futures, work.Start(ctx, n.one(i)))
		}
		var values []string
		values, err = durable.All(ctx, futures...)
		o.V = strings.Join(values, " ")
	case "later":
		f := work.Start(ctx, n.job())
		err = p.seq(ctx, n.Kids, o)
		v, e := f.Await()
		o.V, err = v+kinds(e), errors.Join(err, e)
	case "child":
		return p.child(ctx, n, o)
	case "retry":
		return p.retry(ctx, n, o)
	case "seq":
		return p.seq(ctx, n.Kids, o)
	case "try":
		for _, kid := range n.Kids {
			_ = p.do(ctx, kid, o.kid())
		}
	case "detached":
		return p.seq(durable.Detached(ctx), n.Kids, o)
	case "saga":
		return p.saga(ctx, n, o)
	case "within":
		return p.within(ctx, n, o)
	case "flow":
		return p.flow(ctx, n, o)
	default:
		return p.abreast(ctx, n, o)
	}
	return err
}

// one is the job of a member of an all: the last of them fails.
func (n Node) one(i int) Job {
	j := Job{Key: fmt.Sprint(n.Key, ".", i)}
	if i == n.N-1 {
		j.Fails = n.Fails
	}
	return j
}

// short64 is a long result, so that histories stay short.
func short64(v string) string { return v[:min(len(v), 64)] }

// late makes a time-out of the wait's own a result; one of its scope stays an error.
func (o *Played) late(ctx durable.Context, err error) error {
	if errors.Is(err, durable.ErrTimeout) && ctx.Err() == nil {
		o.V = "late"
		return nil
	}
	return err
}

func (p *performer) step(ctx durable.Context, n Node) (string, error) {
	var opts []durable.StepOption
	switch n.Do {
	case "check":
		opts = append(opts, durable.Checkpoint)
	case "once":
		opts = append(opts, durable.AtMostOnce)
	}
	return durable.Step(ctx, n.Key, func(ctx context.Context) (string, error) {
		if n.Do == "once" {
			if err := p.w.begins(durable.IdempotencyKey(ctx), true); err != nil || n.Fails == 0 {
				return n.Key, err
			}
			return "", errStep
		}
		return n.Key, p.w.inStep(n.Fails)
	}, opts...)
}

// seq does one after the other, up to the first that fails.
func (p *performer) seq(ctx durable.Context, kids []Node, o *Played) error {
	for _, kid := range kids {
		if err := p.do(ctx, kid, o.kid()); err != nil {
			return err
		}
	}
	return nil
}

// changed is what builds after the first do otherwise, in instances that come to it after that.
func (p *performer) changed(ctx durable.Context, n Node, o *Played) (err error) {
	if p.changes && durable.Changed(ctx, n.Key) {
		o.N = 1
		o.V, err = other.Call(ctx, Job{Key: n.Key + ".new"})
	} else {
		o.V, err = work.Call(ctx, Job{Key: n.Key + ".old"})
	}
	if p.changes && durable.Changed(ctx, n.Key) != (o.N == 1) {
		o.V = "it has changed sides"
	}
	return err
}
