package worker_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// newFamily is a bench whose instance calls kid, which calls grandkid, which calls activities; what is broken fails, and both
// children make a call before.
func newFamily(t *testing.T) *bench {
	t.Helper()
	var b *bench
	b = newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		before, err := do.Call(ctx, "a")
		if err != nil {
			return "", err
		}
		v, err := childOrch.Call(ctx, "kid", durable.ID("kid"))
		return before + v, err
	})
	child := childOrch.Bind(func(ctx durable.Context, in string) (string, error) {
		if in == "grandkid" {
			return calls("d", "e")(b, ctx)
		}
		v, err := do.Call(ctx, "b")
		if err != nil {
			return "", err
		}
		w, err := childOrch.Call(ctx, "grandkid", durable.ID("grandkid"))
		if err != nil {
			return "", err
		}
		x, err := do.Call(ctx, "f")
		return v + w + x, err
	})
	b.deploy("build 2", append(slices.Clone(b.cfg.Handlers), child)...)
	return b
}

func (b *bench) life(id string) string {
	b.t.Helper()
	in, err := b.client.Get(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return in.Incarnation
}

func TestARewindRewindsTheChildrenThatFailed(t *testing.T) {
	t.Parallel()
	b := newFamily(t)
	b.fails("e")
	kid, grandkid := b.life("kid"), b.life("grandkid")
	b.broken["e"] = true
	b.rewind()
	b.is("one", durable.Failed)
	b.is("kid", durable.Failed)
	clear(b.broken)
	b.rewind()
	b.comesTo("ABDEF", "e", "e", "f")
	if b.life("kid") != kid || b.life("grandkid") != grandkid {
		t.Error("the children's lives are others than before")
	}
	b.is("kid", durable.Completed)
	b.is("grandkid", durable.Completed)
}

func TestARewindFindsAChildThatWasRewoundAlready(t *testing.T) {
	t.Parallel()
	for _, runs := range []bool{false, true} {
		b := newFamily(t)
		b.fails("f")
		b.manage("kid", durable.Rewind, "alone")
		if runs {
			b.orchestrate() // what it asks for is on its way
			b.is("kid", durable.Running)
		} else {
			b.settle()
			b.is("kid", durable.Completed)
		}
		b.is("one", durable.Failed) // nobody tells it
		b.rewind()
		b.comesTo("ABDEF", "f")
	}
}

func TestARewindStartsAChildAnewThatIsGoneOrWasTerminated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(*bench)
		runs   []string
	}{
		"purged": {func(b *bench) {
			if err := b.client.Purge(b.t.Context(), "kid"); err != nil {
				b.t.Fatal(err)
			}
		}, []string{"b", "d", "e", "f"}},
		"replaced": {func(b *bench) {
			if _, err := childOrch.Submit(b.t.Context(), b.client, "grandkid", durable.ID("kid")); err != nil {
				b.t.Fatal(err)
			}
			b.settle()
		}, []string{"d", "e", "b", "d", "e", "f"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFamily(t)
			b.fails("f")
			c.before(b)
			b.rewind()
			if in := b.is("one", durable.Failed); in.Failure.Kind != string(durable.InstanceGone) {
				t.Errorf("the failure is %+v, want one of kind InstanceGone", in.Failure)
			}
			b.rewind()
			b.comesTo("ABDEF", c.runs...)
		})
	}
	t.Run("terminated", func(t *testing.T) {
		t.Parallel()
		b := newFamily(t)
		b.submit("one")
		for b.orchestrate(); !slices.Contains(b.runs, "a"); b.orchestrate() {
			b.work()
		}
		b.orchestrate()
		b.manage("kid", durable.Terminate, "too slow")
		b.orchestrate()
		b.is("one", durable.Failed)
		b.settle()
		b.runs = nil
		b.rewind()
		b.comesTo("ABDEF", "b", "d", "e", "f")
	})
}

func TestARewindKeepsWhatAChildBehindTheFailureHasCome(t *testing.T) {
	t.Parallel()
	var b *bench
	b = newBench(t, worker.Config{}, func(_ *bench, ctx durable.Context) (string, error) {
		first := durable.Go(ctx, func(ctx durable.Context) (string, error) { return calls("a")(b, ctx) })
		other := durable.Go(ctx, func(ctx durable.Context) (string, error) {
			v, err := calls("x", "y")(b, ctx)
			if err != nil {
				return "", err
			}
			w, err := childOrch.Call(ctx, "kid", durable.ID("kid"))
			return v + w, err
		})
		v, err := first.Await()
		w, err2 := other.Await()
		return v + w, errors.Join(err, err2)
	})
	b.deploy("build 2", append(slices.Clone(b.cfg.Handlers), childOrch.Bind(func(ctx durable.Context, _ string) (string, error) {
		return calls("k", "l")(b, ctx)
	}))...)
	b.fails("a", "l")
	kid := b.life("kid")
	b.rewind()
	b.comesTo("AXYKL", "a", "l")
	if b.life("kid") != kid {
		t.Error("the child's life is another than before")
	}
}

// A child that failed because one of its own was terminated is rewound: what it had come to stands.
func TestARewindGoesThroughAChildWhoseChildWasTerminated(t *testing.T) {
	t.Parallel()
	b := newFamily(t)
	b.submit("one")
	for b.orchestrate(); !slices.Contains(b.runs, "b"); b.orchestrate() {
		b.work()
	}
	b.orchestrate()
	b.manage("grandkid", durable.Terminate, "too slow")
	b.orchestrate()
	in := b.is("one", durable.Failed)
	kid := b.life("kid")
	if in.Failure.Causes[0].Instance != "kid" || in.Failure.Causes[0].Causes[0].Instance != "grandkid" {
		t.Errorf("it failed of %+v", in.Failure)
	}
	b.settle()
	b.runs = nil
	b.rewind()
	b.comesTo("ABDEF", "d", "e", "f")
	if b.life("kid") != kid {
		t.Error("the child's life is another than before")
	}
}
