package backendtest_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
)

// always is a plan with one fault for one kind of call.
func always(op string, fault backendtest.Fault) backendtest.Plan {
	return func(got string) backendtest.Fault {
		if got == op {
			return fault
		}
		return backendtest.None
	}
}

func TestFaultyPut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		fault  backendtest.Fault
		effect bool
		fails  bool
	}{
		{"none", backendtest.None, true, false},
		{"before the effect", backendtest.Before, false, true},
		{"after the effect", backendtest.After, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inner := memory.New(memory.Options{})
			b := backendtest.Faulty(inner.Backend(), always("table.put", test.fault))
			item := backend.Item{Key: backend.Key{Partition: "p", Sort: "s"}}
			err := b.Table.Put(t.Context(), item, backend.Absent())
			if got := errors.Is(err, backendtest.ErrInjected); got != test.fails {
				t.Errorf("Put returned %v, want it to fail: %v", err, test.fails)
			}
			if got := len(inner.Items()) == 1; got != test.effect {
				t.Errorf("the item is there: %v, want %v", got, test.effect)
			}
		})
	}
}

func TestFaultySendFailsMessagesAlone(t *testing.T) {
	t.Parallel()
	faults := []backendtest.Fault{backendtest.None, backendtest.Before, backendtest.After, backendtest.None}
	next := 0
	b := backendtest.Faulty(memory.New(memory.Options{}).Backend(), func(op string) backendtest.Fault {
		if op != "inbox.send" {
			return backendtest.None
		}
		next++
		return faults[next-1]
	})
	var messages []backend.Message
	for _, body := range []string{"whole", "lost", "answer lost", "refused"} {
		messages = append(messages, backend.Message{Group: "g", Body: []byte(body)})
	}
	messages[3].Group = ""

	errs := b.Inbox.Send(t.Context(), messages)
	var got []string
	for _, err := range errs {
		switch {
		case err == nil:
			got = append(got, "nil")
		case errors.Is(err, backendtest.ErrInjected):
			got = append(got, "injected")
		case errors.Is(err, backend.ErrInvalid):
			got = append(got, "invalid")
		}
	}
	if diff := cmp.Diff([]string{"nil", "injected", "injected", "invalid"}, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	deliveries, err := b.Inbox.Receive(t.Context(), 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, d := range deliveries {
		bodies = append(bodies, string(d.Body))
	}
	if diff := cmp.Diff([]string{"whole", "answer lost"}, bodies); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
}

func TestFaultyReceiveLosesTheAnswer(t *testing.T) {
	t.Parallel()
	inner := memory.New(memory.Options{})
	b := backendtest.Faulty(inner.Backend(), always("wake.receive", backendtest.After))
	if errs := b.Wake.Send(t.Context(), []backend.Message{{Body: []byte("m")}}); errs != nil {
		t.Fatal(errs)
	}
	got, err := b.Wake.Receive(t.Context(), 1, 0)
	if !errors.Is(err, backendtest.ErrInjected) || got != nil {
		t.Errorf("got %v and error %v, want none and an injected fault", got, err)
	}
	if counts := inner.Queues().Wake; counts.InFlight != 1 {
		t.Errorf("got %+v, want the message in flight", counts)
	}
}

func TestFaultyWithoutFaultsConforms(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, backendtest.Config{
		Open: func(*testing.T) backendtest.System {
			b := memory.New(memory.Options{}).Backend()
			return backendtest.System{Backend: backendtest.Faulty(b, backendtest.Seeded(1, 0))}
		},
		Bubble:      synctest.Test,
		Parallel:    true,
		Visibility:  memory.DefaultVisibility,
		Ordered:     true,
		DedupWindow: memory.DedupWindow,
	})
}

func TestSeeded(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) (faults []backendtest.Fault) {
		plan := backendtest.Seeded(seed, 0.5)
		for range 1000 {
			faults = append(faults, plan("table.get"))
		}
		return faults
	}
	first := draw(1)
	if !slices.Equal(first, draw(1)) {
		t.Error("the same seed gave other faults")
	}
	if slices.Equal(first, draw(2)) {
		t.Error("another seed gave the same faults")
	}
	count := map[backendtest.Fault]int{}
	for _, fault := range first {
		count[fault]++
	}
	if count[backendtest.None] < 400 || count[backendtest.Before] < 150 || count[backendtest.After] < 150 {
		t.Errorf("got %v, want about 500, 250 and 250", count)
	}
}
