// Package approval is the pattern human interaction: ask somebody, wait for days, remind them, and do without them in the end.
package approval

import (
	"errors"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// The contracts of the pattern.
var (
	Ask      = durable.NewActivity[string, durable.None]("Ask")
	Escalate = durable.NewActivity[string, durable.None]("Escalate")
	Decision = durable.NewEvent[bool]("Decision")
	Approve  = durable.NewOrchestration[string, string]("Approve")
)

const (
	reminders = 2
	patience  = 24 * time.Hour
)

// Run asks for a decision, and reminds once a day. Who decides nothing is passed over.
func Run(ctx durable.Context, what string) (string, error) {
	for range 1 + reminders {
		if _, err := Ask.Call(ctx, what); err != nil {
			return "", err
		}
		yes, err := Decision.Within(ctx, patience)
		switch {
		case err == nil && yes:
			return "approved", nil
		case err == nil:
			return "refused", nil
		case !errors.Is(err, durable.ErrTimeout):
			return "", err
		}
	}
	_, err := Escalate.Call(ctx, what)
	return "escalated", err
}
