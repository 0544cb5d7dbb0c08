package worker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// kill hands messages of a queue to Dead, as a dead-letter queue would.
func (h *hub) kill(q backend.Queue) int {
	h.t.Helper()
	batch := h.take(q)
	h.done(h.Dead(h.t.Context(), batch))
	return len(batch)
}

func TestADeadActivityIsAFailedAttempt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts []durable.ActivityOption
		kill int
		want durable.Status
	}{
		"the last one fails the activity": {opts: []durable.ActivityOption{three}, kill: 3, want: durable.Failed},
		"before, it is made again":        {opts: []durable.ActivityOption{three}, kill: 2, want: durable.Completed},
		"without a policy there is one":   {kill: 1, want: durable.Failed},
		"its kind may be final": {
			opts: []durable.ActivityOption{durable.Retry{Attempts: 9, NonRetryable: []durable.ErrorKind{durable.WorkerLost}}},
			kill: 1, want: durable.Failed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lost bool
			activity := durable.NewActivity[int, int]("Count", c.opts...)
			h := newHub(t, worker.Config{},
				activity.Bind(func(_ context.Context, n int) (int, error) { return n, nil }),
				hello.Bind(func(ctx durable.Context, _ string) (string, error) {
					_, err := activity.Call(ctx, 7)
					lost = errors.Is(err, durable.WorkerLost)
					return "", err
				}))
			h.submit("a")
			h.orchestrate()
			for range c.kill {
				if h.kill(h.ports.Activities) != 1 {
					t.Fatal("there is no attempt to lose")
				}
				h.now = h.now.Add(10 * time.Second)
			}
			h.settle()
			h.is("a", c.want)
			if want := c.want == durable.Failed; lost != want {
				t.Errorf("the code was told of WorkerLost: %v, want %v", lost, want)
			}
		})
	}
}

func TestDeadLettersComeBack(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		if _, err := yes.Next(ctx).Await(); err != nil {
			return "", err
		}
		return "done", durable.Sleep(ctx, time.Minute)
	}))
	h.submit("a")
	if h.kill(h.ports.Wake) != 1 { // the start
		t.Fatal("there is no start to lose")
	}
	h.orchestrate()
	h.raise("a")
	var ids []string
	for range 3 {
		batch := h.take(h.ports.Inbox)
		if len(batch) != 1 {
			t.Fatalf("there are %d messages in the inbox, want the event", len(batch))
		}
		ids = append(ids, batch[0].ID)
		h.done(h.Dead(t.Context(), batch))
	}
	if diff := cmp.Diff([]string{ids[0], ids[0] + "#redrive-1", ids[0] + "#redrive-2"}, ids); diff != "" {
		t.Errorf("the ids differ (-want +got):\n%s", diff)
	}
	h.orchestrate()
	h.now = h.now.Add(time.Minute)
	if h.kill(h.ports.Wake) != 1 { // the timer
		t.Fatal("there is no timer to lose")
	}
	h.orchestrate()
	if in := h.is("a", durable.Completed); string(in.Output) != `"done"` {
		t.Errorf("it returned %s", in.Output)
	}
}

func TestADeadTimerIsNotEarly(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		return "done", durable.Sleep(ctx, time.Minute)
	}))
	h.submit("a")
	h.orchestrate()
	h.now = h.now.Add(time.Minute)
	timer := h.take(h.ports.Wake)
	h.now = h.now.Add(-time.Second) // a worker whose clock is behind
	h.done(h.Dead(t.Context(), timer))
	if n := len(h.take(h.ports.Inbox)); n != 0 {
		t.Errorf("%d timers were sent on too early", n)
	}
	h.now = h.now.Add(time.Second)
	h.settle()
	h.is("a", durable.Completed)
}

// A queue that gives up before the worker would must not make it begin counting again.
func TestWhatComesBackHasBeenReceivedOftenEnough(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{UnknownReceives: 1000}) // which has no orchestration
	h.submit("a")
	start := h.take(h.ports.Wake)
	if o := h.Wake(t.Context(), start)[0]; o.Ack {
		t.Fatal("it is not put back at first")
	}
	h.done(h.Dead(t.Context(), start))
	h.orchestrate()
	h.is("a", durable.Suspended)
}

func TestDeadLettersThatCannotBeReadStay(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{})
	for _, o := range h.Dead(t.Context(), []backend.Delivery{{Message: backend.Message{Body: []byte("hello")}}}) {
		if o.Ack || !o.Foreign || o.Err == nil {
			t.Errorf("got %+v, want it called foreign", o)
		}
	}
}
