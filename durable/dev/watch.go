package dev

import (
	"log/slog"
	"runtime"
	"strings"
	"time"
)

// stuckAfter is how long a turn's code may run. It does no I/O, so it takes milliseconds; what takes seconds waits for
// something that replay does not know of, or spins.
const stuckAfter = 5 * time.Second

// watch runs turns on goroutines of their own and gives up those that do not come back. Such a goroutine is lost.
func watch(log *slog.Logger) func(string, func()) bool {
	return func(instance string, run func()) bool {
		done := make(chan struct{})
		go func() { defer close(done); run() }()
		timer := time.NewTimer(stuckAfter)
		defer timer.Stop()
		select {
		case <-done:
			return true
		case <-timer.C:
			log.Error("the code of an orchestration is stuck: it must not wait for anything but futures, nor compute for seconds",
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
