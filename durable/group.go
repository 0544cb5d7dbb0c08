package durable

import "github.com/durable-lambda/durable-lambda/internal/replay"

// Group runs functions in coroutines of their own, in a scope that the first error ends: what the others wait for is given up
// then. It is for functions that are parts of one task, as package errgroup is:
//
//	g := durable.NewGroup(ctx)
//	g.Go(func(ctx durable.Context) (err error) { hold, err = ReserveStock.Call(ctx, order); return err })
//	g.Go(func(ctx durable.Context) (err error) { charge, err = ChargeCard.Call(ctx, order); return err })
//	err := g.Wait()
type Group struct {
	ctx    Context
	cancel func()
	runs   []*replay.Promise
	err    error
}

// NewGroup returns a group without functions. Its scope is within ctx's.
func NewGroup(ctx Context) *Group {
	inner, cancel := WithCancel(ctx)
	return &Group{ctx: inner, cancel: cancel}
}

// Go runs f with the group's context, like the function Go. Functions of the group may call it as well, but nobody may after Wait.
func (g *Group) Go(f func(Context) error) {
	g.runs = append(g.runs, g.ctx.run.Go(func() {
		if err := f(g.ctx); err != nil && g.err == nil {
			g.err = err
			g.cancel()
		}
	}))
}

// Wait waits until all functions have returned, also those that were given up, ends the scope, and returns the error that came
// first.
func (g *Group) Wait() error {
	for i := 0; i < len(g.runs); i++ { // it may grow meanwhile
		g.ctx.run.Await(g.runs[i])
	}
	g.cancel()
	return g.err
}
