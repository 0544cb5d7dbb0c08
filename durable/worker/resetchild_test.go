package worker_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

type delivery = backend.Delivery

// newParent is a bench whose instance calls an activity, and then a child with its result: the child calls an activity with that, and
// waits for an event.
func newParent(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, worker.Config{Warm: 1 << 20}, func(_ *bench, ctx durable.Context) (string, error) {
		v, err := do.Call(ctx, "a")
		if err != nil {
			return "", err
		}
		w, err := childOrch.Call(ctx, v)
		return v + w, err
	})
	child := childOrch.Bind(func(ctx durable.Context, in string) (string, error) {
		v, err := do.Call(ctx, in)
		_, err2 := yes.Next(ctx).Await()
		return v, errors.Join(err, err2)
	})
	b.deploy("build 2", append(slices.Clone(b.cfg.Handlers), child)...)
	b.submit("one")
	b.settle()
	b.runs = nil
	return b
}

// kid is the child that the instance's newest history asks for.
func (b *bench) kid() string {
	b.t.Helper()
	id := ""
	for _, e := range slices.Concat(b.segments("one")...) {
		if e.Target != nil {
			id = e.Target.Instance
		}
	}
	return id
}

// until runs what can run, and puts back what is to come again, until the child is as it should be.
func (b *bench) until(status durable.Status) {
	b.t.Helper()
	for range 20 {
		b.now = b.now.Add(time.Minute)
		for _, d := range b.take(b.ports.Wake) {
			if o := b.Wake(b.t.Context(), []delivery{d}); !o[0].Ack {
				b.later = append(b.later, d)
			}
		}
		for _, d := range b.take(b.ports.Inbox) {
			if o := b.Inbox(b.t.Context(), []delivery{d}); !o[0].Ack {
				b.t.Fatalf("put back: %+v", o[0])
			}
		}
		b.work()
		again := b.later
		b.later = nil
		for _, d := range again {
			if o := b.Wake(b.t.Context(), []delivery{d}); !o[0].Ack {
				b.later = append(b.later, d)
			}
		}
	}
	b.is(b.kid(), status)
}

func TestAResetEndsTheChildrenBehindTheCut(t *testing.T) {
	t.Parallel()
	b := newParent(t)
	old := b.life(b.kid())
	if err := b.client.Reset(t.Context(), resetOf("0", "result", `"x"`)); err != nil {
		t.Fatal(err)
	}
	b.until(durable.Running)
	if b.life(b.kid()) == old {
		t.Error("the child goes on, and was asked for with another input")
	}
	b.raise(b.kid())
	b.until(durable.Completed)
	b.comesTo("xX", "x")
}

func TestAChildFromBeforeTheCutGoesOn(t *testing.T) {
	t.Parallel()
	var b *bench
	b = newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		kid := childOrch.Start(ctx, "k")
		v, err := do.Call(ctx, "a")
		w, err2 := do.Call(ctx, "b")
		x, err3 := kid.Await()
		return v + w + x, errors.Join(err, err2, err3)
	})
	b.deploy("build 2", append(slices.Clone(b.cfg.Handlers), childOrch.Bind(func(ctx durable.Context, in string) (string, error) {
		_, err := yes.Next(ctx).Await()
		return in, err
	}))...)
	b.submit("one")
	b.settle()
	b.runs = nil
	old := b.life(b.kid())
	b.reset("1", "result", `"X"`)
	b.raise(b.kid())
	b.settle()
	b.comesTo("XBk", "b")
	if b.life(b.kid()) != old {
		t.Error("the child was started anew")
	}
	b.runs = nil
	b.reset("0", "input", `"other"`) // it has completed: another life of it
	b.raise(b.kid())
	b.settle()
	b.comesTo("XBother")
	if b.life(b.kid()) == old {
		t.Error("the child was not started anew")
	}
}

func TestAChildIsGivenAResult(t *testing.T) {
	t.Parallel()
	b := newParent(t)
	if err := b.client.Reset(t.Context(), resetOf("1", "result", `"R"`)); err != nil {
		t.Fatal(err)
	}
	b.until(durable.Terminated) // nobody waits for it any more
	b.comesTo("AR")
}

func TestAResetOfATerminatedFamilyStartsTheChildrenAnew(t *testing.T) {
	t.Parallel()
	b := newParent(t)
	old := b.life(b.kid())
	if err := b.client.Manage(t.Context(), durable.ManageRequest{Instance: "one", Command: durable.Terminate, Recursive: true}); err != nil {
		t.Fatal(err)
	}
	b.until(durable.Terminated)
	if err := b.client.Reset(t.Context(), resetOf("1")); err != nil {
		t.Fatal(err)
	}
	b.until(durable.Running)
	if b.life(b.kid()) == old {
		t.Error("the child is the one that was terminated")
	}
	b.raise(b.kid())
	b.until(durable.Completed)
	b.comesTo("AA", "A")
}

func TestAChildThatWasToEndIsStartedAnewWhereverTheResetCuts(t *testing.T) {
	t.Parallel()
	var b *bench
	b = newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		kid := childOrch.Start(ctx, "k")
		v, err := do.Call(ctx, "a")
		w, err2 := kid.Await()
		return v + w, errors.Join(err, err2)
	})
	b.deploy("build 2", append(slices.Clone(b.cfg.Handlers), childOrch.Bind(func(ctx durable.Context, in string) (string, error) {
		_, err := yes.Next(ctx).Await()
		return in, err
	}))...)
	b.submit("one")
	b.settle()
	b.runs = nil
	if err := b.client.Manage(t.Context(), durable.ManageRequest{Instance: "one", Command: durable.Terminate, Recursive: true}); err != nil {
		t.Fatal(err)
	}
	b.until(durable.Terminated)
	if err := b.client.Reset(t.Context(), resetOf("1", "result", `"X"`)); err != nil {
		t.Fatal(err)
	}
	b.until(durable.Running)
	b.raise(b.kid())
	b.until(durable.Completed)
	b.comesTo("Xk")
}
