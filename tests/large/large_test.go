// Package large runs what is long and wide on the backends that need no network: many activities at once, many one after
// the other, and payloads of megabytes.
package large_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

var (
	echo  = durable.NewActivity[string, string]("Echo")
	wide  = durable.NewOrchestration[int, int]("Wide")
	long  = durable.NewOrchestration[int, int]("Long")
	heavy = durable.NewOrchestration[string, string]("Heavy")
	more  = durable.NewEvent[string]("More")
	blow  = durable.NewActivity[int, string]("Blow", durable.Retry{Attempts: 3})
	over  = durable.NewOrchestration[int, string]("Over")
)

func handlers() []durable.Handler {
	return []durable.Handler{
		echo.Bind(func(_ context.Context, s string) (string, error) { return s, nil }),
		wide.Bind(func(ctx durable.Context, n int) (int, error) {
			var all []*durable.Future[string]
			for i := range n {
				all = append(all, echo.Start(ctx, fmt.Sprint(i)))
			}
			out, err := durable.All(ctx, all...)
			return len(out), err
		}),
		long.Bind(func(ctx durable.Context, n int) (int, error) {
			for i := range n {
				text := fmt.Sprint(i, strings.Repeat(".", 500))
				if got, err := echo.Call(ctx, text); err != nil || got != text {
					return i, fmt.Errorf("activity %d returned %.20s, %w", i, got, err)
				}
			}
			return n, nil
		}),
		heavy.Bind(func(ctx durable.Context, in string) (string, error) {
			got, err := more.Next(ctx).Await()
			if err != nil {
				return "", err
			}
			return echo.Call(ctx, in+got)
		}),
		blow.Bind(func(_ context.Context, n int) (string, error) { return strings.Repeat("x", n), nil }),
		over.Bind(overdo),
	}
}

// overdo asks for what is too large in every way, and in the end returns it.
func overdo(ctx durable.Context, n int) (string, error) {
	_, input := echo.Call(ctx, strings.Repeat("x", n))
	_, result := blow.Call(ctx, n)
	_, step := durable.Step(ctx, "blow", func(context.Context) (string, error) { return strings.Repeat("x", n), nil })
	for what, err := range map[string]error{"input": input, "result": result, "step": step} {
		if !errors.Is(err, durable.ErrTooLarge) {
			return "", fmt.Errorf("the %s: %w", what, err)
		}
	}
	var failed *durable.ActivityError
	if errors.As(result, &failed) && failed.Attempt != 1 {
		return "", fmt.Errorf("it was tried %d times", failed.Attempt)
	}
	return strings.Repeat("x", n), nil
}

// hub runs workers over a backend until an instance has ended.
type hub struct {
	t      *testing.T
	b      backend.Backend
	store  *store.Store
	client durable.Client
	mu     sync.Mutex
	calls  map[string]int
}

// backends are those that run here.
func backends(t *testing.T, run func(t *testing.T, h *hub)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		run(t, newHub(t, memory.New(memory.Options{}).Backend()))
	})
	t.Run("pebble", func(t *testing.T) {
		t.Parallel()
		db, err := pebble.Open(t.TempDir(), pebble.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		run(t, newHub(t, db.Backend()))
	})
}

func newHub(t *testing.T, b backend.Backend) *hub {
	h := &hub{t: t, calls: map[string]int{}}
	h.b = backendtest.Faulty(b, func(op string) backendtest.Fault {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls[op]++
		return backendtest.None
	})
	h.store = store.New(store.Config{Backend: h.b})
	h.client = client.New(h.store)
	return h
}

