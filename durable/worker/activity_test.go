package worker_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/worker"
	"github.com/google/go-cmp/cmp"
)

// callOnce calls an activity and returns what it gave, or its error's text.
func callOnce(a durable.Activity[int, int]) durable.Handler {
	return hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		n, err := a.Call(ctx, 7)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(n), nil
	})
}

const wrong = durable.ErrorKind("Wrong")

var three = durable.Retry{Attempts: 3, Initial: time.Second, Factor: 2}

// A pause with jitter depends on nothing but the operation and the attempt, as docs/format.md says: whoever retries it, it is the
// same. The hub's clock goes on in whole seconds.
func TestPausesWithJitter(t *testing.T) {
	t.Parallel()
	a := durable.NewActivity[int, int]("A", durable.Retry{Attempts: 6, Initial: time.Minute, Jitter: 0.5})
	var h *hub
	var last time.Time
	var got, want []time.Duration
	h = newHub(t, worker.Config{}, callOnce(a), a.Bind(func(ctx context.Context, _ int) (int, error) {
		if !last.IsZero() {
			got = append(got, h.now.Sub(last))
		}
		last = h.now
		sum := sha256.Sum256(fmt.Appendf(nil, "jitter %s %d", durable.IdempotencyKey(ctx), durable.Attempt(ctx)))
		u := float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
		want = append(want, time.Duration(math.Ceil(60-30*u))*time.Second)
		return 0, errors.New("no")
	}))
	h.submit("one")
	h.settle()
	h.advance(time.Hour)
	if diff := cmp.Diff(want[:5], got); diff != "" {
		t.Errorf("pauses of a minute with a jitter of a half (-want +got):\n%s", diff)
	}
}

var attempts = []struct {
	name     string
	opts     []durable.ActivityOption
	fail     func(attempt int) error
	attempts []time.Duration // when each was made
	kind     durable.ErrorKind
	message  string
}{
	{name: "no policy is one attempt", fail: always(errors.New("no")), attempts: []time.Duration{0}, message: "no"},
	{name: "pauses grow", opts: []durable.ActivityOption{three}, fail: always(errors.New("no")),
		attempts: []time.Duration{0, time.Second, 3 * time.Second}, message: "no"},
	{name: "without a factor pauses stay", opts: []durable.ActivityOption{durable.Retry{Attempts: 4, Initial: 2 * time.Second}},
		fail: always(errors.New("no")), attempts: seconds(0, 2, 4, 6), message: "no"},
	{name: "pauses are capped", opts: []durable.ActivityOption{durable.Retry{Attempts: 4, Initial: time.Second, Factor: 10, Cap: 5 * time.Second}},
		fail: always(errors.New("no")), attempts: seconds(0, 1, 6, 11), message: "no"},
	{name: "more attempts than can be counted", opts: []durable.ActivityOption{durable.Retry{Attempts: math.MaxUint32 + 1}}, fail: func(n int) error {
		if n == 3 {
			return nil
		}
		return errors.New("no")
	}, attempts: seconds(0, 0, 0)},
	{name: "a success ends it", opts: []durable.ActivityOption{three}, fail: func(n int) error {
		if n == 2 {
			return nil
		}
		return errors.New("no")
	}, attempts: seconds(0, 1)},
	{name: "a permanent error is final", opts: []durable.ActivityOption{three},
		fail: always(fmt.Errorf("card: %w", durable.Permanent(wrong))), attempts: seconds(0), kind: wrong, message: "card: Wrong"},
	{name: "a kind that is not to be retried is final", opts: []durable.ActivityOption{durable.Retry{Attempts: 3, NonRetryable: []durable.ErrorKind{wrong}}},
		fail: always(errors.Join(durable.ErrorKind("Other"), wrong)), attempts: seconds(0), kind: "Other", message: "Other\nWrong"},
	{name: "another kind is retried", opts: []durable.ActivityOption{durable.Retry{Attempts: 2, NonRetryable: []durable.ErrorKind{wrong}}},
		fail: always(durable.ErrorKind("Other")), attempts: seconds(0, 0), kind: "Other", message: "Other"},
	{name: "a panic is retried", opts: []durable.ActivityOption{three}, fail: func(int) error { panic("oh") },
		attempts: seconds(0, 1, 3), kind: durable.ActivityPanicked, message: "panic: oh"},
	{name: "a long pause waits in a due row", opts: []durable.ActivityOption{durable.Retry{Attempts: 2, Initial: 20 * time.Minute}},
		fail: always(errors.New("no")), attempts: []time.Duration{0, 20 * time.Minute}, message: "no"},
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	for _, c := range attempts {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := durable.NewActivity[int, int]("A", c.opts...)
			var h *hub
			var made []time.Duration
			keys := map[string]bool{}
			start := time.Time{}
			h = newHub(t, worker.Config{}, callOnce(a), a.Bind(func(ctx context.Context, n int) (int, error) {
				made, keys[durable.IdempotencyKey(ctx)] = append(made, h.now.Sub(start)), true
				if durable.Attempt(ctx) != len(made) || durable.InstanceID(ctx) != "one" {
					t.Errorf("attempt %d of %s is called %d", len(made), durable.InstanceID(ctx), durable.Attempt(ctx))
				}
				return n, c.fail(len(made))
			}))
			start = h.now
			h.submit("one")
			h.settle()
			h.advance(30 * time.Minute)
			if diff := cmp.Diff(c.attempts, made); diff != "" || len(keys) != 1 {
				t.Errorf("attempts with %d keys (-want +got):\n%s", len(keys), diff)
			}
			if c.message == "" {
				h.is("one", durable.Completed)
				return
			}
			f := h.is("one", durable.Failed).Failure
			if f.Kind != string(c.kind) || !strings.Contains(f.Message, c.message) {
				t.Errorf("the failure is %q: %q, want %q: %q", f.Kind, f.Message, c.kind, c.message)
			}
		})
	}
}

