// Package client implements durable.Client over a store: it starts instances, sends them messages and reads what the
// workers show. It runs no code of orchestrations, and needs to know none.
package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// Client is the erased client of one task hub. It is safe for concurrent use.
type Client struct{ store *store.Store }

var _ durable.Client = (*Client)(nil)

// New returns a client over a store.
func New(s *store.Store) *Client { return &Client{store: s} }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", durable.ErrInvalid, fmt.Errorf(format, args...))
}

func (c *Client) checkPayload(what string, data json.RawMessage) error {
	if limit := c.store.MaxPayload(); len(data) > limit {
		return invalid("the %s has %d bytes of JSON, at most %d are allowed: keep it elsewhere and pass a reference", what, len(data), limit)
	}
	if len(data) > 0 && !json.Valid(data) {
		return invalid("the %s is not valid JSON", what)
	}
	return nil
}

// Raise sends an external event.
func (c *Client) Raise(ctx context.Context, req durable.EventRequest) error {
	if err := history.CheckName("event", req.Name); err != nil {
		return invalid("%w", err)
	}
	if err := c.checkPayload("event's data", req.Data); err != nil {
		return err
	}
	row, err := c.open(ctx, req.Instance)
	if err != nil {
		return err
	}
	return c.send(ctx, row, req.ID, history.Event{Kind: history.EventRaised, Name: req.Name,
		Data: history.Payload{Bytes: slices.Clone(req.Data)}})
}

// Manage sends a command.
func (c *Client) Manage(ctx context.Context, req durable.ManageRequest) error {
	if len(req.Reason) > history.MaxReason {
		return invalid("the reason has %d bytes, at most %d are allowed", len(req.Reason), history.MaxReason)
	}
	read := c.open
	if req.Command == durable.Rewind {
		read = c.failed
	}
	row, err := read(ctx, req.Instance)
	if err != nil {
		return err
	}
	e := history.Event{Reason: req.Reason}
	switch req.Command {
	case durable.Terminate:
		e.Kind, e.Recursive = history.ExecutionTerminated, req.Recursive
	case durable.Suspend:
		if e.Kind = history.ExecutionSuspended; row.Status == history.StatusSuspended {
			return fmt.Errorf("instance %s: %w", req.Instance, durable.ErrSuspended)
		}
	case durable.Resume:
		if e.Kind = history.ExecutionResumed; row.Status != history.StatusSuspended {
			return fmt.Errorf("instance %s: %w", req.Instance, durable.ErrNotSuspended)
		}
	case durable.Rewind:
		e.Kind = history.ExecutionRewound
	default:
		return invalid("command %d is unknown", req.Command)
	}
	return c.send(ctx, row, req.ID, e)
}

// open reads the row of an instance that has not ended.
func (c *Client) open(ctx context.Context, id string) (*history.Row, error) {
	row, err := c.row(ctx, id)
	if err == nil && row.Status.Ended() {
		err = fmt.Errorf("instance %s: %w", id, durable.ErrEnded)
	}
	return row, err
}

// failed reads the row of an instance that has failed.
func (c *Client) failed(ctx context.Context, id string) (*history.Row, error) {
	row, err := c.row(ctx, id)
	if err == nil && row.Status != history.StatusFailed {
		err = fmt.Errorf("instance %s: %w: it is %s", id, durable.ErrNotFailed, statuses[row.Status])
	}
	return row, err
}

func (c *Client) row(ctx context.Context, id string) (*history.Row, error) {
	if history.CheckInstanceID(id) != nil {
		return nil, fmt.Errorf("instance %q: %w", id, durable.ErrNotFound)
	}
	row, err := c.store.Row(ctx, id)
	if err == nil && (row == nil || row.Purged) {
		err = fmt.Errorf("instance %s: %w", id, durable.ErrNotFound)
	}
	return row, err
}

// send puts an external message into the inbox of the life that the row shows. The call's id makes it one message,
// however often it is sent; events and each command have ids of their own.
func (c *Client) send(ctx context.Context, row *history.Row, call string, e history.Event) error {
	if call == "" {
		id, err := c.store.NewID()
		if err != nil {
			return err
		}
		call = id
	}
	e.MessageID = callID(row, e.Kind, call)
	if err := c.store.Offload(ctx, row.Instance, row.Incarnation, &e.Data); err != nil {
		return err
	}
	out := c.store.Outbox()
	out.Inbox(&history.Message{ID: e.MessageID, Instance: row.Instance, Incarnation: row.Incarnation,
		Generation: row.Generation, Event: e, Sent: c.store.Now()})
	return out.Flush(ctx)
}

// callID is the identity of what a call sends.
func callID(row *history.Row, kind history.Kind, call string) string {
	return store.CallID(row.Instance, row.Incarnation, strconv.Itoa(int(kind))+":"+call)
}