// work runs one orchestration worker and two of activities until the instance has ended.
func (h *hub) work(id string, cfg worker.Config) durable.Instance {
	h.t.Helper()
	cfg.Store, cfg.Handlers = h.store, handlers()
	w, err := worker.New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	defer w.Close()
	ctx, stop := context.WithCancel(h.t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	all.Go(func() { h.pump(ctx, h.b.Wake, w.Wake) })
	all.Go(func() { h.pump(ctx, h.b.Inbox, w.Inbox) })
	for range 2 {
		all.Go(func() {
			h.pump(ctx, h.b.Activities, func(ctx context.Context, batch []backend.Delivery) []worker.Outcome {
				var out []worker.Outcome
				for _, d := range batch {
					out = append(out, w.Activity(ctx, d))
				}
				return out
			})
		})
	}
	for h.t.Context().Err() == nil {
		in, err := h.client.Get(ctx, id)
		if err != nil {
			h.t.Fatal(err)
		}
		if in.Status.Ended() || in.Status == durable.Suspended {
			return in
		}
		time.Sleep(20 * time.Millisecond)
	}
	return durable.Instance{}
}

func (h *hub) pump(ctx context.Context, q backend.Queue, handle func(context.Context, []backend.Delivery) []worker.Outcome) {
	for ctx.Err() == nil {
		batch, err := q.Receive(ctx, backend.MaxBatch, 100*time.Millisecond)
		if err != nil || len(batch) == 0 {
			continue
		}
		for i, o := range handle(context.WithoutCancel(ctx), batch) {
			if !o.Ack {
				h.t.Errorf("not done: %v", o.Err)
				continue
			}
			if err := q.Ack(context.WithoutCancel(ctx), batch[i:i+1]); err != nil {
				h.t.Error(err)
			}
		}
	}
}

// completed fails unless the instance has.
func completed(t *testing.T, in durable.Instance, want string) {
	t.Helper()
	if in.Status != durable.Completed || string(in.Output) != want {
		t.Fatalf("%s is %s, %.80s %s", in.ID, in.Status, in.Output, in.SuspendReason)
	}
}

func TestTenThousandActivitiesAtOnce(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, h *hub) {
		if _, err := wide.Submit(t.Context(), h.client, 10_000, durable.ID("wide")); err != nil {
			t.Fatal(err)
		}
		completed(t, h.work("wide", worker.Config{Warm: 64 << 20}), "10000")
	})
}

// The history is past one page of a query, past a megabyte, and folded.
func TestThousandsOfActivitiesOneAfterTheOther(t *testing.T) {
	t.Parallel()
	const n = 2500
	backends(t, func(t *testing.T, h *hub) {
		if _, err := long.Submit(t.Context(), h.client, n, durable.ID("long")); err != nil {
			t.Fatal(err)
		}
		completed(t, h.work("long", worker.Config{Warm: 64 << 20}), fmt.Sprint(n))
		if q := h.calls["table.query"]; q > n/10 {
			t.Errorf("%d turns read the history %d times", n, q)
		}
		before := h.calls["table.query"]
		loaded, err := h.store.Load(t.Context(), "long", h.incarnation("long"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(loaded.Segments) != n+1 || loaded.Bytes < 1<<20 {
			t.Errorf("the history has %d segments of %d bytes", len(loaded.Segments), loaded.Bytes)
		}
		if q := h.calls["table.query"] - before; q > 2 {
			t.Errorf("it takes %d queries to read", q)
		}
	})
}

func (h *hub) incarnation(id string) string {
	row, err := h.store.Row(h.t.Context(), id)
	if err != nil || row == nil {
		h.t.Fatal(row, err)
	}
	return row.Incarnation
}

func TestPayloadsOfMegabytes(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, h *hub) {
		const size = 1_500_000
		if _, err := heavy.Submit(t.Context(), h.client, strings.Repeat("a", size), durable.ID("heavy")); err != nil {
			t.Fatal(err)
		}
		if err := more.Raise(t.Context(), h.client, "heavy", strings.Repeat("b", size)); err != nil {
			t.Fatal(err)
		}
		completed(t, h.work("heavy", worker.Config{}), `"`+strings.Repeat("a", size)+strings.Repeat("b", size)+`"`)
	})
}

// Nothing hangs on a payload that is too large: the door refuses it, or the operation fails, which the code may catch.
func TestWhatIsTooLargeFailsThatOperation(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, h *hub) {
		long := strings.Repeat("x", history.MaxPayload)
		if _, err := heavy.Submit(t.Context(), h.client, long); !errors.Is(err, durable.ErrInvalid) || !strings.Contains(err.Error(), "10485760") {
			t.Errorf("an input that is too large: %v", err)
		}
		if _, err := over.Submit(t.Context(), h.client, history.MaxPayload, durable.ID("over")); err != nil {
			t.Fatal(err)
		}
		if err := more.Raise(t.Context(), h.client, "over", long); !errors.Is(err, durable.ErrInvalid) {
			t.Errorf("an event that is too large: %v", err)
		}
		in := h.work("over", worker.Config{})
		if in.Status != durable.Failed || in.Failure == nil || in.Failure.Kind != string(durable.ErrTooLarge) {
			t.Errorf("it is %s: %+v", in.Status, in.Failure)
		}
		if !strings.Contains(in.Failure.Message, "output") {
			t.Errorf("not its output is too large, but: %s", in.Failure.Message)
		}
	})
}
