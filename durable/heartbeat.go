package durable

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Heartbeat says that an activity with a HeartbeatTimeout is alive, and may tell the next attempt how far it came: one value is
// kept as it is, several as a list; see LastHeartbeat. Call it as often as is convenient: most calls do no I/O.
//
// An error says that the attempt is over, and so is ctx, for the same reason: ErrCanceled, ErrHeartbeatMissed, or its time
// has run out. Return then. In an activity without a HeartbeatTimeout, and in a Step, it does nothing but report the end of
// ctx. It is safe for concurrent use.
func Heartbeat(ctx context.Context, details ...any) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	beat := info(ctx).Heartbeat
	if beat == nil {
		return nil
	}
	b, err := heartbeatDetails(details)
	if err != nil {
		return Permanent(err)
	}
	return beat(ctx, b)
}

// heartbeatDetails are JSON, or nil when there are none.
func heartbeatDetails(details []any) ([]byte, error) {
	if len(details) == 0 {
		return nil, nil
	}
	var v any = details
	if len(details) == 1 {
		v = details[0]
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("the details of a heartbeat cannot be kept: %w", err)
	}
	if len(b) > history.MaxHeartbeat {
		return nil, fmt.Errorf("the details of a heartbeat: %w: %d bytes of JSON, at most %d", ErrTooLarge, len(b), history.MaxHeartbeat)
	}
	return b, nil
}

// LastHeartbeat returns the details of the last heartbeat that was kept before this attempt began, by an earlier attempt, or by
// the same one in a process that died. It reports false when there are none, or when they are no T. Details of an attempt
// that failed are the last ones it gave; of a process that died they may be 10 seconds older, or a third of the time-out.
func LastHeartbeat[T any](ctx context.Context) (T, bool) {
	var v, none T
	b := info(ctx).LastHeartbeat
	if b == nil || json.Unmarshal(b, &v) != nil {
		return none, false
	}
	return v, true
}
