package worker_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

var (
	parentOrch = durable.NewOrchestration[string, string]("Parent")
	childOrch  = durable.NewOrchestration[string, string]("Child")
)

// family is a hub with a parent of that body, and a child that does what its input says.
func family(t *testing.T, body func(durable.Context, string) (string, error)) *hub {
	t.Helper()
	return newHub(t, worker.Config{}, greet.Bind(greetBody), parentOrch.Bind(body),
		childOrch.Bind(func(ctx durable.Context, in string) (string, error) {
			switch in {
			case "wait":
				v, err := say.Next(ctx).Await()
				return "heard " + v, err
			case "fail":
				return "", fmt.Errorf("the bank said no: %w", declined)
			case "again":
				return "", childOrch.ContinueAsNew(ctx, "once more")
			case "large":
				return strings.Repeat("x", hist.InlinePayload+1), nil
			case "nest":
				return childOrch.Call(ctx, "wait", durable.ID("grandchild"))
			}
			return greet.Call(ctx, in)
		}))
}

func (h *hub) parent(input string) {
	h.t.Helper()
	if _, err := parentOrch.Submit(h.t.Context(), h.client, input, durable.ID("parent")); err != nil {
		h.t.Fatal(err)
	}
}

// completes fails unless the parent has completed with that output.
func (h *hub) completes(want string) {
	h.t.Helper()
	out, err := json.Marshal(want)
	if in := h.is("parent", durable.Completed); err != nil || string(in.Output) != string(out) {
		h.t.Errorf("the parent's output is %s, want %s", in.Output, out)
	}
}

func TestAChildIsCalled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"Ada", "Hello, Ada"},
		{"again", "Hello, once more"},
		{"large", strings.Repeat("x", hist.InlinePayload+1)},
	} {
		h := family(t, func(ctx durable.Context, in string) (string, error) { return childOrch.Call(ctx, in) })
		h.parent(c.in)
		h.settle()
		h.completes(c.want)
	}
}

func TestAChildIsAnInstance(t *testing.T) {
	t.Parallel()
	var id string
	h := family(t, func(ctx durable.Context, in string) (string, error) {
		c := childOrch.Start(ctx, in, durable.Tag("team", "blue"))
		id = c.ID()
		return c.Await()
	})
	h.parent("wait")
	h.settle()
	in := h.is(id, durable.Running)
	if !strings.HasPrefix(id, "parent:0-") || in.Name != "Child" || in.Parent != "parent" || in.Tags["team"] != "blue" {
		t.Errorf("the child is %s: %+v", id, in)
	}
	if err := say.Raise(t.Context(), h.client, id, "yes"); err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.completes("heard yes")
}

func TestAChildFails(t *testing.T) {
	t.Parallel()
	h := family(t, func(ctx durable.Context, in string) (string, error) {
		_, err := childOrch.Call(ctx, in, durable.ID("kid"))
		var failed *durable.OrchestrationError
		if !errors.As(err, &failed) || failed.Instance != "kid" || failed.Status != durable.Failed || !errors.Is(err, declined) {
			return fmt.Sprintf("%+v", err), nil
		}
		return "", err
	})
	h.parent("fail")
	h.settle()
	in := h.is("parent", durable.Failed)
	if in.Failure.Kind != string(declined) || in.Failure.Message != "instance kid is Failed: the bank said no: Declined" {
		t.Errorf("the failure is %+v", in.Failure)
	}
}

func TestAChildIsTerminated(t *testing.T) {
	t.Parallel()
	h := family(t, func(ctx durable.Context, in string) (string, error) {
		_, err := childOrch.Call(ctx, in, durable.ID("kid"))
		return fmt.Sprint(errors.Is(err, durable.InstanceTerminated), " ", err), nil
	})
	h.parent("wait")
	h.settle()
	h.manage("kid", durable.Terminate, "enough")
	h.settle()
	h.completes("true instance kid is Terminated: enough")
}

