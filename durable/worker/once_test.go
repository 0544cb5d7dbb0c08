package worker_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// unknown fails unless the instance has failed without anybody knowing what came of its activity.
func (h *hub) unknown(kind durable.ErrorKind) {
	h.t.Helper()
	f := h.is("one", durable.Failed).Failure
	if f.Kind != string(kind) || !goesBackTo(f, durable.OutcomeUnknown) {
		h.t.Errorf("the failure is %+v", f)
	}
}

// goesBackTo reports whether a failure, or one of its causes, is of that kind.
func goesBackTo(f *hist.Failure, kind durable.ErrorKind) bool {
	return f.Kind == string(kind) || slices.ContainsFunc(f.Causes, func(c hist.Failure) bool { return goesBackTo(&c, kind) })
}

func TestAtMostOnce(t *testing.T) {
	t.Parallel()
	a := durable.NewActivity[int, int]("A", durable.AtMostOnce)
	runs := 0
	h := newHub(t, worker.Config{}, callOnce(a), a.Bind(func(context.Context, int) (int, error) { runs++; return 1, nil }))
	h.submit("one")
	h.orchestrate()
	d := h.take(h.ports.Activities)
	h.done([]worker.Outcome{h.Activity(t.Context(), d[0])})
	for range 2 {
		h.take(h.ports.Inbox) // its result never comes, nor does what is said in its place
		h.now = h.now.Add(time.Hour)
		h.done([]worker.Outcome{h.Activity(t.Context(), d[0])})
	}
	h.orchestrate()
	if h.unknown(durable.OutcomeUnknown); runs != 1 {
		t.Errorf("it ran %d times", runs)
	}
	defer func() {
		if recover() == nil {
			t.Error("AtMostOnce is accepted together with retries")
		}
	}()
	a.With(durable.Retry{Attempts: 2})
}

func TestASecondMessageOfAnAtMostOnceActivityWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts  []durable.ActivityOption
		takes time.Duration // the body
		dies  bool
		known time.Duration // when the outcome is known that nobody reports
	}{
		"it ends in time":               {opts: []durable.ActivityOption{durable.Timeout(time.Minute)}, takes: 59 * time.Second},
		"it dies":                       {opts: []durable.ActivityOption{durable.Timeout(time.Minute)}, takes: time.Second, dies: true, known: 90 * time.Second},
		"it dies, by the usual timeout": {takes: time.Second, dies: true, known: 330 * time.Second},
		"it beats, and ends in time":    {opts: []durable.ActivityOption{durable.Timeout(time.Hour), durable.HeartbeatTimeout(30 * time.Second)}, takes: 10 * time.Minute},
		"it beats, and dies": {opts: []durable.ActivityOption{durable.Timeout(time.Hour), durable.HeartbeatTimeout(30 * time.Second)},
			takes: 100 * time.Second, dies: true, known: 160 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var k *clocked
			a := durable.NewActivity[int, int]("A", append(c.opts, durable.AtMostOnce)...)
			runs := 0
			k = newClocked(t, callOnce(a), a.Bind(func(ctx context.Context, n int) (int, error) {
				runs++
				if _, err := k.h.Repair(t.Context(), "one"); err != nil { // its message is sent once more, while it runs
					t.Error(err)
				}
				for d := time.Duration(0); d < c.takes; d += time.Second {
					k.tick(time.Second)
					k.h.settle()
					if err := durable.Heartbeat(ctx); err != nil {
						t.Errorf("after %v: %v", d, err)
					}
				}
				k.h.is("one", durable.Running)
				return n, nil
			}))
			h, begin := k.h, k.h.now
			h.submit("one")
			h.orchestrate()
			d := h.take(h.ports.Activities)
			h.done([]worker.Outcome{h.Activity(t.Context(), d[0])})
			if c.dies {
				h.take(h.ports.Inbox) // its result is not sent
				for h.now.Before(begin.Add(c.known - time.Second)) {
					h.advance(time.Second)
					h.is("one", durable.Running)
				}
				h.now = h.now.Add(5 * time.Minute) // so long the queue remembers the result that was lost
				h.settle()
				h.unknown(durable.OutcomeUnknown)
			} else {
				h.settle()
				h.is("one", durable.Completed)
				h.advance(2 * time.Hour)
			}
			if runs != 1 {
				t.Errorf("it ran %d times", runs)
			}
		})
	}
}

func TestAnAtMostOnceActivityThatFailsBeforeItRunsMayHaveRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		again func(h *hub, d backend.Delivery)
		kind  durable.ErrorKind
	}{
		"the deadline has passed": {func(h *hub, d backend.Delivery) {
			h.done([]worker.Outcome{h.Activity(h.t.Context(), d)})
		}, durable.ActivityTimedOut},
		"it is a dead letter":      {func(h *hub, d backend.Delivery) { h.done(h.Dead(h.t.Context(), []backend.Delivery{d})) }, durable.WorkerLost},
		"nobody has it registered": {nil, durable.ActivityNotRegistered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := durable.NewActivity[int, int]("A", durable.AtMostOnce, durable.Deadline(20*time.Minute))
			h := newHub(t, worker.Config{}, callOnce(a), a.Bind(func(context.Context, int) (int, error) { return 1, nil }))
			h.submit("one")
			h.orchestrate()
			d := h.take(h.ports.Activities)
			h.done([]worker.Outcome{h.Activity(t.Context(), d[0])})
			h.take(h.ports.Inbox)
			if c.again == nil {
				h.deploy("build 2", callOnce(a))
				h.done([]worker.Outcome{h.Activity(t.Context(), d[0])})
				h.advance(6 * time.Minute)
			} else {
				h.now = h.now.Add(21 * time.Minute)
				c.again(h, d[0])
				h.settle()
			}
			h.unknown(c.kind)
		})
	}
}

func TestWhatCameOfAnAtMostOnceActivityIsReported(t *testing.T) {
	t.Parallel()
	a := durable.NewActivity[int, int]("A", durable.AtMostOnce)
	t.Run("though the queue takes it only the third time", func(t *testing.T) {
		t.Parallel()
		fails := 0
		h := newHub(t, worker.Config{}, callOnce(a), a.Bind(func(context.Context, int) (int, error) { fails = 2; return 1, nil }))
		ports := backendtest.Faulty(h.ports, func(op string) backendtest.Fault {
			if op == "inbox.send" && fails > 0 {
				fails--
				return backendtest.Before
			}
			return backendtest.None
		})
		h.cfg.Store = store.New(store.Config{Backend: ports, Now: func() time.Time { return h.now }})
		h.deploy("build 1", h.cfg.Handlers...)
		h.submit("one")
		h.settle()
		h.is("one", durable.Completed)
	})
	t.Run("though the worker stops", func(t *testing.T) {
		t.Parallel()
		ctx, stop := context.WithCancel(t.Context())
		h := newHub(t, worker.Config{}, callOnce(a), a.Bind(func(context.Context, int) (int, error) { stop(); return 0, errors.New("half done") }))
		h.submit("one")
		h.orchestrate()
		h.done([]worker.Outcome{h.Activity(ctx, h.take(h.ports.Activities)[0])})
		h.orchestrate()
		if f := h.is("one", durable.Failed).Failure; f.Message != "A failed: half done" {
			t.Errorf("the failure is %+v", f)
		}
	})
}
