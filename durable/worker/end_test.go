package worker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// sends counts what is sent to the activities queue between two commits.
type sends struct {
	backend.Queue
	now, most int
}

func (s *sends) Send(ctx context.Context, m []backend.Message) []error {
	s.now += len(m)
	s.most = max(s.most, s.now)
	return s.Queue.Send(ctx, m)
}

// commits resets the count at each put of a segment.
type commits struct {
	backend.Table
	sends *sends
}

func (c commits) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	if item.Sort[:2] == "h#" {
		c.sends.now = 0
	}
	return c.Table.Put(ctx, item, cond)
}

func TestAnEndThatLeavesMuchBehindLetsItGoBitByBit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hasty bool // every turn is handed on as soon as it can be
		fails bool
	}{"at once": {}, "handed on": {hasty: true}, "failed": {fails: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n, inFlight = 95, 10
			h := newHub(t, worker.Config{InFlight: inFlight, NearDeadline: func(context.Context) bool { return c.hasty }},
				greet.Bind(greetBody), hello.Bind(func(ctx durable.Context, _ string) (string, error) {
					for range n {
						greet.Start(ctx, "x")
					}
					if c.fails {
						return "", wrong
					}
					return "", nil
				}))
			ports := h.ports
			counter := &sends{Queue: ports.Activities}
			ports.Activities, ports.Table = counter, commits{ports.Table, counter}
			h.cfg.Store = store.New(store.Config{Backend: ports, Now: func() time.Time { return h.now }})
			h.deploy("build 1", h.cfg.Handlers...)
			h.submit("one")
			rounds := 0
			for batch := h.take(h.ports.Wake); len(batch) > 0; batch = h.take(h.ports.Inbox) {
				if in, err := h.client.Get(t.Context(), "one"); err != nil || in.Status.Ended() {
					t.Fatalf("after %d rounds it is shown as %s, and has not let everything go (%v)", rounds, in.Status, err)
				}
				h.done(h.Wake(t.Context(), batch))
				rounds++
			}
			want := durable.Completed
			if c.fails {
				want = durable.Failed
			}
			h.is("one", want)
			if got := len(operations(t, h.take(h.ports.Activities))); got != n {
				t.Errorf("%d activities were sent, want %d", got, n)
			}
			if counter.most > 2*inFlight {
				t.Errorf("%d were sent between two commits, want at most %d", counter.most, 2*inFlight)
			}
			if c.hasty && rounds < n/inFlight/2 {
				t.Errorf("it took %d rounds", rounds)
			}
		})
	}
}

// A purge that broke off leaves a row without its history once the tombstones have expired.
func TestARowOfWhatIsGoneBeginsNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		_, err := yes.Next(ctx).Await()
		return "", err
	}))
	h.submit("one")
	h.raise("one")
	late := h.take(h.ports.Inbox)
	h.orchestrate()
	h.raise("one")
	h.orchestrate()
	h.is("one", durable.Completed)
	for _, item := range h.memory.Items() {
		if item.Sort[:2] == "h#" {
			if err := h.ports.Table.Delete(t.Context(), item.Key); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.done(h.Inbox(t.Context(), late))
	for _, item := range h.memory.Items() {
		if item.Sort[:2] == "h#" {
			seg, err := hist.DecodeSegment(item.Value)
			t.Errorf("it has begun anew: %s (%v)", fmt.Sprint(seg), err)
		}
	}
}

// Whoever ends an instance does not delete once more what its turns have deleted, one row after the other.
func TestAnEndDoesNotCancelTimersAgain(t *testing.T) {
	t.Parallel()
	const n = 50
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		for range n {
			if _, err := yes.Within(ctx, 24*time.Hour); err != nil {
				return "", err
			}
		}
		return "", nil
	}))
	deletes := 0
	h.cfg.Store = store.New(store.Config{Now: func() time.Time { return h.now }, Backend: backendtest.Faulty(h.ports, func(op string) backendtest.Fault {
		if op == "table.delete" {
			deletes++
		}
		return backendtest.None
	})})
	h.deploy("build 1", h.cfg.Handlers...)
	h.submit("one")
	for range n {
		h.orchestrate()
		h.raise("one")
	}
	h.orchestrate()
	h.is("one", durable.Completed)
	if deletes != n {
		t.Errorf("%d timers were cancelled by %d deletions", n, deletes)
	}
}

// What is held back when an instance ends goes in as many calls as it takes. The first sends once more what is in flight, then a
// slice with the end, and one after it.
func TestAnEndOfThousandsIsHandedOn(t *testing.T) {
	t.Parallel()
	const n, inFlight = 6000, 1000
	h := newHub(t, worker.Config{NearDeadline: func(context.Context) bool { return true }}, greet.Bind(greetBody),
		hello.Bind(func(ctx durable.Context, _ string) (string, error) {
			for range n {
				greet.Start(ctx, "x")
			}
			_, err := yes.Next(ctx).Await()
			return "", err
		}))
	h.submit("one")
	sent := map[string]bool{}
	goOn := func() (calls int) {
		for batch := h.take(h.ports.Wake); ; batch = nil {
			if batch = append(batch, h.take(h.ports.Inbox)...); len(batch) == 0 {
				return calls
			}
			h.done(h.Wake(t.Context(), batch))
			calls++
			work := operations(t, h.take(h.ports.Activities))
			if len(work) > 3*inFlight {
				t.Errorf("call %d sends %d activities", calls, len(work))
			}
			for _, op := range work {
				sent[op] = true
			}
		}
	}
	goOn()
	if len(sent) != inFlight {
		t.Errorf("%d are in flight, want %d", len(sent), inFlight)
	}
	h.raise("one")
	if calls := goOn(); calls < n/inFlight-2 {
		t.Errorf("it came to an end in %d calls", calls)
	}
	h.is("one", durable.Completed)
	if len(sent) != n {
		t.Errorf("%d activities were sent, want %d", len(sent), n)
	}
}