func always(err error) func(int) error { return func(int) error { return err } }

func seconds(n ...int) []time.Duration {
	var out []time.Duration
	for _, s := range n {
		out = append(out, time.Duration(s)*time.Second)
	}
	return out
}

func TestAnAttemptThatTakesTooLong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts []durable.ActivityOption
		body func(context.Context, int) (int, error)
		want durable.Status
	}{
		"it fails as timed out":              {nil, func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, durable.Failed},
		"it may be made not to be retried":   {[]durable.ActivityOption{durable.Retry{Attempts: 9, NonRetryable: []durable.ErrorKind{durable.ActivityTimedOut}}}, func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, durable.Failed},
		"its own kind stays first":           {nil, func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, declined }, durable.Failed},
		"a result that came anyway is taken": {nil, func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 1, nil }, durable.Completed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := durable.NewActivity[int, int]("A", append(c.opts, durable.Timeout(time.Millisecond))...)
			h := newHub(t, worker.Config{}, a.Bind(c.body), hello.Bind(func(ctx durable.Context, _ string) (string, error) {
				_, err := a.Call(ctx, 1)
				if err != nil && !errors.Is(err, durable.ActivityTimedOut) {
					return "", fmt.Errorf("not timed out: %v", err)
				}
				return "", err
			}))
			h.submit("one")
			h.settle()
			in := h.is("one", c.want)
			if in.Failure != nil && !strings.Contains(in.Failure.Message, "longer than its time-out of 1ms") {
				t.Errorf("the failure is %+v", in.Failure)
			}
		})
	}
}

func TestAnActivityNobodyHasRegistered(t *testing.T) {
	t.Parallel()
	a := durable.NewActivity[int, int]("A", durable.Retry{Attempts: 5, Initial: time.Hour})
	t.Run("fails after five minutes, without a retry", func(t *testing.T) {
		t.Parallel()
		h := newHub(t, worker.Config{}, callOnce(a))
		h.submit("one")
		h.settle()
		h.advance(4*time.Minute + 55*time.Second)
		h.is("one", durable.Running)
		h.advance(10 * time.Second)
		f := h.is("one", durable.Failed).Failure
		if f.Kind != string(durable.ActivityNotRegistered) || !strings.Contains(f.Message, "A failed: no worker has had activity A bound") {
			t.Errorf("the failure is %+v", f)
		}
	})
	t.Run("runs when a build comes that has it, and no attempt is counted", func(t *testing.T) {
		t.Parallel()
		h := newHub(t, worker.Config{}, callOnce(a))
		h.submit("one")
		h.settle()
		h.advance(2 * time.Minute)
		h.deploy("build 2", callOnce(a), a.Bind(func(ctx context.Context, n int) (int, error) { return durable.Attempt(ctx), nil }))
		h.advance(10 * time.Second)
		if in := h.is("one", durable.Completed); string(in.Output) != `"1"` {
			t.Errorf("the attempt is %s, want 1", in.Output)
		}
	})
	t.Run("is still run when its instance has ended", func(t *testing.T) {
		t.Parallel()
		runs := 0
		body := hello.Bind(func(ctx durable.Context, _ string) (string, error) { a.Start(ctx, 1); return "", nil })
		h := newHub(t, worker.Config{}, body)
		h.submit("one")
		h.settle()
		h.is("one", durable.Completed)
		h.deploy("build 2", body, a.Bind(func(context.Context, int) (int, error) { runs++; return 0, nil }))
		h.advance(10 * time.Second)
		if n := h.memory.Queues().Total(); n > 0 || runs != 1 {
			t.Errorf("it ran %d times, want 1, and %d messages are left", runs, n)
		}
	})
}

