package worker_test

import (
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// The message, or the due row, that a scheduled start waits for is lost, and a repair sends it again.
func TestRepairOfAScheduledStart(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]time.Duration{"a message": time.Minute, "a due row": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, worker.Config{}, hello.Bind(func(durable.Context, string) (string, error) { return "done", nil }))
			if _, err := hello.Submit(t.Context(), h.client, "in", durable.ID("a"), durable.StartAt(durabletest.Epoch.Add(in))); err != nil {
				t.Fatal(err)
			}
			h.settle()
			h.is("a", durable.Pending)
			h.loseDueRows()
			h.now = h.now.Add(10 * time.Minute)
			h.drop() // what was due, if it was in a queue
			if got := h.waits("a"); got != "TimerCreated start" {
				t.Errorf("the checkup says %q", got)
			}
			h.repair("a")
			h.settle()
			h.advance(time.Hour)
			h.is("a", durable.Completed)
			if got := h.waits("a"); got != "" {
				t.Errorf("after its end the checkup says %q", got)
			}
		})
	}
}

// The message comes early: by the clock of this worker, which is behind. The code does not run.
func TestAScheduledStartThatIsWokenEarly(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, hello.Bind(func(durable.Context, string) (string, error) { return "done", nil }))
	if _, err := hello.Submit(t.Context(), h.client, "in", durable.ID("a"), durable.StartAt(durabletest.Epoch.Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.now = h.now.Add(time.Minute)
	batch := h.take(h.ports.Wake)
	if len(batch) != 1 {
		t.Fatalf("%d messages are due, want one", len(batch))
	}
	h.now = h.now.Add(-2 * time.Second)
	h.done(h.Wake(t.Context(), batch))
	h.settle()
	h.is("a", durable.Pending)
	h.advance(10 * time.Second)
	h.is("a", durable.Completed)
}

// Whoever dies between the commit of a scheduled start and the send of its timer leaves the start: it comes again, and sends it.
func TestTheStartThatComesAgainWakesIt(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, hello.Bind(func(durable.Context, string) (string, error) { return "done", nil }))
	if _, err := hello.Submit(t.Context(), h.client, "in", durable.ID("a"), durable.StartAt(durabletest.Epoch.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	start := h.take(h.ports.Wake)
	h.done(h.Wake(t.Context(), start))
	h.loseDueRows()
	h.done(h.Wake(t.Context(), start))
	h.advance(2 * time.Hour)
	h.is("a", durable.Completed)
}
