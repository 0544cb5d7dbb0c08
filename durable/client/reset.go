package client

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// Reset sends a reset, if the history as it is now allows for it. Should the instance go on in the meantime, so that it does not any more,
// the history of one that has not ended says that the reset came to nothing, and why.
func (c *Client) Reset(ctx context.Context, req durable.ResetRequest) error {
	e, err := c.reset(&req)
	if err != nil {
		return err
	}
	row, err := c.row(ctx, req.Instance)
	if err != nil {
		return err
	}
	h, err := c.store.Latest(ctx, row.Instance, row.Incarnation, row.Generation)
	if err != nil {
		return err
	}
	if req.ID != "" {
		id := callID(row, e.Kind, req.ID)
		for _, seg := range h.Segments {
			if slices.ContainsFunc(seg.Events, func(e history.Event) bool { return e.MessageID == id }) {
				return nil // this call was made before, and has changed what it was about
			}
		}
	}
	if _, err := replay.Reset(h.Segments, &e); err != nil {
		return fmt.Errorf("instance %s: %w: %w", req.Instance, durable.ErrNotResettable, err)
	}
	row.Generation = h.Generation // the operation is one of this generation
	return c.send(ctx, row, req.ID, e)
}

// reset refuses what can never be right, and returns the rest as the event that it asks for.
func (c *Client) reset(req *durable.ResetRequest) (history.Event, error) {
	e := history.Event{Kind: history.ExecutionReset, Op: req.Operation, Reason: req.Reason}
	if len(req.Reason) > history.MaxReason {
		return e, invalid("the reason has %d bytes, at most %d are allowed", len(req.Reason), history.MaxReason)
	}
	if req.Operation != history.StartOp && !isPath(req.Operation) {
		return e, invalid("%q is no operation: name one as the history does, as in 2 or 2.0.1, or %s for the beginning", req.Operation, history.StartOp)
	}
	switch {
	case len(req.Result) > 0 && len(req.Input) > 0:
		return e, invalid("a reset has a result or an input, not both: with a result the operation does not run again")
	case len(req.Result) > 0:
		e.Edit, e.Data.Bytes = history.EditResult, slices.Clone(req.Result)
	case len(req.Input) > 0:
		e.Edit, e.Data.Bytes = history.EditInput, slices.Clone(req.Input)
	}
	return e, c.checkPayload("new value", e.Data.Bytes)
}

// isPath reports whether a text is the path of an operation: numbers joined by dots.
func isPath(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if n, err := strconv.ParseUint(part, 10, 32); err != nil || strconv.FormatUint(n, 10) != part {
			return false
		}
	}
	return true
}
