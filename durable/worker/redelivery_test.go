package worker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/worker"
	"github.com/google/go-cmp/cmp"
)

// two asks for two activities and a long timer after each thing that it waits for.
func two(ctx durable.Context, _ string) (string, error) {
	ask := func() (*durable.Future[string], *durable.Future[string]) {
		a, b := greet.Start(ctx, "a"), greet.Start(ctx, "b")
		durable.After(ctx, 24*time.Hour)
		return a, b
	}
	first, _ := ask()
	if _, err := first.Await(); err != nil {
		return "", err
	}
	ask()
	if _, err := yes.Next(ctx).Await(); err != nil {
		return "", err
	}
	ask()
	if err := durable.Sleep(ctx, time.Minute); err != nil {
		return "", err
	}
	ask()
	_, err := yes.Next(ctx).Await()
	return "", err
}

// lost is what a turn had sent, and now nobody has: activities, and how many due rows.
func (h *hub) lost() ([]string, int) {
	h.t.Helper()
	due := 0
	for _, item := range h.memory.Items() {
		if len(item.Partition) > 4 && item.Partition[:4] == "due#" {
			due++
			if err := h.ports.Table.Delete(h.t.Context(), item.Key); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	return operations(h.t, h.take(h.ports.Activities)), due
}

// owes delivers a message that was consumed before, and fails unless it sends what was lost.
func (h *hub) owes(kind string, handle func() []worker.Outcome, want []string, wantDue int) {
	h.t.Helper()
	h.done(handle())
	got, due := h.lost()
	if diff := cmp.Diff(want, got); diff != "" || due != wantDue {
		h.t.Errorf("the redelivered %s sent %d timers, want %d, and other activities (-want +got):\n%s", kind, due, wantDue, diff)
	}
}

func TestAMessageThatComesAgainOwesWhatIsStillOpen(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, greet.Bind(greetBody), hello.Bind(two))
	inbox := func(batch []backend.Delivery) func() []worker.Outcome {
		return func() []worker.Outcome { return h.Inbox(t.Context(), batch) }
	}
	h.submit("one")
	start := h.take(h.ports.Wake)
	again := func() []worker.Outcome { return h.Wake(t.Context(), start) }
	h.owes("start (the first time)", again, []string{"0", "1"}, 1)
	h.owes("start", again, []string{"0", "1"}, 1)
	h.done(again())
	work := h.take(h.ports.Activities)
	h.lost()

	h.done([]worker.Outcome{h.Activity(t.Context(), work[0])})
	result := h.take(h.ports.Inbox)
	h.owes("result (the first time)", inbox(result), []string{"3", "4"}, 1)
	h.owes("result", inbox(result), []string{"3", "4"}, 1)
	h.owes("start", again, []string{"1"}, 1) // operation 0 has its outcome

	h.done([]worker.Outcome{h.Activity(t.Context(), work[0])}) // a redelivered activity: the inbox knows its result
	h.owes("second result", inbox(h.take(h.ports.Inbox)), nil, 0)

	h.raise("one")
	event := h.take(h.ports.Inbox)
	h.owes("event (the first time)", inbox(event), []string{"6", "7"}, 1)
	h.owes("event", inbox(event), []string{"6", "7"}, 1)

	h.now = h.now.Add(time.Minute)
	fires := h.take(h.ports.Wake)
	h.done(h.Wake(t.Context(), fires))
	fired := h.take(h.ports.Inbox)
	h.owes("timer (the first time)", inbox(fired), []string{"10", "11"}, 1)
	h.owes("timer", inbox(fired), []string{"10", "11"}, 1)

	for _, c := range []durable.Command{durable.Suspend, durable.Resume} {
		h.manage("one", c, "")
		call := h.take(h.ports.Inbox)
		h.owes(fmt.Sprint("command ", c, " (the first time)"), inbox(call), nil, 0)
		h.owes(fmt.Sprint("command ", c), inbox(call), nil, 0)
	}
	h.raise("one")
	last := h.take(h.ports.Inbox)
	row := h.rowItem()
	open := []string{"1", "3", "4", "6", "7", "10", "11"}
	h.owes("last event (the first time)", inbox(last), open, 0)
	h.is("one", durable.Completed)
	for kind, handle := range map[string]func() []worker.Outcome{"last event": inbox(last), "result": inbox(result), "start": again} {
		h.owes(kind+", after the end", handle, nil, 0) // who has shown the end has sent everything
		if err := h.ports.Table.Put(t.Context(), row, backend.Always()); err != nil {
			t.Fatal(err)
		}
		h.owes(kind+", after an end that is not shown", handle, open, 0)
		h.is("one", durable.Completed)
	}
}

// rowItem is the one status row as it is stored.
func (h *hub) rowItem() backend.Item {
	h.t.Helper()
	for _, item := range h.memory.Items() {
		if item.Sort == "row" {
			return item
		}
	}
	h.t.Fatal("there is no row")
	return backend.Item{}
}

// A commit whose flush was lost: the status row is late as well.
func TestAMessageThatComesAgainShowsTheStatus(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, hello.Bind(func(ctx durable.Context, _ string) (string, error) { return "fine", nil }))
	h.submit("one")
	row := h.rowItem()
	start := h.take(h.ports.Wake)
	h.done(h.Wake(t.Context(), start))
	h.is("one", durable.Completed)
	if err := h.ports.Table.Put(t.Context(), row, backend.Always()); err != nil {
		t.Fatal(err)
	}
	h.is("one", durable.Running) // it has begun, and its end is not shown
	h.done(h.Wake(t.Context(), start))
	h.is("one", durable.Completed)
}

func TestMessagesThatMeanNothingAreDropped(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, greet.Bind(greetBody),
		hello.Bind(func(ctx durable.Context, _ string) (string, error) {
			_, err := yes.Within(ctx, time.Minute)
			return "", err
		}))
	h.submit("one")
	h.orchestrate()
	h.raise("one")
	h.orchestrate()
	h.is("one", durable.Completed)
	before := len(h.segments("one"))
	h.now = h.now.Add(time.Minute)
	h.orchestrate() // the cancelled timer, late
	if got := len(h.segments("one")); got != before {
		t.Errorf("the history has %d commits, want %d", got, before)
	}
}
