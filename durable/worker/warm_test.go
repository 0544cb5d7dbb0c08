package worker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// counted is a hub whose worker keeps instances warm, and whose reads of histories are counted.
func counted(t *testing.T, cfg worker.Config, handlers ...durable.Handler) (*hub, map[string]int) {
	t.Helper()
	if cfg.Warm == 0 {
		cfg.Warm = 1 << 20
	}
	h := newHub(t, cfg, handlers...)
	calls := map[string]int{}
	h.cfg.Store = store.New(store.Config{Now: func() time.Time { return h.now },
		Backend: backendtest.Faulty(h.ports, func(op string) backendtest.Fault { calls[op]++; return backendtest.None })})
	h.deploy("build 1", handlers...)
	return h, calls
}

// chain calls n activities one after the other.
func chain(n int) durable.Handler {
	return hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		for i := range n {
			if _, err := greet.Call(ctx, fmt.Sprint(i)); err != nil {
				return "", err
			}
		}
		return "done", nil
	})
}

func TestAWarmTurnReadsNothing(t *testing.T) {
	t.Parallel()
	h, calls := counted(t, worker.Config{}, greet.Bind(greetBody), chain(10))
	h.submit("one")
	h.settle()
	h.is("one", durable.Completed)
	if calls["table.query"] != 0 || calls["table.get"] != 1 {
		t.Errorf("eleven turns read %d times and looked %d times; want 0, and 1 for the row of the start", calls["table.query"], calls["table.get"])
	}
}

func TestAnOldCopyIsNotUsed(t *testing.T) {
	t.Parallel()
	h, calls := counted(t, worker.Config{WarmAge: time.Nanosecond}, greet.Bind(greetBody), chain(10))
	h.submit("one")
	for range 11 {
		h.orchestrate()
		h.work()
		h.now = h.now.Add(time.Second) // past the age
	}
	h.is("one", durable.Completed)
	if calls["table.query"] != 10 {
		t.Errorf("ten turns after the first read %d times", calls["table.query"])
	}
}

// A copy that another worker has overtaken must not run a step that the other has run: nothing would tell it before.
func TestAStepDoesNotRunOnACopyThatHasLost(t *testing.T) {
	t.Parallel()
	ran := 0
	h, _ := counted(t, worker.Config{}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		for range 2 {
			if _, err := yes.Next(ctx).Await(); err != nil {
				return "", err
			}
			if _, err := durable.Step(ctx, "count", func(context.Context) (int, error) { ran++; return ran, nil }); err != nil {
				return "", err
			}
		}
		return "done", nil
	}))
	h.submit("one")
	h.orchestrate() // and this worker keeps a copy
	h.raise("one")
	first := h.take(h.ports.Inbox)
	other, err := worker.New(h.cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.done(other.Inbox(t.Context(), first))
	h.done(h.Inbox(t.Context(), first)) // delivered again
	if ran != 1 {
		t.Errorf("the step ran %d times, want once", ran)
	}
	h.raise("one")
	h.orchestrate()
	if h.is("one", durable.Completed); ran != 2 {
		t.Errorf("the two steps ran %d times", ran)
	}
}

func TestWhatIsKeptIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	var unwound []string
	h, calls := counted(t, worker.Config{Warm: 40_000}, hello.Bind(func(ctx durable.Context, in string) (string, error) {
		defer func() {
			if ctx.Unwinding() {
				unwound = append(unwound, ctx.InstanceID())
			}
		}()
		_, err := yes.Next(ctx).Await()
		return in, err
	}))
	ids := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for _, id := range ids {
		h.submit(id)
		h.orchestrate()
	}
	if len(unwound) == 0 || unwound[0] != "a" {
		t.Fatalf("unwound are %v; want those that were used longest ago", unwound)
	}
	kept := len(ids) - len(unwound)
	before := calls["table.query"]
	for _, id := range ids {
		h.raise(id)
	}
	h.orchestrate()
	for _, id := range ids {
		h.is(id, durable.Completed)
	}
	if read := calls["table.query"] - before; kept < 2 || read != len(ids)-kept {
		t.Errorf("%d of %d were kept, and %d were read", kept, len(ids), read)
	}
}

func TestCloseUnwindsWhatIsKept(t *testing.T) {
	t.Parallel()
	unwound := 0
	h, _ := counted(t, worker.Config{}, hello.Bind(func(ctx durable.Context, in string) (string, error) {
		defer func() { unwound++ }()
		_, err := yes.Next(ctx).Await()
		return in, err
	}))
	h.submit("one")
	h.orchestrate()
	if unwound != 0 {
		t.Errorf("it was unwound %d times while it waits", unwound)
	}
	h.Close()
	if unwound != 1 {
		t.Errorf("closing unwound it %d times", unwound)
	}
}

func TestActivitiesBeyondTheLimitWaitInTheHistory(t *testing.T) {
	t.Parallel()
	const n, limit = 40, 7
	h := newHub(t, worker.Config{InFlight: limit}, greet.Bind(greetBody), fanOut(n))
	h.submit("one")
	h.orchestrate()
	total := 0
	for {
		sent := h.take(h.ports.Activities)
		if len(sent) == 0 {
			break
		}
		if total += len(sent); len(sent) > limit {
			t.Fatalf("%d activities are under way, want at most %d", len(sent), limit)
		}
		for _, d := range sent {
			h.done([]worker.Outcome{h.Activity(t.Context(), d)})
		}
		h.orchestrate()
	}
	if h.is("one", durable.Completed); total != n {
		t.Errorf("%d activities were sent, want %d", total, n)
	}
}
