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

// Report reports what became of an attempt of an Async activity.
func (c *Client) Report(ctx context.Context, req durable.ReportRequest) error {
	m, err := c.attempt(ctx, &req)
	if err != nil {
		return err
	}
	switch req.What {
	case durable.ReportResult:
		return c.complete(ctx, m, req.Data)
	case durable.ReportFailure:
		return c.fail(ctx, m, req.Failure)
	}
	live, err := c.store.Mark(ctx, m, store.Pending, slices.Clone(req.Data))
	if err == nil && !live {
		err = notPending(m)
	}
	return err
}

// attempt checks a report, and finds the attempt that it is about: a message with the activity as the history asks for it, or,
// for a heartbeat, with no more than its names.
func (c *Client) attempt(ctx context.Context, req *durable.ReportRequest) (*history.Message, error) {
	m, err := history.ParseToken(req.Token)
	switch {
	case err != nil:
		return nil, invalid("%w", err)
	case req.Activity != "" && req.Activity != m.Event.Name:
		return nil, invalid("the token is one of activity %s, not of %s", m.Event.Name, req.Activity)
	case req.What == durable.ReportFailure && req.Failure == nil:
		return nil, invalid("the report says no failure")
	case req.What == durable.ReportFailure && (len(req.Failure.Message) > history.MaxMessage || len(req.Failure.Kind) > history.MaxName):
		return nil, invalid("the failure is too long: at most %d bytes of message and %d of its kind are allowed", history.MaxMessage, history.MaxName)
	case req.What == durable.ReportFailure && history.CheckProperties(req.Failure.Properties) != nil:
		return nil, invalid("%w", history.CheckProperties(req.Failure.Properties))
	case req.What == durable.ReportHeartbeat && len(req.Data) > history.MaxHeartbeat:
		return nil, invalid("the details of a heartbeat have %d bytes of JSON, at most %d are allowed", len(req.Data), history.MaxHeartbeat)
	case req.What < durable.ReportResult || req.What > durable.ReportHeartbeat:
		return nil, invalid("report %d is unknown", req.What)
	}
	if err := c.checkPayload("report's data", req.Data); err != nil {
		return nil, err
	}
	row, err := c.open(ctx, m.Instance)
	if err != nil {
		return nil, err
	}
	if row.Incarnation != m.Incarnation || m.Generation < row.Generation {
		return nil, notPending(m)
	}
	if req.What == durable.ReportHeartbeat {
		return m, nil
	}
	h, err := c.store.Load(ctx, m.Instance, m.Incarnation, m.Generation)
	if err != nil {
		return nil, err
	}
	command := h.Awaits(m.Event.Op, m.Event.Epoch)
	if command == nil || command.Name != m.Event.Name {
		return nil, notPending(m)
	}
	m.Event = *command
	return m, nil
}

func notPending(m *history.Message) error {
	return fmt.Errorf("activity %s of instance %s: %w", m.Event.Name, m.Instance, durable.ErrNotPending)
}

// complete sends a result as a worker does, and then marks the attempt as over, so that nobody goes on looking after it.
func (c *Client) complete(ctx context.Context, m *history.Message, data []byte) error {
	e := history.Event{Kind: history.TaskCompleted, Op: m.Event.Op, Epoch: m.Event.Epoch, Attempt: m.Attempt,
		Data: history.Payload{Bytes: slices.Clone(data)}}
	if err := c.store.Offload(ctx, m.Instance, m.Incarnation, &e.Data); err != nil {
		return err
	}
	out := c.store.Outbox()
	out.Inbox(&history.Message{ID: store.AttemptID(m), Instance: m.Instance, Incarnation: m.Incarnation,
		Generation: m.Generation, Event: e, Sent: c.store.Now()})
	if err := out.Flush(ctx); err != nil {
		return err
	}
	_, err := c.store.Mark(ctx, m, store.Over, nil)
	return err
}

// fail leaves it to a worker of activities what follows from a failure: it knows the retry policy.
func (c *Client) fail(ctx context.Context, m *history.Message, f *history.Failure) error {
	known, err := c.store.Attempt(ctx, m)
	if err != nil {
		return err
	}
	if known.Number > m.Attempt || known.Number == m.Attempt && known.State == store.Over {
		return notPending(m)
	}
	m.ID, m.Event.Failure, m.Sent = store.WatchID(m), f, c.store.Now()
	m.Pending = m.Sent.UTC().Truncate(time.Millisecond)
	out := c.store.Outbox()
	out.Activity(m)
	return out.Flush(ctx)
}