func TestARetryOfAFinishedRunIsDropped(t *testing.T) {
	t.Parallel()
	a := durable.NewActivity[int, int]("A", durable.Retry{Attempts: 5, Initial: time.Second})
	for name, end := range map[string]func(*hub){
		"ended":    func(h *hub) { h.raise("one"); h.orchestrate(); h.is("one", durable.Completed) },
		"replaced": func(h *hub) { h.raise("one"); h.orchestrate(); h.submit("one"); h.orchestrate() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runs := 0
			h := newHub(t, worker.Config{}, a.Bind(func(context.Context, int) (int, error) { runs++; return 0, errors.New("no") }),
				hello.Bind(func(ctx durable.Context, _ string) (string, error) {
					a.Start(ctx, 1)
					_, err := yes.Next(ctx).Await()
					return "", err
				}))
			h.submit("one")
			h.orchestrate()
			first := h.take(h.ports.Activities)
			h.done([]worker.Outcome{h.Activity(t.Context(), first[0])})
			end(h)
			h.take(h.ports.Activities) // what the end, or the next life, asks for
			h.now = h.now.Add(time.Second)
			retry := h.take(h.ports.Activities)
			if len(retry) != 1 {
				t.Fatalf("there are %d retries, want 1", len(retry))
			}
			h.done([]worker.Outcome{h.Activity(t.Context(), retry[0])})
			if runs != 1 {
				t.Errorf("it ran %d times, want 1", runs)
			}
		})
	}
}

func TestAStoppingWorkerCountsNoAttempt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h := newHub(t, worker.Config{}, callOnce(flaky), flaky.Bind(func(ctx context.Context, _ int) (int, error) { cancel(); return 0, ctx.Err() }))
	h.submit("one")
	h.orchestrate()
	work := h.take(h.ports.Activities)
	if o := h.Activity(ctx, work[0]); o.Ack || o.Foreign || o.Retry <= 0 || !errors.Is(o.Err, context.Canceled) {
		t.Errorf("got %+v, want a retry", o)
	}
	if n := h.memory.Queues().Total(); n > 0 {
		t.Errorf("%d messages were sent", n)
	}
}

func TestAnInputOfAnotherTypeIsFinal(t *testing.T) {
	t.Parallel()
	asText := durable.NewActivity[string, int]("A", durable.Retry{Attempts: 5})
	asNumber := durable.NewActivity[int, int]("A")
	h := newHub(t, worker.Config{}, asNumber.Bind(func(context.Context, int) (int, error) { return 0, nil }),
		hello.Bind(func(ctx durable.Context, _ string) (string, error) {
			_, err := asText.Call(ctx, "x")
			return "", err
		}))
	h.submit("one")
	h.settle()
	if f := h.is("one", durable.Failed).Failure; !strings.Contains(f.Message, "the input is no int") {
		t.Errorf("the failure is %+v", f)
	}
}

func TestForeignMessagesAreLeftAlone(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), hello.Bind(plain))
	h.submit("one")
	start := h.take(h.ports.Wake)[0]
	bad := backend.Delivery{Message: backend.Message{Body: []byte("from somebody else")}}
	for name, got := range map[string][]worker.Outcome{
		"wake":                h.Wake(t.Context(), []backend.Delivery{bad, start}),
		"inbox":               h.Inbox(t.Context(), []backend.Delivery{bad, start}),
		"activity":            {h.Activity(t.Context(), bad), {Ack: true}},
		"a start as activity": {h.Activity(t.Context(), start), {Ack: true}},
	} {
		if !got[0].Foreign || got[0].Ack || got[0].Err == nil || !got[1].Ack {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	h.is("one", durable.Running)
}

func TestInstancesDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	var order []string
	unknown := durable.NewOrchestration[string, string]("Unknown")
	h := newHub(t, worker.Config{UnknownReceives: 100}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		order = append(order, ctx.InstanceID())
		if ctx.InstanceID() == "b" {
			panic("b")
		}
		return "", nil
	}))
	if _, err := unknown.Submit(t.Context(), h.client, "", durable.ID("x")); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c", "d"} {
		h.submit(id)
	}
	batch := h.take(h.ports.Wake)
	batch[1].Receives, batch[2].Receives, batch[3].Receives = 5, 4, 2 // a, b, c
	outcomes := h.Inbox(t.Context(), batch)
	for i, o := range outcomes {
		if failing := i == 0; o.Ack == failing || failing && o.Retry <= 0 {
			t.Errorf("delivery %d: %+v", i, o)
		}
	}
	if want := []string{"c", "d", "b", "a"}; !slices.Equal(order, want) {
		t.Errorf("they ran in the order %v, want %v: suspects last", order, want)
	}
	h.is("x", durable.Pending)
	h.is("b", durable.Suspended)
	for _, id := range []string{"a", "c", "d"} {
		h.is(id, durable.Completed)
	}
}

func TestAnEarlyTimerIsDelayedAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		return "", durable.Sleep(ctx, time.Minute)
	}))
	h.submit("one")
	h.orchestrate()
	h.now = h.now.Add(time.Minute)
	timer := h.take(h.ports.Wake)
	h.now = h.now.Add(-time.Second)
	h.done(h.Wake(t.Context(), timer))
	h.orchestrate()
	h.is("one", durable.Running)
	h.now = h.now.Add(time.Second)
	h.orchestrate()
	h.is("one", durable.Completed)
}
