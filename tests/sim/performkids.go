package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

func (p *performer) within(ctx durable.Context, n Node, o *Played) error {
	inner, cancel := durable.WithTimeout(ctx, n.For)
	defer cancel()
	err := p.seq(inner, n.Kids, o)
	o.V = kinds(inner.Err())
	if ctx.Err() == nil && inner.Err() != nil {
		return nil // that it was late is no failure
	}
	return err
}

// flow takes N events, or those that come within its time.
func (p *performer) flow(ctx durable.Context, n Node, o *Played) error {
	inner, cancel := durable.WithTimeout(ctx, n.For)
	defer cancel()
	for v, err := range tell.All(inner) {
		_ = p.note(inner, o.kid(), func(o *Played) error {
			o.V = v
			return err
		})
		if err == nil && len(o.Kids) == n.N {
			return nil
		}
	}
	return ctx.Err()
}

func (p *performer) saga(ctx durable.Context, n Node, o *Played) (err error) {
	s := durable.NewSaga(ctx)
	defer s.End(&err)
	for i, kid := range n.Kids {
		undo.Compensate(s, Job{Key: n.undo(i)})
		if err := p.do(ctx, kid, o.kid()); err != nil {
			return err
		}
	}
	if n.Final {
		return errSaga
	}
	return nil
}

func (n Node) undo(i int) string { return fmt.Sprint(n.Key, ".undo", i) }

// try is the job of an attempt of a retry: the first ones fail.
func (n Node) try(attempt int) Job {
	j := Job{Key: fmt.Sprint(n.Key, ".", attempt), Final: true}
	if attempt <= n.N {
		j.Fails = attempts
	}
	return j
}

func (p *performer) retry(ctx durable.Context, n Node, o *Played) error {
	_, err := durable.Retrying(ctx, func(attempt int) (string, error) {
		return "", p.note(ctx, o.kid(), func(o *Played) (err error) {
			o.V, err = work.Call(ctx, n.try(attempt))
			return err
		})
	}, func(attempt int, _ error) (time.Duration, bool) { return n.For, attempt < n.M })
	return err
}

func (p *performer) child(ctx durable.Context, n Node, o *Played) error {
	in := Made{Parts: n.Kids, Parent: ctx.InstanceID(), Version: 2, Fails: n.Final, Siblings: p.in.Siblings, Frail: p.in.Frail}
	opts := []durable.ChildOption{durable.ParentClose(n.N)}
	if n.M < madeVersions {
		in.Version = uint32(n.M)
		opts = append(opts, durable.Version(n.M))
	}
	c := madeOrch.Start(ctx, in, opts...)
	if o.V = c.ID(); n.Fails > 0 {
		return nil
	}
	_, err := c.Await()
	p.breaks(n, err)
	return err
}

// abreast runs the kids together.
func (p *performer) abreast(ctx durable.Context, n Node, o *Played) error {
	for range n.Kids {
		o.kid()
	}
	run := func(i int) func(durable.Context) (string, error) {
		return func(ctx durable.Context) (string, error) { return "", p.do(ctx, n.Kids[i], o.Kids[i]) }
	}
	switch n.Do {
	case "group":
		g := durable.NewGroup(ctx)
		for i := range n.Kids {
			g.Go(func(ctx durable.Context) error { return p.do(ctx, n.Kids[i], o.Kids[i]) })
		}
		err := g.Wait()
		o.V = kinds(ctx.Err())
		return err
	case "map", "least", "share":
		return p.parallel(ctx, n, o, run)
	case "cancel":
		inner, cancel := durable.WithCancel(ctx)
		f := durable.Go(inner, run(0))
		_, err := run(1)(ctx)
		cancel()
		_, _ = f.Await()
		o.V = kinds(inner.Err())
		return err
	}
	inner, cancel := ctx, func() {}
	if n.Do == "first" {
		inner, cancel = durable.WithCancel(ctx)
		defer cancel()
	}
	var futures []*durable.Future[string]
	var any []durable.Awaitable
	for i := range n.Kids {
		futures = append(futures, durable.Go(inner, run(i)))
		any = append(any, futures[i])
	}
	switch n.Do {
	case "first":
		won := durable.First(ctx, any...)
		o.V = kinds(ctx.Err())
		cancel()
		var err error
		for i, f := range futures {
			_, e := f.Await()
			if any[i] == won {
				o.N, err = i, e
			}
		}
		return err
	case "completed":
		var order []string
		var errs []error
		for f := range durable.AsCompleted(ctx, futures...) {
			_, err := f.Await()
			order = append(order, fmt.Sprint(slices.Index(futures, f)))
			if errs = append(errs, err); len(order) == n.N {
				break
			}
		}
		o.V = strings.Join(order, " ")
		return errors.Join(errs...)
	}
	_, err := durable.All(ctx, futures...)
	return err
}

// parallel is a map: N at a time; M-1 failures are tolerated, or M successes are enough, or M quarters may fail.
func (p *performer) parallel(ctx durable.Context, n Node, o *Played, run func(int) func(durable.Context) (string, error)) error {
	var opts []durable.MapOption
	if n.N > 0 {
		opts = append(opts, durable.Concurrency(n.N))
	}
	switch {
	case n.Do == "least":
		opts = append(opts, durable.AtLeast(n.M))
	case n.Do == "share":
		opts = append(opts, durable.TolerateShare(float64(n.M)/4))
	case n.M > 0:
		opts = append(opts, durable.Tolerate(n.M-1))
	}
	var fs []func(durable.Context) (string, error)
	now := 0
	for i := range n.Kids {
		fs = append(fs, func(ctx durable.Context) (string, error) {
			now++
			o.N = max(o.N, now)
			defer func() { now-- }()
			return run(i)(ctx)
		})
	}
	results, err := durable.Parallel(ctx, fs, opts...)
	for _, r := range results {
		o.V += map[bool]string{true: "d", false: "."}[r.Done]
	}
	return err
}
