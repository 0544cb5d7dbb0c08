package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Get reads the status of an instance, payloads included.
func (c *Client) Get(ctx context.Context, id string, opts ...durable.GetOption) (durable.Instance, error) {
	row, err := c.row(ctx, id)
	if err == nil {
		row, err = c.store.Begun(ctx, row)
	}
	if err != nil {
		return durable.Instance{}, err
	}
	in, there, err := c.view(ctx, row, !slices.Contains(opts, durable.NoInput))
	if err == nil && (!there || row.Purged) {
		err = fmt.Errorf("instance %s: %w", id, durable.ErrNotFound)
	}
	return in, err
}

// view is the instance that a row shows. The row may be out of date, because a purge has come between: then it is read
// again, and there may be nothing.
func (c *Client) view(ctx context.Context, row *history.Row, input bool) (in durable.Instance, there bool, err error) {
	for range 2 {
		if in, err = c.instance(ctx, row, input); !errors.Is(err, backend.ErrNoBlob) {
			return in, true, err
		}
		again, err := c.store.Row(ctx, row.Instance)
		if err != nil || again == nil || again.Purged {
			return in, false, err
		}
		row = again
	}
	return in, true, err
}

var statuses = map[history.Status]durable.Status{
	history.StatusPending: durable.Pending, history.StatusRunning: durable.Running,
	history.StatusSuspended: durable.Suspended, history.StatusContinuedAsNew: durable.ContinuedAsNew,
	history.StatusCompleted: durable.Completed, history.StatusFailed: durable.Failed,
	history.StatusCanceled: durable.Canceled, history.StatusTerminated: durable.Terminated,
}

func (c *Client) instance(ctx context.Context, row *history.Row, input bool) (durable.Instance, error) {
	in := durable.Instance{
		ID: row.Instance, Incarnation: row.Incarnation, Name: row.Start.Name, Version: row.Start.Version,
		Status: statuses[row.Status], CustomStatus: json.RawMessage(row.Custom.Bytes),
		Created: row.Start.At, Updated: row.Updated, SuspendReason: row.SuspendReason,
	}
	if row.Start.Start != nil {
		in.Tags, in.StartAt = row.Start.Start.Tags, row.Start.Start.Due
		if p := row.Start.Start.Parent; p != nil {
			in.Parent = p.Instance
		}
	}
	if input {
		if err := c.store.Hydrate(ctx, &row.Start.Data); err != nil {
			return in, err
		}
		in.Input = row.Start.Data.Bytes
	}
	if row.End == nil {
		return in, nil
	}
	switch row.End.Kind {
	case history.ExecutionFailed:
		if in.Failure = row.End.Failure; in.Failure != nil {
			in.Output = text(in.Failure.Message)
		}
	case history.ExecutionTerminated:
		in.Output = text(row.End.Reason)
	default:
		if err := c.store.Hydrate(ctx, &row.End.Data); err != nil {
			return in, err
		}
		in.Output = row.End.Data.Bytes
	}
	return in, nil
}

// text is a JSON string.
func text(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string always has JSON
	return b
}

// History reads everything that happened in the instance's present life.
func (c *Client) History(ctx context.Context, id string) ([]durable.HistoryEvent, error) {
	row, err := c.row(ctx, id)
	if err != nil {
		return nil, err
	}
	h, err := c.store.Latest(ctx, id, row.Incarnation, row.Generation)
	if err != nil {
		return nil, err
	}
	var events []durable.HistoryEvent
	for n, seg := range h.Segments {
		for _, e := range seg.Events {
			if err := c.store.Hydrate(ctx, &e.Data); err != nil {
				return nil, err
			}
			events = append(events, durable.HistoryEvent{Event: e, Time: seg.Time, Segment: uint64(n)})
		}
	}
	return events, nil
}
