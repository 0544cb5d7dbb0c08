package worker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// What a queue has lost of a child, a repair of its parent sends again.
func TestARepairOfAParent(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"start", "outcome"} {
		h := family(t, func(ctx durable.Context, in string) (string, error) {
			return childOrch.Call(ctx, in, durable.ID("kid"))
		})
		h.parent("wait")
		h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
		if lost == "start" {
			h.take(h.ports.Wake)
		} else {
			h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
			h.manage("kid", durable.Terminate, "")
			h.done(h.Inbox(t.Context(), h.take(h.ports.Inbox)))
			h.take(h.ports.Inbox)
		}
		h.now = h.now.Add(time.Hour)
		c, err := h.Checkup(t.Context(), "parent")
		if err != nil || len(c.Open) != 1 || c.Open[0].Child != "kid" || !c.Open[0].Until.Before(h.now) {
			t.Fatalf("%s: the parent waits for %+v, %v", lost, c, err)
		}
		if open, err := h.Repair(t.Context(), "parent"); err != nil || len(open) != 1 {
			t.Fatalf("%s: sent again: %+v, %v", lost, open, err)
		}
		h.settle()
		if lost == "start" {
			h.is("kid", durable.Running)
			if c, err := h.Checkup(t.Context(), "parent"); err != nil || len(c.Open) != 0 {
				t.Errorf("the parent waits for %+v, %v", c.Open, err)
			}
			continue
		}
		h.is("parent", durable.Failed)
	}
}

// A rewind of a parent goes through its children: only what failed in them runs again.
func TestARewindGoesThroughChildren(t *testing.T) {
	t.Parallel()
	b := newBench(t, worker.Config{}, func(*bench, durable.Context) (string, error) { return "", nil })
	body := func(deeper bool) func(durable.Context, string) (string, error) {
		return func(ctx durable.Context, in string) (string, error) {
			before, err := do.Call(ctx, in+" before")
			if err != nil {
				return "", err
			}
			next := func() (string, error) { return do.Call(ctx, "leaf") }
			if deeper {
				next = func() (string, error) { return childOrch.Call(ctx, "kid", durable.ID("kid")) }
			}
			v, err := next()
			return before + "+" + v, err
		}
	}
	b.deploy("build 2", append(b.cfg.Handlers, parentOrch.Bind(body(true)), childOrch.Bind(body(false)))...)
	b.broken["leaf"] = true
	b.parent("parent")
	b.settle()
	b.is("parent", durable.Failed)
	first := b.is("kid", durable.Failed).Incarnation
	clear(b.broken)
	b.runs = nil
	b.manage("parent", durable.Rewind, "")
	b.settle()
	b.completes("PARENT BEFORE+KID BEFORE+LEAF")
	if in := b.is("kid", durable.Completed); in.Incarnation != first || strings.Join(b.runs, ",") != "leaf" {
		t.Errorf("the child began anew, or ran %v again", b.runs)
	}
}

// What a child has come to in the meantime, its parent learns when it asks again.
func TestARewindOfAParentWhoseChild(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		then func(*bench)
		want string
	}{
		{"runs", func(b *bench) {}, "heard yes"},
		{"has completed", func(b *bench) { b.tell("kid"); b.settle() }, "heard yes"},
		{"was terminated", func(b *bench) { b.manage("kid", durable.Terminate, "enough"); b.settle() }, "instance kid is Terminated: enough"},
		{"was purged", func(b *bench) {
			b.manage("kid", durable.Terminate, "enough")
			b.settle()
			if err := b.client.Purge(b.t.Context(), "kid"); err != nil {
				b.t.Fatal(err)
			}
		}, "instance kid is Failed: the instance kid was purged or replaced"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, worker.Config{}, func(*bench, durable.Context) (string, error) { return "", nil })
			b.deploy("build 2", append(b.cfg.Handlers, parentOrch.Bind(func(ctx durable.Context, in string) (string, error) {
				kid := childOrch.Start(ctx, in, durable.ID("kid"))
				if _, err := do.Call(ctx, "work"); err != nil {
					return "", err
				}
				v, err := kid.Await()
				if err != nil {
					return err.Error(), nil
				}
				return v, nil
			}), childOrch.Bind(func(ctx durable.Context, _ string) (string, error) {
				v, err := say.Next(ctx).Await()
				return "heard " + v, err
			}))...)
			b.broken["work"] = true
			b.parent("in")
			b.settle()
			b.is("parent", durable.Failed)
			clear(b.broken)
			c.then(b)
			b.manage("parent", durable.Rewind, "")
			b.settle()
			if c.name == "runs" {
				b.is("parent", durable.Running)
				b.tell("kid")
				b.settle()
			}
			b.completes(c.want)
		})
	}
}

func TestAFamilyIsPurged(t *testing.T) {
	t.Parallel()
	h := family(t, func(ctx durable.Context, in string) (string, error) {
		childOrch.Start(ctx, "nest", durable.ID("kid"))
		_, err := childOrch.Call(ctx, "Ada", durable.ID("other"))
		return "", err
	})
	h.parent("")
	h.settle()
	h.submitOther()
	if n, err := durable.PurgeTree(t.Context(), h.client, "parent"); n != 0 || !errors.Is(err, durable.ErrNotEnded) || !strings.Contains(err.Error(), "kid") {
		t.Fatalf("%d purged, %v", n, err)
	}
	h.manage("grandchild", durable.Terminate, "")
	h.settle()
	if n, err := durable.PurgeTree(t.Context(), h.client, "parent"); n != 3 || err != nil {
		t.Fatalf("%d purged, %v", n, err)
	}
	for _, id := range []string{"parent", "kid", "grandchild"} {
		if _, err := h.client.Get(t.Context(), id); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if in := h.is("other", durable.Running); in.Parent != "" {
		t.Errorf("what has the id of a child now is %+v", in)
	}
}

// submitOther starts an instance of its own under an id that a child had.
func (h *hub) submitOther() {
	h.t.Helper()
	h.now = h.now.Add(time.Second)
	if _, err := childOrch.Submit(h.t.Context(), h.client, "wait", durable.ID("other")); err != nil {
		h.t.Fatal(err)
	}
	h.settle()
}

// tell raises the event that the child waits for.
func (b *bench) tell(id string) {
	b.t.Helper()
	if err := say.Raise(b.t.Context(), b.client, id, "yes"); err != nil {
		b.t.Fatal(err)
	}
}
