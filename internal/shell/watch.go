package shell

import (
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"
)

// StuckAfter is how long a turn's code may run. It does no I/O, so it takes milliseconds; what takes seconds waits for
// something that replay does not know of, or spins.
const StuckAfter = 5 * time.Second

// Watch returns a worker's Watch, which runs turns on goroutines of their own and gives up those that do not come back
// within limit. Such a goroutine is lost, so the instance is not run again in this process.
func Watch(log *slog.Logger, limit time.Duration) func(string, func()) bool {
	var stuck sync.Map
	return func(instance string, run func()) bool {
		if _, again := stuck.Load(instance); again {
			return false
		}
		done := make(chan struct{})
		go func() { defer close(done); run() }()
		timer := time.NewTimer(limit)
		defer timer.Stop()
		select {
		case <-done:
			return true
		case <-timer.C:
			stuck.Store(instance, true)
			log.Error("the code of an orchestration is stuck: it must not wait for anything but futures, nor compute for seconds; "+
				"mend it and deploy it again, and the instance goes on",
				"instance", instance, "stacks", "\n"+orchestrationStacks())
			return false
		}
	}
}

// orchestrationStacks are the stacks of the goroutines that run orchestrations' code and do not wait for a future.
func orchestrationStacks() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var out []string
	for _, g := range strings.Split(string(buf), "\n\n") {
		if strings.Contains(g, "internal/replay.(*Run).resume.func") && !strings.Contains(g, "internal/replay.(*Run).park(") {
			out = append(out, g)
		}
	}
	return strings.Join(out, "\n\n")
}
