package sim

import (
	"context"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
)

// oldIndex is the index as it was: an index is read eventually consistent, and lags behind the table.
type oldIndex struct {
	w       *World
	table   backend.Table
	changes []change
}

type change struct {
	at   time.Time
	item backend.Item
}

func newOldIndex(w *World) *oldIndex {
	return &oldIndex{w: w, table: memory.New(memory.Options{}).Backend().Table}
}

// changed notes that item was put in the place of old.
func (x *oldIndex) changed(old *backend.Item, item backend.Item) {
	if item.Index == nil && (old == nil || old.Index == nil) || x.w.plan.Rates[stale] == 0 {
		return
	}
	x.changes = append(x.changes, change{x.w.now, item})
}

// then reads the index as it was some time ago. It never goes further back than it did before.
func (x *oldIndex) then(ctx context.Context, partition, from, to string, limit int) ([]backend.Indexed, error) {
	ago := x.w.now.Add(-pick(x.w.rng, 100*time.Millisecond, time.Second, time.Minute))
	for len(x.changes) > 0 && !x.changes[0].at.After(ago) {
		if err := x.table.Put(ctx, x.changes[0].item, backend.Always()); err != nil {
			return nil, err
		}
		x.changes = x.changes[1:]
	}
	x.w.trace.add("table", "answers from an index that lacks %d changes", len(x.changes))
	return x.table.Index(ctx, partition, from, to, limit)
}
