package awslambda

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
)

var (
	short   = durable.NewActivity[string, string]("Short", durable.Timeout(5*time.Second))
	long    = durable.NewActivity[string, string]("Long", durable.Timeout(10*time.Minute))
	unequal = durable.NewOrchestration[string, string]("Hello")
)

// runs counts what bodies do.
type runs struct {
	mu sync.Mutex
	of map[string]int
}

func (r *runs) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of = map[string]int{}
	}
	r.of[name]++
}

// visible is a hub in which time passes by itself, with a batch of what orchestration asks for, and another process that
// receives beside it until the test ends. It must be in a bubble of synctest.
func visible(t *testing.T, orchestration durable.Handler, handlers ...durable.Handler) (h *testHub, a *activities, batch []backend.Delivery) {
	t.Helper()
	h = newTestHub(t)
	h.clock = time.Now
	h.submit("one")
	h.invoke(t.Context(), h.orchestrator(orchestration).handle, h.store.Backend().Wake, "wake")
	a, q := h.activities(handlers...), h.store.Backend().Activities
	batch = h.receive(q)
	ctx, stop := context.WithCancel(t.Context())
	var other sync.WaitGroup
	other.Go(func() {
		beside := h.activities(handlers...)
		for every := time.Tick(time.Second); ctx.Err() == nil; {
			select {
			case <-every:
			case <-ctx.Done():
			}
			if ctx.Err() == nil {
				h.invoke(ctx, beside.handle, q, "activities")
			}
		}
	})
	t.Cleanup(func() { stop(); other.Wait() })
	return h, a, batch
}

// bothOf asks for a short activity and a long one.
var bothOf = unequal.Bind(func(ctx durable.Context, in string) (string, error) {
	s, l := short.Start(ctx, in), long.Start(ctx, in)
	if _, err := s.Await(); err != nil {
		return "", err
	}
	return l.Await()
})

func TestWhatIsDoneDoesNotComeAgainWhileItsBatchGoesOn(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]backendtest.Fault{
		"and the first removal works":            backendtest.None,
		"and the first removal fails":            backendtest.Before,
		"and the first removal's answer is lost": backendtest.After,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var ran runs
				h, a, batch := visible(t, bothOf,
					short.Bind(func(context.Context, string) (string, error) { ran.add("short"); return "", nil }),
					long.Bind(func(context.Context, string) (string, error) {
						ran.add("long")
						time.Sleep(5 * time.Minute)
						return "", nil
					}))
				removals := 0
				h.fault = func(op string) backendtest.Fault {
					if op != "activities.ack" {
						return backendtest.None
					}
					if removals++; removals > 1 {
						return backendtest.None
					}
					return first
				}
				failed := h.conclude(t.Context(), a.handle, h.store.Backend().Activities, "activities", batch)
				if len(batch) != 2 || len(failed) > 0 {
					t.Errorf("of %d, not done: %v", len(batch), failed)
				}
				if want := map[string]int{"short": 1, "long": 1}; !maps.Equal(ran.of, want) {
					t.Errorf("they ran %v, want %v", ran.of, want)
				}
				if left := h.all.Queues().Activities.Total(); left > 0 {
					t.Errorf("%d messages are left", left)
				}
			})
		})
	}
}

// A call that hangs may take what time there is, and no more.
func TestARemovalThatHangsLeavesTimeToPutBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := asked(t, 2)
		a := h.activities(greet.Bind(func(ctx context.Context, _ string) (string, error) {
			if durable.InstanceID(ctx) == "i1" {
				<-ctx.Done()
			}
			return "", ctx.Err()
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		q := hanging{h.store.Backend().Activities}
		b := newBatch(t.Context(), q, recordsOf(t, h.receive(q)), h.Log)
		if !a.run(ctx, b) {
			t.Error("the process is to end")
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("it took %v", took)
		}
		if b.outcomes[0].Ack != true || b.outcomes[1].Ack != false || len(b.failures()) != 1 {
			t.Errorf("the outcomes are %+v", b.outcomes)
		}
	})
}

