// Package monitor is the pattern monitor: look again and again, with pauses that no worker spends waiting, until something is
// so or it has taken too long.
package monitor

import (
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// The contracts of the pattern.
var (
	IsDone = durable.NewActivity[string, bool]("IsDone")
	Watch  = durable.NewOrchestration[string, string]("Watch")
)

const (
	firstPause   = 30 * time.Second
	longestPause = 10 * time.Minute
	atMost       = 24 * time.Hour
)

// Run looks after a job, at first often, then seldom, and says how long it took: durable.ErrTimeout after a day.
func Run(ctx durable.Context, job string) (string, error) {
	begin := ctx.Now()
	ctx, cancel := durable.WithTimeout(ctx, atMost)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		done, err := IsDone.Call(ctx, job)
		if err != nil || done {
			return ctx.Now().Sub(begin).String(), err
		}
		if err := durable.Sleep(ctx, pause); err != nil {
			return "", err
		}
	}
}
