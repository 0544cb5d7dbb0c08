package replay

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// coroutine is one thread of the code's control. Only one of a run is ever running.
type coroutine struct {
	prefix  string // of the paths of its operations: "" or "2."
	n       int    // operations numbered so far
	names   int    // unique names given so far
	body    func()
	next    func() (struct{}, bool)
	stop    func()
	yield   func(struct{}) bool
	wait    uint64 // counts its waits, so that what it has given up waiting for cannot wake it
	queued  bool
	started bool
	done    bool
}

// spawn makes a coroutine that runs body when its turn comes.
func (r *Run) spawn(prefix string, body func()) {
	c := &coroutine{prefix: prefix, body: body, queued: true}
	r.coroutines = append(r.coroutines, c)
	r.ready = append(r.ready, c)
}

func (r *Run) resume(c *coroutine) {
	c.queued = false
	c.wait++
	if !c.started {
		c.started = true
		c.next, c.stop = iter.Pull(func(yield func(struct{}) bool) {
			c.yield = yield
			defer r.finish(c)
			c.body()
			c.done = true
		})
	}
	r.current = c
	c.next()
	r.current = nil
}

// finish runs last in a coroutine: here a panic's stack still names the code that panicked.
func (r *Run) finish(c *coroutine) {
	returned := c.done
	c.done = true
	if p := recover(); p != nil {
		if r.err == nil && !r.unwinding {
			r.err = &Panic{Value: fmt.Sprint(p), Stack: userStack(debug.Stack())}
		}
		return
	}
	if !returned && r.err == nil && !r.unwinding {
		r.err = errGoexit
	}
}

// park gives up control until the coroutine is queued again. During unwinding it never returns.
func (r *Run) park() {
	c := r.current
	if !c.yield(struct{}{}) {
		runtime.Goexit()
	}
}

// pass lets all go on that can, before the running coroutine does.
func (r *Run) pass() {
	r.current.queued = true
	r.ready = append(r.ready, r.current)
	r.park()
}

// fail ends the turn with err and never returns.
func (r *Run) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	for {
		r.park()
	}
}

// onOwnGoroutine runs f where a Goexit does no harm; what it returns is closed when f is over.
func onOwnGoroutine(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

// nextPath numbers an operation of the running coroutine. The bytes are valid until the next call.
func (r *Run) nextPath() []byte {
	c := r.current
	r.scratch = append(r.scratch[:0], c.prefix...)
	r.scratch = strconv.AppendInt(r.scratch, int64(c.n), 10)
	c.n++
	return r.scratch
}

// Unique is a name that no other run, and no other call in this one, gets: the same in every replay. It takes no number of an
// operation, so that code may ask for more of them later.
func (r *Run) Unique() string {
	r.alive()
	c := r.current
	c.names++
	return fmt.Sprintf("%s/%s/%d/%s%d", r.opt.Instance, r.opt.Incarnation, r.opt.Generation, c.prefix, c.names)
}

// Go runs body in a coroutine of its own. It takes one number of the running coroutine, and the operations of the new
// one are numbered below it.
func (r *Run) Go(body func()) *Promise {
	r.alive()
	r.own()
	path := r.nextPath()
	if op := r.ops.get(string(path)); op != nil {
		r.fail(&Mismatch{Recorded: op.event, Number: op.number, Asked: "the code starts a coroutine", Source: source()})
	}
	if r.spawned++; r.spawned > r.opt.Actions {
		r.fail(r.tooMuch())
	}
	p := new(Promise)
	r.spawn(string(path)+".", func() {
		body()
		r.complete(p, nil)
	})
	return p
}

// alive ends the coroutine when it is being unwound: nothing may be asked for or waited for then.
func (r *Run) alive() {
	if r.unwinding || r.lost.Load() {
		runtime.Goexit()
	}
	if r.current == nil {
		panic("the context of an orchestration is used outside the orchestration's own code: in a step, an activity or a goroutine")
	}
}

// Unwinding reports whether deferred functions run because the turn is over, not because the code has returned.
func (r *Run) Unwinding() bool { return r.unwinding }

// Log returns a logger that is silent in replay and while unwinding.
func (r *Run) Log() *slog.Logger { return r.log }

type liveHandler struct {
	slog.Handler
	run *Run
}

func (h liveHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.run.live() && h.Handler.Enabled(ctx, level)
}

func (h liveHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return liveHandler{h.Handler.WithAttrs(attrs), h.run}
}

func (h liveHandler) WithGroup(name string) slog.Handler {
	return liveHandler{h.Handler.WithGroup(name), h.run}
}

const module = "github.com/durable-lambda/durable-lambda/"

// source is the line of the code that called into this module.
func source() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, module+"internal/replay.") && !strings.HasPrefix(f.Function, module+"durable.") {
			return f.File + ":" + strconv.Itoa(f.Line)
		}
		if !more {
			return ""
		}
	}
}
