package replay

import (
	"fmt"
	"runtime"
	"strings"
)

// The code may start goroutines, which is wrong, and use its context there, which cannot work: two of them would ask, and give up
// control, at once. That ends the turn with the reason, and not the process with a panic that nobody can recover.

// own ends a goroutine that is none of the run's coroutines, and the turn with it. What the history holds completely was asked for by
// code that passed here.
func (r *Run) own() {
	if r.past() || coroutines() {
		return
	}
	r.lost.Store(true)
	select {
	case r.foreign <- fmt.Errorf("the code uses its context in a goroutine of its own (%s): begin it with durable.Go, or a Group, instead of a go statement or an errgroup; "+
		"then deploy that, and resume", source()):
	default: // another one was first
	}
	runtime.Goexit()
}

// coroutines reports whether the caller runs in a coroutine: one of a run, or one that the code itself has made of an iterator. Of a stack
// that is deep it is taken for granted.
func coroutines() bool {
	var pcs [64]uintptr
	n := runtime.Callers(2, pcs[:])
	for i := n - 1; i >= 0; i-- { // it is among the first
		if f := runtime.FuncForPC(pcs[i] - 1); f != nil && strings.HasPrefix(f.Name(), "iter.Pull") {
			return true
		}
	}
	return n == len(pcs)
}

// driven runs the code until it waits. It does not wait for code that waits, perhaps in vain, for a goroutine that was ended: that is the
// error.
func (r *Run) driven() error {
	done := onOwnGoroutine(r.drive)
	select {
	case err := <-r.foreign:
		r.running = done
		return err
	case <-done:
	}
	select {
	case err := <-r.foreign:
		return err
	default:
		return r.err
	}
}
