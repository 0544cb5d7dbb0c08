package approval_test

import (
	"context"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/examples/patterns/approval"
)

func TestApproval(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for _, c := range []struct {
		name     string
		decision *bool
		after    time.Duration
		want     string
		asked    int
	}{
		{"at once", &yes, 0, "approved", 1},
		{"after a reminder", &no, 30 * time.Hour, "refused", 2},
		{"never", nil, 0, "escalated", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			asked, escalated := 0, 0
			count := func(n *int) func(context.Context, string) (durable.None, error) {
				return func(context.Context, string) (durable.None, error) { *n++; return durable.None{}, nil }
			}
			sys := durabletest.New(t, approval.Approve.Bind(approval.Run), approval.Ask.Bind(count(&asked)), approval.Escalate.Bind(count(&escalated)))
			run, err := approval.Approve.Submit(t.Context(), sys.Client, "a holiday")
			if err != nil {
				t.Fatal(err)
			}
			sys.Advance(c.after)
			if c.decision != nil {
				if err := approval.Decision.Raise(t.Context(), sys.Client, run.ID(), *c.decision); err != nil {
					t.Fatal(err)
				}
			}
			sys.Advance(96 * time.Hour)
			out, err := run.Wait(t.Context())
			if out != c.want || err != nil || asked != c.asked || (escalated == 1) != (c.want == "escalated") {
				t.Errorf("got %q, %v; asked %d times, escalated %d times", out, err, asked, escalated)
			}
		})
	}
}
