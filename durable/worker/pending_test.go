package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// outside is an Async activity and those who do its work.
type outside struct {
	*hub
	activity durable.Activity[int, int]
	tokens   []string
	last     []string // the last heartbeat that each run of the body has read
}

func newOutside(t *testing.T, opts ...durable.ActivityOption) *outside {
	t.Helper()
	o := &outside{activity: durable.NewActivity[int, int]("A", append(opts, durable.Async)...)}
	o.hub = newHub(t, worker.Config{}, callOnce(o.activity), o.activity.Bind(func(ctx context.Context, _ int) (int, error) {
		last, _ := durable.LastHeartbeat[string](ctx)
		o.tokens, o.last = append(o.tokens, durable.Token(ctx)), append(o.last, last)
		return 0, fmt.Errorf("the carrier will call back: %w", durable.ErrPending)
	}))
	o.submit("one")
	o.settle()
	return o
}

func (o *outside) complete(token string, n int) error {
	return o.activity.Complete(o.t.Context(), o.client, token, n)
}

func (o *outside) fail(token string, err error) error {
	return o.activity.Fail(o.t.Context(), o.client, token, err)
}

func (o *outside) beat(token string, details ...any) error {
	return o.activity.Heartbeat(o.t.Context(), o.client, token, details...)
}

// ran fails unless the body ran so often.
func (o *outside) ran(times int) {
	o.t.Helper()
	if len(o.tokens) != times {
		o.t.Fatalf("the body ran %d times, want %d", len(o.tokens), times)
	}
}

// must fails unless err is nil.
func (o *outside) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// refuses fails unless err is want.
func (o *outside) refuses(want, err error) {
	o.t.Helper()
	if !errors.Is(err, want) {
		o.t.Errorf("got %v, want %v", err, want)
	}
}

// failed fails unless the instance has, with this kind and text.
func (o *outside) failed(kind durable.ErrorKind, text string) {
	o.t.Helper()
	if f := o.is("one", durable.Failed).Failure; f.Kind != string(kind) || !strings.Contains(f.Message, text) {
		o.t.Errorf("the failure is %q: %q, want %q: %q", f.Kind, f.Message, kind, text)
	}
}

func TestAnOutcomeFromElsewhere(t *testing.T) {
	t.Parallel()
	t.Run("is waited for as long as it takes", func(t *testing.T) {
		t.Parallel()
		o := newOutside(t)
		o.now = o.now.Add(300 * 24 * time.Hour)
		o.settle()
		if q := o.memory.Queues(); q.Total() != 0 {
			t.Errorf("%d messages wait with it", q.Total())
		}
		o.is("one", durable.Running)
		o.must(o.complete(o.tokens[0], 42))
		o.must(o.complete(o.tokens[0], 43)) // the first one counts
		o.settle()
		o.ran(1)
		if in := o.is("one", durable.Completed); string(in.Output) != `"42"` {
			t.Errorf("the output is %s", in.Output)
		}
		o.refuses(durable.ErrEnded, o.complete(o.tokens[0], 42))
		o.refuses(durable.ErrEnded, o.beat(o.tokens[0]))
	})
	t.Run("may come before the body has returned", func(t *testing.T) {
		t.Parallel()
		a := durable.NewActivity[int, int]("A", durable.Async, durable.Timeout(time.Minute))
		var h *hub
		h = newHub(t, worker.Config{}, callOnce(a), a.Bind(func(ctx context.Context, n int) (int, error) {
			return 0, errors.Join(durable.ErrPending, a.Complete(ctx, h.client, durable.Token(ctx), n))
		}))
		h.submit("one")
		h.settle()
		h.advance(2 * time.Minute)
		h.is("one", durable.Completed)
	})
	t.Run("fails as the policy says", func(t *testing.T) {
		t.Parallel()
		o := newOutside(t, three)
		o.must(o.fail(o.tokens[0], wrong))
		o.settle()
		o.refuses(durable.ErrNotPending, o.fail(o.tokens[0], wrong))
		o.refuses(durable.ErrNotPending, o.beat(o.tokens[0]))
		o.advance(time.Second)
		o.ran(2)
		o.must(o.fail(o.tokens[1], durable.Permanent(fmt.Errorf("no such address: %w", wrong))))
		o.settle()
		o.ran(2)
		o.failed(wrong, "no such address")
	})
	t.Run("of an earlier attempt is taken", func(t *testing.T) {
		t.Parallel()
		o := newOutside(t, three)
		o.must(o.fail(o.tokens[0], wrong))
		o.settle()
		o.advance(time.Second)
		o.ran(2)
		o.must(o.complete(o.tokens[0], 7))
		o.settle()
		o.is("one", durable.Completed)
	})
	t.Run("of another activity, life or text is refused", func(t *testing.T) {
		t.Parallel()
		o := newOutside(t)
		other := durable.NewActivity[int, int]("B", durable.Async)
		o.refuses(durable.ErrInvalid, other.Complete(t.Context(), o.client, o.tokens[0], 1))
		o.refuses(durable.ErrInvalid, o.complete("abc", 1))
		o.refuses(durable.ErrInvalid, o.complete(o.tokens[0]+"=", 1))
		o.refuses(durable.ErrInvalid, o.complete(strings.Repeat("A", 10_000), 1))
		o.refuses(durable.ErrInvalid, o.fail(o.tokens[0], nil))
		o.refuses(durable.ErrInvalid, o.beat(o.tokens[0], strings.Repeat("x", 20<<10)))
		o.manage("one", durable.Terminate, "enough")
		o.settle()
		o.refuses(durable.ErrEnded, o.complete(o.tokens[0], 1))
		o.submit("one")
		o.settle()
		o.ran(2)
		o.refuses(durable.ErrNotPending, o.complete(o.tokens[0], 1))
		o.must(o.complete(o.tokens[1], 1))
		o.settle()
		o.is("one", durable.Completed)
	})
}

