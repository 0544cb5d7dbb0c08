package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// Purge removes an instance that has ended.
func (c *Client) Purge(ctx context.Context, id string) error {
	row, err := c.row(ctx, id)
	if err != nil {
		return err
	}
	if !row.Status.Ended() {
		return fmt.Errorf("instance %s: %w: terminate it first", id, durable.ErrNotEnded)
	}
	return c.purge(ctx, row)
}

// purge removes the instance that a row shows the end of, and no other: its children are instances of their own.
func (c *Client) purge(ctx context.Context, row *history.Row) error { return c.store.Purge(ctx, row) }

// purgePage is how many rows are read before the first of them is purged.
const purgePage = 25

// PurgeWhere removes what has ended of what a query selects.
func (c *Client) PurgeWhere(ctx context.Context, req durable.PurgeRequest) (done durable.Purged, err error) {
	q := req.Where
	q.Statuses = ends(req.Where.Statuses)
	if len(q.Statuses) == 0 {
		return done, nil
	}
	done.Continue = q.Continue
	begin, limit := c.store.Now(), q.Limit
	for {
		if q.Limit = purgePage; limit > 0 {
			q.Limit = min(purgePage, limit-done.Instances)
		}
		rows, next, err := c.list(ctx, q)
		if err != nil {
			return done, err
		}
		for _, row := range rows {
			err := c.purge(ctx, row)
			switch {
			case err == nil:
				done.Instances++
			case !errors.Is(err, store.ErrWentOn):
				return done, err
			}
			done.Continue = token(&q, store.Place(row))
			if over := req.Budget > 0 && c.store.Now().Sub(begin) >= req.Budget; over || done.Instances == limit && limit > 0 {
				return done, nil
			}
		}
		done.Continue, q.Continue = next, next
		if over := req.Budget > 0 && c.store.Now().Sub(begin) >= req.Budget; over || next == "" {
			return done, nil
		}
	}
}

// ends are the statuses of these that are final; of none, all that there are.
func ends(asked []durable.Status) []durable.Status {
	if len(asked) == 0 {
		return []durable.Status{durable.Completed, durable.Failed, durable.Canceled, durable.Terminated}
	}
	return slices.DeleteFunc(slices.Clone(asked), func(s durable.Status) bool { return !s.Ended() })
}
