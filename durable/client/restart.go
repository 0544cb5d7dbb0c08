package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Restart starts what an instance shows once more. A parent that waited for that instance does not hear of the new one.
func (c *Client) Restart(ctx context.Context, req durable.RestartRequest) (durable.InstanceRef, error) {
	row, err := c.row(ctx, req.Instance)
	if err != nil {
		return durable.InstanceRef{}, err
	}
	in, err := c.instance(ctx, row, true)
	if emptied(row) || errors.Is(err, backend.ErrNoBlob) {
		return durable.InstanceRef{}, fmt.Errorf("instance %s is being purged, and its input is gone: %w", req.Instance, durable.ErrNotFound)
	}
	if err != nil {
		return durable.InstanceRef{}, err
	}
	again := durable.StartRequest{Name: in.Name, Version: in.Version, ID: in.ID, Input: in.Input, Tags: in.Tags}
	if req.NewID {
		again.ID = ""
	}
	return c.Start(ctx, again)
}

// emptied reports whether a purge has taken what the row had, and is not over: what has ended says how, otherwise.
func emptied(row *history.Row) bool { return row.Status.Ended() && row.End == nil }