func TestAnOutcomeThatDoesNotCome(t *testing.T) {
	t.Parallel()
	t.Run("is a time-out, and the body runs again", func(t *testing.T) {
		t.Parallel()
		o := newOutside(t, durable.Timeout(24*time.Hour), durable.Retry{Attempts: 2})
		o.advance(24*time.Hour - time.Second)
		o.ran(1)
		o.advance(2 * time.Second)
		o.ran(2)
		if o.tokens[0] == o.tokens[1] {
			t.Error("both attempts have one token")
		}
		o.advance(25 * time.Hour)
		o.failed(durable.ActivityTimedOut, "no outcome came within the time-out of 24h")
	})
	t.Run("is a missed heartbeat", func(t *testing.T) {
		t.Parallel()
		o := newOutside(t, durable.HeartbeatTimeout(time.Minute), durable.Retry{Attempts: 2})
		for i := range 5 {
			o.advance(50 * time.Second)
			o.must(o.beat(o.tokens[0], fmt.Sprint("part ", i)))
		}
		o.must(o.beat(o.tokens[0]))
		o.ran(1)
		o.advance(58 * time.Second)
		o.ran(1)
		o.advance(3 * time.Second)
		o.ran(2)
		if o.last[0] != "" || o.last[1] != "part 4" {
			t.Errorf("the bodies read the heartbeats %q", o.last)
		}
		o.advance(2 * time.Minute)
		o.failed(durable.ActivityTimedOut, "the heartbeat was missed: none came for 1m0s")
	})
	t.Run("misses the deadline, and no attempt follows", func(t *testing.T) {
		t.Parallel()
		o := newOutside(t, durable.Deadline(time.Hour), durable.Retry{Attempts: 5})
		o.advance(time.Hour + time.Second)
		o.ran(1)
		o.failed(durable.ActivityTimedOut, "the deadline of 1h0m0s over all attempts passed before an outcome came")
	})
	t.Run("is not waited for by who has ended", func(t *testing.T) {
		t.Parallel()
		o := newOutside(t, durable.Timeout(time.Hour), durable.Retry{Attempts: 5})
		o.manage("one", durable.Terminate, "enough")
		o.advance(3 * time.Hour)
		o.ran(1)
		if q := o.memory.Queues(); q.Total() != 0 {
			t.Errorf("%d messages are left", q.Total())
		}
	})
}

