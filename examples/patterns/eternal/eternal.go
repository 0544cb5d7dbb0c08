// Package eternal is the pattern eternal orchestration: it does something at intervals for ever, each time with an empty
// history, because it continues as new. Two rounds never overlap: the pause begins when the work is done.
package eternal

import (
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// The contracts of the pattern.
var (
	CleanUp = durable.NewActivity[int, durable.None]("CleanUp")
	Stop    = durable.NewEvent[durable.None]("Stop")
	Janitor = durable.NewOrchestration[int, int]("Janitor")
)

const pause = time.Hour

// Run cleans up once an hour until it is told to stop, and returns in how many rounds.
func Run(ctx durable.Context, round int) (int, error) {
	if _, err := CleanUp.Call(ctx, round); err != nil {
		return 0, err
	}
	stop, next := Stop.Next(ctx), durable.After(ctx, pause)
	if durable.First(ctx, stop, next) == durable.Awaitable(stop) {
		return round + 1, nil
	}
	return 0, Janitor.ContinueAsNew(ctx, round+1)
}
