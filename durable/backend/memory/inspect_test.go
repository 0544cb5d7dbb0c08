package memory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/delivery"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
)

func send(t *testing.T, q backend.Queue, messages ...backend.Message) {
	t.Helper()
	if err := errors.Join(q.Send(t.Context(), messages)...); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, q backend.Queue, max int) []string {
	t.Helper()
	got, err := q.Receive(t.Context(), max, 0)
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, d := range got {
		bodies = append(bodies, string(d.Body))
	}
	return bodies
}

func TestQueuesAndNextDueFollowTheClock(t *testing.T) {
	t.Parallel()
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	now := start
	b := memory.New(memory.Options{Now: func() time.Time { return now }})
	if due, ok := b.NextDue(); ok {
		t.Errorf("an empty backend has something due at %v", due)
	}
	ports := b.Backend()
	send(t, ports.Wake, backend.Message{Delay: time.Minute}, backend.Message{Delay: 2 * time.Minute})
	send(t, ports.Activities, backend.Message{})
	send(t, ports.Inbox, backend.Message{Group: "g"}, backend.Message{Group: "g"}, backend.Message{Group: "h"})
	receive(t, ports.Inbox, 1)

	steps := []struct {
		at   time.Duration
		want memory.Queues
		due  time.Duration
	}{
		{0, memory.Queues{
			Inbox:      delivery.Counts{Ready: 1, Held: 1, InFlight: 1},
			Wake:       delivery.Counts{Delayed: 2},
			Activities: delivery.Counts{Ready: 1},
		}, memory.DefaultVisibility},
		{memory.DefaultVisibility, memory.Queues{
			Inbox:      delivery.Counts{Ready: 3},
			Wake:       delivery.Counts{Delayed: 2},
			Activities: delivery.Counts{Ready: 1},
		}, time.Minute},
		{time.Minute, memory.Queues{
			Inbox:      delivery.Counts{Ready: 3},
			Wake:       delivery.Counts{Ready: 1, Delayed: 1},
			Activities: delivery.Counts{Ready: 1},
		}, 2 * time.Minute},
	}
	for _, step := range steps {
		now = start.Add(step.at)
		if diff := cmp.Diff(step.want, b.Queues()); diff != "" {
			t.Errorf("after %v (-want +got):\n%s", step.at, diff)
		}
		if due, ok := b.NextDue(); !ok || !due.Equal(start.Add(step.due)) {
			t.Errorf("after %v the next is due at %v, %v, want %v", step.at, due, ok, step.due)
		}
	}
	if queues := b.Queues(); queues.Total() != 6 || queues.Ready() != 5 {
		t.Errorf("got %d messages, %d of them ready, want 6 and 5", queues.Total(), queues.Ready())
	}
}

func TestPickChoosesAmongGroupsAndKeepsTheirOrder(t *testing.T) {
	t.Parallel()
	b := memory.New(memory.Options{Pick: func(n int) int { return n - 1 }}).Backend()
	for i := range 6 {
		send(t, b.Inbox, backend.Message{Group: fmt.Sprint(i % 3), Body: fmt.Append(nil, i)})
	}
	if diff := cmp.Diff([]string{"2", "5", "1", "4", "0", "3"}, receive(t, b.Inbox, 10)); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

func TestUnorderedInboxLetsPickChooseAmongMessages(t *testing.T) {
	t.Parallel()
	b := memory.New(memory.Options{Unordered: true, Pick: func(n int) int { return n - 1 }}).Backend()
	for i := range 4 {
		send(t, b.Inbox, backend.Message{ID: "same", Group: "g", Body: fmt.Append(nil, i)})
	}
	first, rest := receive(t, b.Inbox, 1), receive(t, b.Inbox, 10)
	if diff := cmp.Diff([]string{"3", "2", "1", "0"}, append(first, rest...)); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

func TestDeleteExpiredAndItems(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	b := memory.New(memory.Options{Now: func() time.Time { return now }})
	table := b.Backend().Table
	for i, key := range []backend.Key{{Partition: "b", Sort: "2"}, {Partition: "b", Sort: "1"}, {Partition: "a", Sort: "3"}} {
		item := backend.Item{Key: key, Index: &backend.IndexEntry{Partition: "i", Sort: "s"}}
		if i == 1 {
			item.Expires = now.Add(time.Minute)
		}
		if err := table.Put(t.Context(), item, backend.Absent()); err != nil {
			t.Fatal(err)
		}
	}
	keys := func() (keys []string) {
		for _, item := range b.Items() {
			keys = append(keys, item.Partition+item.Sort)
		}
		return keys
	}
	if got := b.DeleteExpired(); got != 0 {
		t.Errorf("%d items expired before their time", got)
	}
	if diff := cmp.Diff([]string{"a3", "b1", "b2"}, keys()); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	now = now.Add(time.Minute)
	if got := b.DeleteExpired(); got != 1 {
		t.Errorf("%d items expired, want 1", got)
	}
	listed, err := table.Index(t.Context(), "i", "", "", 10)
	if diff := cmp.Diff([]string{"a3", "b2"}, keys()); diff != "" || len(listed) != 2 || err != nil {
		t.Errorf("index %v, error %v, items (-want +got):\n%s", listed, err, diff)
	}
}
