package replay

import (
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// The code may start goroutines, which is wrong, and use its context there, which cannot work: two of them would ask, and give up
// control, at once. That ends the turn with the reason, and not the process with a panic that nobody can recover.

// own ends a goroutine that is none of the run's coroutines, and the turn with it; of one that is it notes whether a panic is under way. What the history holds completely was
// asked for by code that passed here.
func (r *Run) own() {
	if r.past() {
		return
	}
	panics, coroutine := stack()
	if coroutine {
		r.panics = panics
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

// stack reports whether a deferred function is running because of a panic, and whether the caller runs in a coroutine: one of a run, or one that the code itself has
// made of an iterator. Of a stack that is deep both are taken for granted as far as they are not seen: no panic, and a coroutine.
func stack() (panics, coroutine bool) {
	pcs := buffers.Get().(*[64]uintptr)
	defer buffers.Put(pcs)
	n := runtime.Callers(2, pcs[:])
	for _, pc := range pcs[:n] {
		switch frameOf(pc) {
		case panicFrame:
			panics = true
		case coroutineFrame:
			coroutine = true
		}
	}
	return panics, coroutine || n == len(pcs)
}

// buffers are kept, because the runtime takes none from the stack.
var buffers = sync.Pool{New: func() any { return new([64]uintptr) }}

// frame is what a place in the program means for who finds it on its stack.
type frame uint8

const (
	anyFrame frame = iota
	panicFrame
	coroutineFrame
)

// frames are the places that were seen: their names take longer than all else. It is replaced, never changed, as goroutines of the code's may be here, too; what one of two
// adds at the same time may be lost.
var frames atomic.Pointer[map[uintptr]frame]

// maxFrames is how many places are remembered: those where code asks and waits are fewer.
const maxFrames = 4096

func frameOf(pc uintptr) frame {
	known := frames.Load()
	if known != nil {
		if f, ok := (*known)[pc]; ok {
			return f
		}
	}
	found := anyFrame
	if f := runtime.FuncForPC(pc - 1); f != nil {
		switch name := f.Name(); {
		case name == "runtime.gopanic":
			found = panicFrame
		case strings.HasPrefix(name, "iter.Pull"):
			found = coroutineFrame
		}
	}
	next := map[uintptr]frame{pc: found}
	if known != nil {
		if len(*known) >= maxFrames {
			return found
		}
		maps.Copy(next, *known)
	}
	frames.Store(&next)
	return found
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
