package bodies

import (
	"context"
	"os"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/examples/drills"
)

// Activities binds the activities.
func Activities() []durable.Handler {
	return []durable.Handler{drills.Work.Bind(work), drills.Crash.Bind(crash)}
}

func work(ctx context.Context, job drills.Job) (drills.Job, error) {
	if err := job.Check(); err != nil {
		return drills.Job{}, durable.Permanent(err)
	}
	return job, sleep(ctx, job.Millis)
}

// exitCode is what crash leaves behind; nothing depends on it, and in a log it tells this crash from others.
const exitCode = 86

func crash(context.Context, durable.None) (durable.None, error) {
	os.Exit(exitCode)
	panic("unreachable")
}

// sleep returns early, with the reason, when ctx ends.
func sleep(ctx context.Context, millis int) error {
	timer := time.NewTimer(time.Duration(millis) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
