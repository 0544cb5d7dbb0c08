package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// conflict is what one call of Start has done about instances that have its id.
type conflict struct {
	// replacing is the life that the call has terminated: whatever its end, it may be replaced.
	replacing string
	// rivals counts the starts that were first and whose instances are over already.
	rivals int
}

// maxRivals is how many of them a start meets before it gives up.
const maxRivals = 10

// free reports whether a start may take the place of what a row shows.
func (k *conflict) free(row *history.Row, reuse durable.Reuse) bool {
	return row == nil || row.Purged || row.Status.Ended() && (reuse.Allows(statuses[row.Status]) || row.Incarnation == k.replacing)
}

// settle does with the instance that is there what the request says. With a row the start is to be tried again, on that.
func (k *conflict) settle(ctx context.Context, c *Client, req *durable.StartRequest, row *history.Row) (ref durable.InstanceRef, again *history.Row, err error) {
	if row == nil || row.Purged {
		return ref, nil, fmt.Errorf("instance %s: %w by a run that is gone by now: start again", req.ID, durable.ErrExists)
	}
	switch req.Conflict {
	case durable.UseExisting, durable.UseSame:
		differs, err := c.differs(ctx, req, row)
		if err != nil {
			return ref, nil, err
		}
		if differs != "" {
			return ref, nil, fmt.Errorf("%w; this start has another %s", inUse(row), differs)
		}
		return durable.InstanceRef{ID: row.Instance, Incarnation: row.Incarnation}, nil, nil
	case durable.ReplaceExisting:
		if !row.Status.Ended() {
			again, err = c.end(ctx, row)
			k.replacing = row.Incarnation
			return ref, again, err
		}
		if k.rivals++; k.free(row, req.Reuse) && k.rivals <= maxRivals {
			return ref, row, nil
		}
	}
	return ref, nil, inUse(row)
}

// differs names what a start would begin that the existing instance was not begun with; "" is nothing that counts.
func (c *Client) differs(ctx context.Context, req *durable.StartRequest, row *history.Row) (string, error) {
	if row.Start.Name != req.Name {
		return "orchestration", nil
	}
	if req.Conflict != durable.UseSame {
		return "", nil
	}
	if emptied(row) {
		return "input", nil
	}
	start := &row.Start
	if row.Generation > 0 || !start.Data.Holds(req.Input) { // the row shows what the newest generation, or a reset, has begun it with
		first, err := c.store.First(ctx, row.Instance, row.Incarnation)
		switch {
		case err != nil:
			return "", err
		case first != nil:
			start = first
		case row.Generation > 0: // purged by now
			return "input", nil
		} // else it has not begun, and the row shows what it will begin with
	}
	if start.Version != req.Version {
		return "version", nil
	}
	if start.Data.Holds(req.Input) {
		return "", nil
	}
	if err := c.store.Hydrate(ctx, &start.Data); err != nil {
		if errors.Is(err, backend.ErrNoBlob) { // purged by now
			return "input", nil
		}
		return "", err
	}
	if !sameJSON(start.Data.Bytes, req.Input) {
		return "input", nil
	}
	return "", nil
}

// sameJSON reports whether two inputs are the same but for white space.
func sameJSON(a, b []byte) bool {
	compact := func(data []byte) []byte {
		var out bytes.Buffer
		if len(data) == 0 || json.Compact(&out, data) != nil {
			return []byte("null") // what is in a history was valid when it came
		}
		return out.Bytes()
	}
	return bytes.Equal(compact(a), compact(b))
}

// end terminates an instance and waits until its row shows an end, or until another life has it.
func (c *Client) end(ctx context.Context, row *history.Row) (*history.Row, error) {
	e := history.Event{Kind: history.ExecutionTerminated, Reason: "it is replaced by another start"}
	if err := c.send(ctx, row, "", e); err != nil {
		return nil, err
	}
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		now, err := c.store.Row(ctx, row.Instance)
		if err != nil {
			return nil, err
		}
		if now == nil {
			return nil, fmt.Errorf("instance %s is gone: %w: start again", row.Instance, durable.ErrNotFound)
		}
		if now.Incarnation != row.Incarnation || now.Status.Ended() {
			return now, nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("instance %s is being terminated, and has not ended: start again: %w", row.Instance, ctx.Err())
		case <-timer.C:
		}
	}
}
