package client

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// Start starts an instance, or does with the one that has its id what the request says.
func (c *Client) Start(ctx context.Context, req durable.StartRequest) (durable.InstanceRef, error) {
	m, err := c.startMessage(&req)
	if err != nil {
		return durable.InstanceRef{}, err
	}
	row, err := c.store.Row(ctx, req.ID)
	if err != nil {
		return durable.InstanceRef{}, err
	}
	var k conflict
	for {
		if k.free(row, req.Reuse) {
			ref, found, err := c.create(ctx, m, row)
			if err != nil || ref.Incarnation != "" {
				return ref, err
			}
			row = found // somebody else was first: a conflict, even if theirs has ended since
		}
		ref, again, err := k.settle(ctx, c, &req, row)
		if err != nil || again == nil {
			return ref, err
		}
		row = again
	}
}

// create sends the whole start, then makes the row in the place of old: whichever of the client and a worker comes first makes
// it, so that an instance whose start was accepted runs, and one whose start was refused never does (rule 8). No ref says that it
// was refused, because of the row that was found.
func (c *Client) create(ctx context.Context, start *history.Message, old *history.Row) (ref durable.InstanceRef, found *history.Row, err error) {
	m, before := *start, ""
	if old != nil {
		m.Replaces, before = old.Version(), old.Incarnation
	}
	if m.Incarnation, err = c.store.NewIncarnation(before); err != nil {
		return ref, nil, err
	}
	m.ID = store.StartID(m.Instance, m.Incarnation)
	if err := c.store.Offload(ctx, m.Instance, m.Incarnation, &m.Event.Data); err != nil {
		return ref, nil, err
	}
	out := c.store.Outbox()
	out.Start(&m)
	if err := out.Flush(ctx); err != nil {
		return ref, nil, err
	}
	ours := durable.InstanceRef{ID: m.Instance, Incarnation: m.Incarnation}
	accepted, found, err := c.store.Create(ctx, &m)
	if err != nil || accepted {
		return ours, found, err
	}
	if found != nil && m.Incarnation < found.Incarnation {
		// A newer life is there already. It may have replaced ours, which then was accepted.
		ran, err := c.store.Exists(ctx, m.Instance, m.Incarnation)
		if err != nil || ran {
			return ours, found, err
		}
	}
	return ref, found, nil
}

func inUse(row *history.Row) error {
	if row == nil {
		return durable.ErrExists
	}
	return fmt.Errorf("instance %s: %w by a run of %s that was started at %s", row.Instance, durable.ErrExists,
		row.Start.Name, row.Start.At.Format(time.RFC3339))
}

// maxAt: the keys of due rows have no later times.
var maxAt = time.Date(2286, 1, 1, 0, 0, 0, 0, time.UTC)

// startMessage checks a request and completes it, all but the incarnation.
func (c *Client) startMessage(req *durable.StartRequest) (*history.Message, error) {
	if err := history.CheckName("orchestration", req.Name); err != nil {
		return nil, invalid("%w", err)
	}
	if req.Conflict > durable.ReplaceExisting {
		return nil, invalid("conflict %d is unknown", req.Conflict)
	}
	if req.ID == "" {
		id, err := c.store.NewID()
		if err != nil {
			return nil, err
		}
		req.ID = id
	}
	if err := history.CheckInstanceID(req.ID); err != nil {
		return nil, invalid("%w", err)
	}
	if err := c.checkPayload("input", req.Input); err != nil {
		return nil, err
	}
	now := c.store.Now().UTC().Truncate(time.Millisecond)
	e := history.Event{Kind: history.ExecutionStarted, Name: req.Name, Version: req.Version, At: now,
		Data: history.Payload{Bytes: slices.Clone(req.Input)}}
	due := time.Time{}
	if req.At.After(now) {
		due = req.At.Add(time.Millisecond - 1).UTC().Truncate(time.Millisecond) // not a moment before
	}
	if due.After(maxAt) {
		return nil, invalid("it is to begin at %s, and %s is the latest time for which anything can wait", due.Format(time.RFC3339), maxAt.Format(time.RFC3339))
	}
	if len(req.Tags) > 0 || req.TraceParent != "" || req.TraceState != "" || !due.IsZero() {
		if err := history.CheckTags(req.Tags, req.TraceParent, req.TraceState); err != nil {
			return nil, invalid("%w", err)
		}
		e.Start = &history.Start{Tags: req.Tags, TraceParent: req.TraceParent, TraceState: req.TraceState, Due: due}
	}
	return &history.Message{Instance: req.ID, Event: e, Sent: now}, nil
}