func TestABodyThatHasHandedItsWorkOnDoesNotRunAgain(t *testing.T) {
	t.Parallel()
	t.Run("when its message comes again", func(t *testing.T) {
		t.Parallel()
		a := durable.NewActivity[int, int]("A", durable.Async, durable.Timeout(time.Hour))
		runs := 0
		h := newHub(t, worker.Config{}, callOnce(a), a.Bind(func(ctx context.Context, _ int) (int, error) {
			runs++
			durable.Token(ctx)
			return 0, durable.ErrPending
		}))
		h.submit("one")
		h.orchestrate()
		d := h.take(h.ports.Activities)
		h.done([]worker.Outcome{h.Activity(t.Context(), d[0]), h.Activity(t.Context(), d[0])})
		if runs != 1 {
			t.Errorf("it ran %d times", runs)
		}
		h.advance(time.Hour + time.Second)
		h.is("one", durable.Failed)
	})
	t.Run("when its instance is repaired", func(t *testing.T) {
		t.Parallel()
		o := newOutside(t, three, durable.Timeout(time.Hour))
		o.must(o.fail(o.tokens[0], wrong))
		o.settle()
		o.advance(time.Second)
		o.ran(2)
		if _, err := o.Repair(t.Context(), "one"); err != nil {
			t.Error(err)
		}
		o.settle()
		o.ran(2)
		o.must(o.complete(o.tokens[1], 42))
		o.settle()
		o.is("one", durable.Completed)
	})
	t.Run("unless its attempt is over", func(t *testing.T) {
		t.Parallel()
		o := newOutside(t, three)
		o.must(o.fail(o.tokens[0], wrong))
		o.settle()
		o.take(o.ports.Activities)
		o.now = o.now.Add(time.Minute)
		o.take(o.ports.Activities) // the second attempt is lost
		if _, err := o.Repair(t.Context(), "one"); err != nil {
			t.Error(err)
		}
		o.settle()
		o.ran(2)
		o.must(o.complete(o.tokens[1], 42))
		o.settle()
		o.is("one", durable.Completed)
	})
}

func TestErrPendingOfABodyThatNobodyCouldReportFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts []durable.ActivityOption
		body func(context.Context, int) (int, error)
		says string
	}{
		"it is not Async": {nil, func(ctx context.Context, _ int) (int, error) { durable.Token(ctx); return 0, durable.ErrPending }, "a contract that is not durable.Async"},
		"it has no token": {[]durable.ActivityOption{durable.Async}, func(context.Context, int) (int, error) { return 0, durable.ErrPending }, "durable.Token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := durable.NewActivity[int, int]("A", append(c.opts, three)...)
			h := newHub(t, worker.Config{}, callOnce(a), a.Bind(c.body))
			h.submit("one")
			h.settle()
			if f := h.is("one", durable.Failed).Failure; !strings.Contains(f.Message, "A failed: it returned ErrPending") || !strings.Contains(f.Message, c.says) {
				t.Errorf("the failure is %+v", f)
			}
		})
	}
}

func TestATokenOfABodyThatFailedFailsNothingMore(t *testing.T) {
	t.Parallel()
	a := durable.NewActivity[int, int]("A", durable.Async, durable.Retry{Attempts: 9, Initial: time.Minute})
	var tokens []string
	h := newHub(t, worker.Config{}, callOnce(a), a.Bind(func(ctx context.Context, _ int) (int, error) {
		tokens = append(tokens, durable.Token(ctx))
		return 0, errors.New("the carrier does not answer")
	}))
	h.submit("one")
	h.settle()
	if err := a.Fail(t.Context(), h.client, tokens[0], wrong); !errors.Is(err, durable.ErrNotPending) {
		t.Errorf("got %v", err)
	}
	h.advance(61 * time.Second)
	if len(tokens) != 2 {
		t.Errorf("it ran %d times", len(tokens))
	}
}
