package durable

import (
	"time"

	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// After returns a future that is ready d from now, with the time it was due. It survives anything, and may be a year;
// more than a hundred years are a hundred.
func After(ctx Context, d time.Duration) *Future[time.Time] {
	f, _ := after(ctx, d)
	return f
}

func after(ctx Context, d time.Duration) (*Future[time.Time], *replay.Timer) {
	t := ctx.run.Timer(d)
	return &Future[time.Time]{run: ctx.run, wait: t.Promise, get: func() (time.Time, error) { return t.Due, nil }}, t
}

// Sleep waits for d. The error is always nil now; it is there for cancellation.
func Sleep(ctx Context, d time.Duration) error {
	_, err := After(ctx, d).Await()
	return err
}
