package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// due finds due rows that no sweep has sent. While nobody else has the hub open, no sweep runs, and that is no finding: the
// next server begins with one.
func (e *examination) due(ctx context.Context) error {
	rows, err := e.Store.Overdue(ctx, e.now.Add(-e.Grace))
	if err != nil {
		return fmt.Errorf("look at due rows: %w", err)
	}
	var late []*history.Message
	since := e.now
	for _, row := range rows {
		switch {
		case errors.Is(row.Err, history.ErrNewer):
			e.find(Finding{Kind: Newer, Problem: fmt.Sprintf("the due row %s cannot be read: %v", row.Key.Sort, row.Err)}, nil)
		case row.Err != nil:
			e.find(Finding{Kind: Damaged, Problem: fmt.Sprintf("the due row %s cannot be read: %v", row.Key.Sort, row.Err)}, nil)
		default:
			late = append(late, row.Message)
			e.waiting.note(row.Message)
			if row.At.Before(since) {
				since = row.At
			}
		}
	}
	if len(late) == 0 || e.Exclusive {
		return nil
	}
	f := Finding{Kind: Unswept, Since: since, Action: "sweep",
		Problem: fmt.Sprintf("%s not sent when due, such as one for %s: the sweep does not run, or fails", plural(len(late), "due row was", "due rows were"), late[0].Instance)}
	e.find(f, func() error { _, err := e.Worker.Sweep(ctx); return err })
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
