// Package bodies holds the bodies of the drills. Nothing in them is worth copying but how they fail.
package bodies

import (
	"context"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/examples/drills"
)

// Orchestrations binds the orchestrations.
func Orchestrations() []durable.Handler {
	return []durable.Handler{
		drills.Chain.Bind(chain),
		drills.FanOut.Bind(fanOut),
		drills.Nap.Bind(nap),
		drills.Linger.Bind(linger),
		drills.Wreck.Bind(wreck),
	}
}

// The bodies check their inputs too: no input at all passes the door.

func chain(ctx durable.Context, load drills.Load) (int, error) {
	if err := load.Check(); err != nil {
		return 0, err
	}
	for n := 1; n <= load.Activities; n++ {
		if err := same(n)(drills.Work.Call(ctx, drills.Job{Number: n, Millis: load.Millis})); err != nil {
			return 0, err
		}
	}
	return load.Activities, nil
}

func fanOut(ctx durable.Context, load drills.Load) (int, error) {
	if err := load.Check(); err != nil {
		return 0, err
	}
	jobs := make([]*durable.Future[drills.Job], load.Activities)
	for i := range jobs {
		jobs[i] = drills.Work.Start(ctx, drills.Job{Number: i + 1, Millis: load.Millis})
	}
	done, err := durable.All(ctx, jobs...)
	for i := 0; i < len(done) && err == nil; i++ {
		err = same(i+1)(done[i], nil)
	}
	return len(done), err
}

// same returns a check that a call of Work has returned its own job and not another's.
func same(number int) func(drills.Job, error) error {
	return func(job drills.Job, err error) error {
		if err == nil && job.Number != number {
			err = fmt.Errorf("call %d of Work returned the result of call %d", number, job.Number)
		}
		return err
	}
}

func nap(ctx durable.Context, pause drills.Pause) (drills.Rest, error) {
	if err := pause.Check(); err != nil {
		return drills.Rest{}, err
	}
	due, err := durable.After(ctx, time.Duration(pause.Millis)*time.Millisecond).Await()
	return drills.Rest{Due: due, Woke: ctx.Now()}, err
}

func linger(ctx durable.Context, moment drills.Moment) (none durable.None, err error) {
	if err := moment.Check(); err != nil {
		return none, err
	}
	if err := same(1)(drills.Work.Call(ctx, drills.Job{Number: 1})); err != nil {
		return none, err
	}
	_, err = durable.Step(ctx, "linger", func(ctx context.Context) (durable.None, error) {
		return none, sleep(ctx, moment.Millis)
	})
	if err != nil {
		return none, err
	}
	return none, same(2)(drills.Work.Call(ctx, drills.Job{Number: 2}))
}

func wreck(ctx durable.Context, _ durable.None) (durable.None, error) {
	return drills.Crash.Call(ctx, durable.None{})
}
