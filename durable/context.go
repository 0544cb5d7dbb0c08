package durable

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/code"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// Handler is a contract bound to its body, ready for a worker.
type Handler = code.Handler

// None is the input or output of what has none.
type None struct{}

// Context is what an orchestration's code runs in. It is not a context.Context: nothing that does I/O accepts it. It
// may be copied, and must not be used outside the orchestration it was given to.
type Context struct {
	run   *replay.Run
	scope *replay.Scope // of cancellation and time-outs; nil is none
}

// Now is the time of the turn, in UTC to the millisecond: the same in every replay.
func (c Context) Now() time.Time { return c.run.Now() }

// InstanceID is the id of the instance.
func (c Context) InstanceID() string { return c.run.Instance() }

// Log returns a logger that is silent in replays, so that each line is logged once, or a few times after a crash.
func (c Context) Log() *slog.Logger { return c.run.Log() }

// Unwinding reports whether deferred functions are running because the turn has ended, not because the code returned.
func (c Context) Unwinding() bool { return c.run.Unwinding() }

// SetStatus sets the custom status of the instance, shown with the turn's end. v becomes JSON of at most 16 KB; more, or
// what has no JSON, suspends the instance with that reason.
func (c Context) SetStatus(v any) {
	if c.run.Unwinding() {
		return
	}
	b, err := json.Marshal(v)
	if err == nil && len(b) > history.MaxCustomStatus {
		err = fmt.Errorf("it has %d bytes of JSON, at most %d are allowed", len(b), history.MaxCustomStatus)
	}
	if err != nil {
		c.run.Refuse(fmt.Errorf("the custom status cannot be set: %w", err))
	}
	c.run.SetStatus(b)
}

// encode turns a value into JSON of at most limit bytes; 0 is history.MaxPayload.
func encode(v any, limit int) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = history.MaxPayload
	}
	if len(b) > limit {
		return nil, fmt.Errorf("%w: it has %d bytes of JSON, at most %d are allowed: keep it elsewhere and pass a reference", ErrTooLarge, len(b), limit)
	}
	return b, nil
}

// decode turns JSON into a value; no JSON is the zero value. Where the type refuses a JSON string, the string's text is
// taken as JSON, and empty text as none: clients of Durable Functions in other languages encode twice.
func decode[T any](b []byte) (v T, err error) {
	if len(b) == 0 {
		return v, nil
	}
	if err = json.Unmarshal(b, &v); err == nil || b[0] != '"' {
		return v, err
	}
	var text string
	if json.Unmarshal(b, &text) != nil {
		return v, err
	}
	var again T
	if text == "" {
		return again, nil
	}
	inner := json.Unmarshal([]byte(text), &again)
	switch {
	case inner == nil:
		return again, nil
	case json.Valid([]byte(text)): // so that is what was meant
		return v, inner
	}
	return v, err
}
