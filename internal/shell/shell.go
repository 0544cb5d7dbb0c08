// Package shell holds what the shells around a worker share, in one process and on AWS: the parts that start goroutines
// and watch the clock, which the worker itself must not.
package shell

import "sync"

// Parallel runs the inline steps of a turn at the same time, and returns when all have ended: a worker's Execute.
func Parallel(steps []func()) {
	var wg sync.WaitGroup
	for _, s := range steps {
		wg.Go(s)
	}
	wg.Wait()
}
