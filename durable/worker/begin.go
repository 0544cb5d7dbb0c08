package worker

import (
	"context"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// accept makes the status row of a start, or finds that it was refused. A refused start is dropped with all messages of
// its batch, and so is one whose life is gone.
func (a *attempt) accept(ctx context.Context, m *history.Message) (bool, error) {
	if isChild(&m.Event) {
		return a.adopt(ctx, m)
	}
	// Mostly the client has made it, and a put that fails is billed as one that does not: ten times the price of a read.
	row, err := a.w.store.Row(ctx, m.Instance)
	accepted := row != nil && row.Incarnation == m.Incarnation
	if err == nil && !accepted {
		accepted, row, err = a.w.store.Create(ctx, m)
	}
	if err != nil || accepted && shows(row) == 0 {
		return accepted, err
	}
	return false, a.begun(ctx, row)
}

// begun explains a row that shows more than a history that was empty. Another worker was first, when the history exists by now:
// that is a conflict. Or a purge broke off so long ago that its tombstones have expired: such a life does not begin anew.
func (a *attempt) begun(ctx context.Context, row *history.Row) error {
	exists, err := a.w.store.Exists(ctx, a.g.instance, a.g.incarnation)
	switch {
	case err != nil:
		return err
	case exists:
		return store.ErrConflict
	case row != nil && row.Incarnation == a.g.incarnation && !row.Status.Ended() && !row.Purged:
		return fmt.Errorf("%w: it shows %d segments, and there are none", ErrAhead, shows(row))
	}
	return nil
}

// shows is how many segments a row shows at least. One of number 0 that shows more than Pending is that of an instance which has begun.
func shows(row *history.Row) uint64 {
	if row.Number == 0 && (row.Generation > 0 || row.Status != history.StatusPending) {
		return 1
	}
	return row.Number
}