// The id of an instance that runs is taken; that of one which has ended is free.
func TestTheIdOfAChild(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(*hub)
		id     string
		want   string
	}{
		{"taken", func(h *hub) { h.submit("kid") }, "kid", "true false instance kid is Failed: the id kid is in use by a run of Hello"},
		{"ended", func(h *hub) { h.submit("kid"); h.manage("kid", durable.Terminate, "") }, "kid", "false false <nil>"},
		{"purged", func(h *hub) {
			h.submit("kid")
			h.manage("kid", durable.Terminate, "")
			h.settle()
			if err := h.client.Purge(h.t.Context(), "kid"); err != nil {
				h.t.Fatal(err)
			}
		}, "kid", "false false <nil>"},
		{"the parent's own", func(*hub) {}, "parent", "true false instance parent is Failed: a child cannot have the id of its parent"},
		{"never right", func(*hub) {}, "a/b", "false true instance a/b is Failed: invalid request: the instance id \"a/b\" contains '/'; / \\ # ? and control characters are not allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := family(t, func(ctx durable.Context, in string) (string, error) {
				_, err := childOrch.Call(ctx, in, durable.ID(c.id))
				return fmt.Sprint(errors.Is(err, durable.InstanceExists), " ", errors.Is(err, durable.ErrInvalid), " ", err), nil
			})
			c.before(h)
			h.settle()
			h.now = h.now.Add(time.Second)
			h.parent("Ada")
			h.settle()
			h.completes(c.want)
		})
	}
}

// The clock may stand still between two lives of an id.
func TestAnIdIsUsedTwiceInAMillisecond(t *testing.T) {
	t.Parallel()
	for range 10 {
		h := family(t, func(ctx durable.Context, in string) (string, error) {
			out := ""
			for _, in := range []string{"a", "b", "c"} {
				v, err := childOrch.Call(ctx, in, durable.ID("kid"))
				if err != nil {
					return "", err
				}
				out += v
			}
			return out, nil
		})
		h.parent("")
		h.settle()
		h.completes("Hello, aHello, bHello, c")
	}
}

// Whether an id is taken is decided once: the start that comes again when the id is free finds it decided.
func TestAChildWhoseIdWasTakenDoesNotRunLater(t *testing.T) {
	t.Parallel()
	runs := 0
	h := family(t, func(ctx durable.Context, in string) (string, error) {
		_, err := childOrch.Call(ctx, in, durable.ID("kid"))
		runs++
		return fmt.Sprint(err != nil), nil
	})
	h.submit("kid")
	h.settle()
	h.parent("Ada")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	starts := h.take(h.ports.Wake)
	h.done(h.Wake(t.Context(), starts))
	h.take(h.ports.Inbox) // the parent's worker has lost the answer
	h.manage("kid", durable.Terminate, "")
	h.settle()
	h.now = h.now.Add(time.Hour)
	h.done(h.Wake(t.Context(), starts)) // and so the start comes again
	h.settle()
	h.completes("true")
	if in := h.is("kid", durable.Terminated); in.Name != "Hello" || runs != 1 {
		t.Errorf("the instance kid is %+v after %d runs", in, runs)
	}
}

// A start that comes when a newer life has had the id, and ended, is too late: lives of an id are in order.
func TestAChildWhoseStartIsLate(t *testing.T) {
	t.Parallel()
	h := family(t, func(ctx durable.Context, in string) (string, error) {
		_, err := childOrch.Call(ctx, in, durable.ID("kid"))
		return fmt.Sprint(errors.Is(err, durable.InstanceExists)), nil
	})
	h.parent("Ada")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	start := h.take(h.ports.Wake)
	h.now = h.now.Add(time.Minute)
	h.submit("kid")
	h.settle()
	h.manage("kid", durable.Terminate, "")
	h.settle()
	h.done(h.Wake(t.Context(), start))
	h.settle()
	h.completes("true")
	if in := h.is("kid", durable.Terminated); in.Name != "Hello" {
		t.Errorf("the instance kid is of %s", in.Name)
	}
}

func TestWhatBecomesOfAChildWhenItsParentEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		close durable.ParentClose
		want  durable.Status
	}{{durable.AbandonChild, durable.Running}, {durable.TerminateChild, durable.Terminated}} {
		h := family(t, func(ctx durable.Context, in string) (string, error) {
			childOrch.Start(ctx, in, durable.ID("kid"), c.close)
			return "", nil
		})
		h.parent("wait")
		h.settle()
		h.is("parent", durable.Completed)
		h.is("kid", c.want)
	}
	h := family(t, func(ctx durable.Context, in string) (string, error) {
		within, cancel := durable.WithCancel(ctx)
		childOrch.Start(within, in, durable.ID("kid"), durable.WaitForChild)
		cancel()
		return "", nil
	})
	h.parent("wait")
	h.settle()
	h.is("parent", durable.Running)
	if err := say.Raise(t.Context(), h.client, "kid", "yes"); err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.is("parent", durable.Completed)
}