// hanging is a queue that answers no Ack.
type hanging struct{ backend.Queue }

func (hanging) Ack(ctx context.Context, _ []backend.Delivery) error {
	<-ctx.Done()
	return ctx.Err()
}

func recordsOf(t *testing.T, batch []backend.Delivery) []events.SQSMessage {
	t.Helper()
	e, err := open(eventOf("activities", batch))
	if err != nil {
		t.Fatal(err)
	}
	return e.Records
}

// What never can be removed by the process itself is removed by its answer.
func TestTheAnswerDoesNotDependOnRemovals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := asked(t, 3)
		a := h.activities(greet.Bind(func(ctx context.Context, _ string) (string, error) {
			switch durable.InstanceID(ctx) {
			case "i1":
				<-ctx.Done()
				return "", ctx.Err()
			case "i2":
				time.Sleep(45 * time.Second)
			}
			return "", nil
		}))
		tried := 0
		h.fault = func(op string) backendtest.Fault {
			if op == "activities.ack" {
				tried++
				return backendtest.Before
			}
			return backendtest.None
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		answer, err := a.handle(ctx, eventOf("activities", h.receive(h.store.Backend().Activities)))
		if err != nil {
			t.Fatal(err)
		}
		if failed := failuresOf(t, answer); len(failed) != 1 || failed[0] != "1" || tried < 5 {
			t.Errorf("after %d removals not done: %v, want only the one that was given up", tried, failed)
		}
	})
}

var (
	beating = durable.NewActivity[string, string]("Beating", durable.HeartbeatTimeout(30*time.Second), durable.Timeout(14*time.Minute))
	once    = durable.NewActivity[string, string]("Once", durable.AtMostOnce)
)

// called runs one call of an activity, while another process receives beside, and returns what came of the instance.
func called(t *testing.T, call durable.Activity[string, string], body func(context.Context, string) (string, error)) durable.Instance {
	t.Helper()
	caller := unequal.Bind(func(ctx durable.Context, in string) (string, error) { return call.Call(ctx, in) })
	h, a, batch := visible(t, caller, call.Bind(body))
	if failed := h.conclude(t.Context(), a.handle, h.store.Backend().Activities, "activities", batch); len(batch) != 1 || len(failed) > 0 {
		t.Errorf("of %d, not done: %v", len(batch), failed)
	}
	h.invoke(t.Context(), h.orchestrator(caller).handle, h.store.Backend().Inbox, "inbox.fifo")
	in, err := h.Client.Get(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestWhatBeatsIsRunOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ran runs
		in := called(t, beating, func(ctx context.Context, _ string) (string, error) {
			ran.add("it")
			for range 30 { // five minutes: its message is hidden for one at first
				time.Sleep(10 * time.Second)
				if err := durable.Heartbeat(ctx); err != nil {
					return "", err
				}
			}
			return "", nil
		})
		if in.Status != durable.Completed || ran.of["it"] != 1 {
			t.Errorf("it ran %d times and came to %+v", ran.of["it"], in)
		}
	})
}

// What does not heed the end of its time goes on while its message comes again.
func TestAtMostOnceIsRunOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ran runs
		in := called(t, once, func(context.Context, string) (string, error) {
			ran.add("it")
			time.Sleep(10 * time.Minute)
			return "", nil
		})
		if f := in.Failure; f == nil || f.Kind != string(durable.OutcomeUnknown) || ran.of["it"] != 1 {
			t.Errorf("it ran %d times and came to %+v", ran.of["it"], in)
		}
	})
}

func TestSilenceIsATimeOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		in := called(t, beating, func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		f := in.Failure
		if f == nil || f.Kind != string(durable.ActivityTimedOut) || !strings.Contains(f.Message, "the heartbeat was missed: none came for 30s") {
			t.Errorf("it came to %+v", in)
		}
		if took := time.Since(begin); took != 30*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
