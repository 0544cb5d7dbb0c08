package durable

import (
	"time"

	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// After returns a future that is ready d from now, with the time it was due. It survives anything, and may be a year;
// more than a hundred years are a hundred.
func After(ctx Context, d time.Duration) *Future[time.Time] {
	if err := ctx.Err(); err != nil {
		return failed[time.Time](ctx, err)
	}
	f, _ := after(ctx, d)
	return f
}

func after(ctx Context, d time.Duration) (*Future[time.Time], *replay.Timer) {
	t := ctx.run.Timer(d)
	ctx.run.Watch(ctx.scope, t.Promise, func() { ctx.run.Cancel(t) })
	return &Future[time.Time]{run: ctx.run, wait: t.Promise, get: func() (time.Time, error) { return t.Due, nil }}, t
}

// Sleep waits for d. ErrCanceled or ErrTimeout: ctx's scope was over before.
func Sleep(ctx Context, d time.Duration) error {
	_, err := After(ctx, d).Await()
	return err
}
