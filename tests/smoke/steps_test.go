package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheStepsGoOnAfterOneThatFails(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &smokeRun{out: &out}
	err := r.walk(t.Context(), nil, []step{
		{"first", func(context.Context, *deployment) (string, error) { return "all is well", nil }},
		{"second", func(context.Context, *deployment) (string, error) { return "", errors.New("nobody answers") }},
		{"third", func(context.Context, *deployment) (string, error) { return "", nil }},
	})
	if err == nil || err.Error() != "1 of 3 steps failed: second" {
		t.Errorf("got %v", err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], "all is well") || !strings.Contains(lines[1], "FAIL second") || !strings.HasSuffix(lines[1], "nobody answers") {
		t.Errorf("it says\n%s", &out)
	}
}

func TestTheStepsEndWhenInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	err := (&smokeRun{out: &bytes.Buffer{}}).walk(ctx, nil, []step{
		{"first", func(context.Context, *deployment) (string, error) { cancel(); return "", nil }},
		{"second", func(context.Context, *deployment) (string, error) { t.Error("it goes on"); return "", nil }},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// The orders must pass the door, and the standing one the starter's start, which gives it an id.
func TestTheOrdersAreOrders(t *testing.T) {
	t.Parallel()
	small, large := newOrder("first", 1250), newOrder("large", 250_000)
	if err := errors.Join(small.Check(), large.Check()); err != nil {
		t.Error(err)
	}
	if small.NeedsApproval() || !large.NeedsApproval() {
		t.Error("the large order is to need approval, the small one none")
	}
}

func TestIdentitiesThatLetAnAddressSend(t *testing.T) {
	t.Parallel()
	got := identities("shop@mail.example.com")
	if want := []string{"shop@mail.example.com", "mail.example.com", "example.com"}; !slices.Equal(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
}

func TestMailsOfAnOrder(t *testing.T) {
	t.Parallel()
	mail := func(kind string, took time.Duration) event {
		return event{EventType: kind, FunctionName: "SendStatus", ScheduledTime: time.Unix(1, 0), Timestamp: time.Unix(1, 0).Add(took)}
	}
	other := event{EventType: "TaskCompleted", FunctionName: "ChargeCard", Timestamp: time.Unix(99, 0)}
	sent, slowest, err := mails([]event{mail("TaskCompleted", 2*time.Second), other, mail("TaskCompleted", time.Second)})
	if sent != 2 || slowest != 2*time.Second || err != nil {
		t.Errorf("got %d, %v, %v", sent, slowest, err)
	}
	if _, _, err := mails([]event{mail("TaskCompleted", 1), mail("TaskFailed", 1)}); err == nil {
		t.Error("a mail that failed is not noticed")
	}
	if _, _, err := mails([]event{other}); err == nil {
		t.Error("that nothing was mailed is not noticed")
	}
}
