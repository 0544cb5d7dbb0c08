package durable

import "time"

// Err is why the scope of the context is over: ErrCanceled or ErrTimeout; nil while it is not. Whatever is asked for in a scope
// that is over fails with it at once, and is not asked for.
func (c Context) Err() error { return c.scope.Err() }

// WithCancel returns a context whose waits end, with ErrCanceled, when cancel is called, or ctx's scope is over: timers are
// canceled, an event that comes later is kept for another wait, and activities go on without anybody waiting for their outcome.
// What had its outcome before keeps it. Calling cancel again does nothing.
func WithCancel(ctx Context) (_ Context, cancel func()) {
	scope := ctx.run.Scope(ctx.scope)
	return Context{ctx.run, scope}, func() { ctx.run.EndScope(scope, ErrCanceled) }
}

// WithTimeout is WithCancel with a durable timer: d from now the waits end with ErrTimeout. Calling cancel when the work is done,
// deferred perhaps, gives the timer up. It takes one number of an operation, as Go does.
func WithTimeout(ctx Context, d time.Duration) (_ Context, cancel func()) {
	inner, cancel := WithCancel(ctx)
	run, scope := inner.run, inner.scope
	if d <= 0 {
		run.EndScope(scope, ErrTimeout)
		return inner, cancel
	}
	run.Go(func() {
		if scope.Err() != nil {
			return // nothing has waited
		}
		t := run.Timer(d)
		run.Watch(scope, t.Promise, func() { run.Cancel(t) })
		run.Await(t.Promise)
		run.EndScope(scope, ErrTimeout)
	})
	return inner, cancel
}

// Detached returns the context without its scope: what is asked for with it is waited for, whatever was canceled or timed out.
// For what must be undone.
func Detached(ctx Context) Context { return Context{run: ctx.run} }