// What terminates a child comes back until its start has come: if it were dropped, the child would run for ever.
func TestATerminateWaitsForTheStartOfTheChild(t *testing.T) {
	t.Parallel()
	h := family(t, func(ctx durable.Context, in string) (string, error) {
		childOrch.Start(ctx, in, durable.ID("kid"), durable.TerminateChild)
		return "", nil
	})
	h.parent("wait")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	starts, ends := h.take(h.ports.Wake), h.take(h.ports.Inbox)
	if len(starts) != 1 || len(ends) != 1 {
		t.Fatalf("there are %d starts and %d terminates", len(starts), len(ends))
	}
	if o := h.Inbox(t.Context(), ends); o[0].Ack || o[0].Err == nil {
		t.Fatalf("the terminate is done: %+v", o)
	}
	h.now = h.now.Add(7 * time.Hour)
	if o := h.Inbox(t.Context(), ends); o[0].Ack {
		t.Fatal("the terminate is given up after one more receive")
	}
	lost := ends[0]
	lost.Receives = 21
	h.done(h.Inbox(t.Context(), []backend.Delivery{lost}))
	h.done(h.Wake(t.Context(), starts))
	h.done(h.Inbox(t.Context(), ends))
	h.settle()
	h.is("kid", durable.Terminated)
}

func TestARecursiveTerminate(t *testing.T) {
	t.Parallel()
	for _, recursive := range []bool{false, true} {
		h := family(t, func(ctx durable.Context, in string) (string, error) {
			return childOrch.Call(ctx, in, durable.ID("kid"))
		})
		h.parent("nest")
		h.settle()
		if err := h.client.Manage(t.Context(), durable.ManageRequest{Instance: "parent", Command: durable.Terminate, Recursive: recursive}); err != nil {
			t.Fatal(err)
		}
		h.settle()
		want := durable.Running
		if recursive {
			want = durable.Terminated
		}
		h.is("parent", durable.Terminated)
		h.is("kid", want)
		h.is("grandchild", want)
	}
}

func TestAnEventForAnotherInstance(t *testing.T) {
	t.Parallel()
	h := family(t, func(ctx durable.Context, in string) (string, error) {
		kid := childOrch.Start(ctx, "wait", durable.ID("kid"))
		if _, err := greet.Call(ctx, "kid"); err != nil { // it has begun by then
			return "", err
		}
		if err := say.Send(ctx, "nobody", "is lost"); err != nil {
			return "", err
		}
		if err := say.Send(ctx, "kid", in); err != nil {
			return "", err
		}
		return kid.Await()
	})
	h.parent("hello")
	h.settle()
	h.completes("heard hello")
}

// Whoever sends an event again sends the same one.
func TestAnEventForAnotherInstanceComesOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, parentOrch.Bind(func(ctx durable.Context, in string) (string, error) {
		return "", say.Send(ctx, "other", in)
	}), childOrch.Bind(func(ctx durable.Context, _ string) (string, error) {
		a, err := say.Next(ctx).Await()
		if err != nil {
			return "", err
		}
		b, err := say.Next(ctx).Await()
		return a + b, err
	}))
	if _, err := childOrch.Submit(t.Context(), h.client, "", durable.ID("other")); err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.parent("a")
	start := h.take(h.ports.Wake)
	h.done(h.Wake(t.Context(), start))
	first := h.take(h.ports.Inbox)
	if _, err := h.Repair(t.Context(), "parent"); err != nil {
		t.Fatal(err)
	}
	again := h.take(h.ports.Inbox)
	if len(first) != 1 || len(again) != 0 { // the queue knows it
		t.Fatalf("it was sent as %d messages, and again as %d", len(first), len(again))
	}
	h.done(h.Inbox(t.Context(), first))
	h.done(h.Inbox(t.Context(), first))
	h.is("other", durable.Running)
	if err := say.Raise(t.Context(), h.client, "other", "b"); err != nil {
		t.Fatal(err)
	}
	h.settle()
	if in := h.is("other", durable.Completed); string(in.Output) != `"ab"` {
		t.Errorf("the output is %s", in.Output)
	}
}

func TestAChildUnderAnotherIdThanBefore(t *testing.T) {
	t.Parallel()
	body := func(id string) durable.Handler {
		return parentOrch.Bind(func(ctx durable.Context, in string) (string, error) {
			return childOrch.Call(ctx, in, durable.ID(id))
		})
	}
	h := newHub(t, worker.Config{}, body("kid"))
	h.parent("wait")
	h.orchestrate()
	h.deploy("build 2", body("another"))
	h.raise("parent")
	h.orchestrate()
	if in := h.is("parent", durable.Suspended); !strings.Contains(in.SuspendReason, "with instance another instead of kid") {
		t.Errorf("the reason is %s", in.SuspendReason)
	}
}
