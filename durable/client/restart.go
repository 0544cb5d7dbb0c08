package client

import (
	"context"

	"github.com/durable-lambda/durable-lambda/durable"
)

// Restart starts what an instance shows once more. A parent that waited for that instance does not hear of the new one.
func (c *Client) Restart(ctx context.Context, req durable.RestartRequest) (durable.InstanceRef, error) {
	in, err := c.Get(ctx, req.Instance)
	if err != nil {
		return durable.InstanceRef{}, err
	}
	again := durable.StartRequest{Name: in.Name, Version: in.Version, ID: in.ID, Input: in.Input, Tags: in.Tags}
	if req.NewID {
		again.ID = ""
	}
	return c.Start(ctx, again)
}
