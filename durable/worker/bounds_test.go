package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// clocked gives attempts contexts of the hub's clock: tick moves it from within a body.
type clocked struct {
	h      *hub
	alarms []*alarm
}

type alarm struct {
	at time.Time
	f  func()
}

func (c *clocked) config() worker.Config {
	return worker.Config{After: c.after, Within: func(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(ctx)
		stop := c.after(d, func() { cancel(cause) })
		return ctx, func() { stop(); cancel(nil) }
	}}
}

func (c *clocked) after(d time.Duration, f func()) func() bool {
	a := &alarm{c.h.now.Add(d), f}
	c.alarms = append(c.alarms, a)
	return func() bool { set := a.f != nil; a.f = nil; return set }
}

func (c *clocked) tick(d time.Duration) {
	c.h.now = c.h.now.Add(d)
	for _, a := range c.alarms {
		if a.f != nil && !a.at.After(c.h.now) {
			a.f()
			a.f = nil
		}
	}
}

func newClocked(t *testing.T, handlers ...durable.Handler) *clocked {
	c := new(clocked)
	c.h = newHub(t, c.config(), handlers...)
	return c
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	retry := durable.Retry{Attempts: 9, Initial: 10 * time.Second}
	for name, c := range map[string]struct {
		first  time.Duration // before the first delivery
		takes  time.Duration
		runs   int
		says   string
		passed time.Duration // when the call has failed
	}{
		"a pause that would pass it is not waited for": {takes: time.Second, runs: 3,
			says: "the next attempt would begin after the deadline of 30s over all attempts: no", passed: 23 * time.Second},
		"a running attempt ends with it": {takes: 40 * time.Second, runs: 1,
			says: "the deadline of 30s over all attempts passed before attempt 1 came to an end: no", passed: 40 * time.Second},
		"no attempt begins after it": {first: 31 * time.Second, runs: 0,
			says: "the deadline of 30s over all attempts passed before attempt 1 came to an end", passed: 31 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var k *clocked
			runs := 0
			a := durable.NewActivity[int, int]("A", retry, durable.Deadline(30*time.Second))
			k = newClocked(t, callOnce(a), a.Bind(func(ctx context.Context, _ int) (int, error) {
				runs++
				k.tick(c.takes)
				if c.takes > 30*time.Second && ctx.Err() == nil {
					t.Errorf("the context of an attempt that passes the deadline goes on")
				}
				return 0, errors.New("no")
			}))
			h, begin := k.h, k.h.now
			h.submit("one")
			h.orchestrate()
			k.tick(c.first)
			h.settle()
			for h.now.Before(begin.Add(c.passed)) {
				h.advance(time.Second)
			}
			f := h.is("one", durable.Failed).Failure
			if f.Kind != string(durable.ActivityTimedOut) || !strings.HasSuffix(f.Message, c.says) || runs != c.runs {
				t.Errorf("after %d runs, want %d, the failure is %q: %q, want %q", runs, c.runs, f.Kind, f.Message, c.says)
			}
		})
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	a := durable.NewActivity[int, int]("A", durable.Retry{Attempts: 2}, durable.HeartbeatTimeout(30*time.Second), durable.Timeout(time.Hour))
	t.Run("hides the message while it comes, and only then", func(t *testing.T) {
		t.Parallel()
		var k *clocked
		k = newClocked(t, callOnce(a), a.Bind(func(ctx context.Context, n int) (int, error) {
			for range 20 {
				k.tick(20 * time.Second)
				if err := durable.Heartbeat(ctx); err != nil {
					t.Error(err)
				}
			}
			if n := k.h.memory.Queues().Activities.Ready; n != 0 {
				t.Error("the message of an activity that beats is visible")
			}
			k.tick(29 * time.Second)
			if n := k.h.memory.Queues().Activities.Ready; n != 0 || ctx.Err() != nil {
				t.Errorf("29 seconds of silence are too many: %v", context.Cause(ctx))
			}
			k.tick(32 * time.Second)
			if n := k.h.memory.Queues().Activities.Ready; n != 1 {
				t.Error("a dead worker would not be noticed")
			}
			if !errors.Is(context.Cause(ctx), durable.ErrHeartbeatMissed) || !errors.Is(durable.Heartbeat(ctx), durable.ErrHeartbeatMissed) {
				t.Errorf("after a long silence the context has ended by %v", context.Cause(ctx))
			}
			return n, nil
		}))
		k.h.submit("one")
		k.h.orchestrate()
		d, err := k.h.ports.Activities.Receive(t.Context(), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		k.h.done([]worker.Outcome{k.h.Activity(t.Context(), d[0])})
		k.h.orchestrate()
		k.h.is("one", durable.Completed)
	})
	t.Run("fails the attempt when it is missed, and hands on its details", func(t *testing.T) {
		t.Parallel()
		var k *clocked
		var read []string
		k = newClocked(t, callOnce(a), a.Bind(func(ctx context.Context, n int) (int, error) {
			last, _ := durable.LastHeartbeat[string](ctx)
			read = append(read, last)
			if err := durable.Heartbeat(ctx, "half"); err != nil {
				t.Error(err)
			}
			k.tick(31 * time.Second)
			return 0, ctx.Err()
		}))
		k.h.submit("one")
		k.h.settle()
		k.h.advance(time.Second)
		f := k.h.is("one", durable.Failed).Failure
		if f.Kind != string(durable.ActivityTimedOut) || !strings.Contains(f.Message, "the heartbeat was missed: none came for 30s") {
			t.Errorf("the failure is %+v", f)
		}
		if len(read) != 2 || read[0] != "" || read[1] != "half" {
			t.Errorf("the attempts read %q", read)
		}
	})
}

func TestCancellation(t *testing.T) {
	t.Parallel()
	beats := durable.NewActivity[int, int]("A", durable.HeartbeatTimeout(30*time.Second))
	silent := durable.NewActivity[int, int]("A")
	for name, a := range map[string]durable.Activity[int, int]{"with heartbeat": beats, "without": silent} {
		for end, do := range map[string]func(*hub){
			"terminated": func(h *hub) { h.manage("one", durable.Terminate, "enough") },
			"replaced": func(h *hub) {
				h.manage("one", durable.Terminate, "enough")
				h.orchestrate()
				h.submit("one")
			},
		} {
			t.Run(end+", "+name, func(t *testing.T) {
				t.Parallel()
				var k *clocked
				k = newClocked(t, callOnce(a), a.Bind(func(ctx context.Context, n int) (int, error) {
					do(k.h)
					k.h.orchestrate()
					k.tick(11 * time.Second)
					err := durable.Heartbeat(ctx)
					if canceled := errors.Is(err, durable.ErrCanceled) && errors.Is(context.Cause(ctx), durable.ErrCanceled); canceled != (name == "with heartbeat") {
						t.Errorf("the heartbeat says %v, the context %v", err, context.Cause(ctx))
					}
					return n, nil
				}))
				k.h.submit("one")
				k.h.orchestrate()
				d := k.h.take(k.h.ports.Activities)
				k.h.done([]worker.Outcome{k.h.Activity(t.Context(), d[0])})
				if n := len(k.h.take(k.h.ports.Inbox)); (n == 1) != (name == "without") {
					t.Errorf("%d outcomes were reported", n)
				}
			})
		}
	}
}

func TestLongest(t *testing.T) {
	t.Parallel()
	a := durable.NewActivity[int, int]("Transcode", durable.Timeout(time.Minute), durable.Retry{Attempts: 5})
	body := a.Bind(func(context.Context, int) (int, error) { t.Error("it runs"); return 0, nil })
	cfg := worker.Config{Longest: 15 * time.Minute}
	if _, err := worker.New(worker.Config{Longest: time.Second, Handlers: []durable.Handler{body}}); err == nil ||
		!strings.Contains(err.Error(), "Transcode has a time-out of 1m0s") {
		t.Errorf("got %v", err)
	}
	h := newHub(t, cfg, callOnce(a.With(durable.Timeout(time.Hour))), body)
	h.submit("one")
	h.settle()
	if f := h.is("one", durable.Failed).Failure; f.Kind != string(durable.NotRunnable) || !strings.Contains(f.Message, "declare it durable.Async") {
		t.Errorf("the failure is %+v", f)
	}
}
