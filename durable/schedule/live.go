package schedule

import (
	"github.com/durable-lambda/durable-lambda/durable"
)

// live is one generation of a schedule: it waits for one thing, or makes one run, and continues as new.
func (s Schedule[I, O]) live(ctx durable.Context, st state[I]) (none durable.None, err error) {
	goOn := true
	switch {
	case st.Made.IsZero():
		err = st.follow(st.Plan, ctx.Now())
	case len(st.Queue) > 0:
		goOn = s.work(ctx, &st)
	default:
		goOn = s.idle(ctx, &st)
	}
	show(ctx, st)
	if err != nil || !goOn {
		return none, err
	}
	return none, s.loop.ContinueAsNew(ctx, st)
}

// show sets the custom status.
func show[I any](ctx durable.Context, st state[I]) {
	st.CatchingUp = max(0, len(st.Queue)-1)
	ctx.SetStatus(st.Description)
}

// idle waits until a run is due or the schedule is told something. It reports false when there is nothing to wait for any more.
func (s Schedule[I, O]) idle(ctx durable.Context, st *state[I]) bool {
	if st.Next.IsZero() && !st.Paused {
		return false
	}
	show(ctx, *st)
	told := s.told.Next(ctx)
	waits := []durable.Awaitable{told}
	if !st.Paused {
		waits = append(waits, durable.After(ctx, st.Next.Sub(ctx.Now())))
	}
	if durable.First(ctx, waits...) == durable.Awaitable(told) {
		return obey(ctx, st, hear(ctx, told))
	}
	now := ctx.Now()
	times := st.due(now)
	st.enqueue(st.Plan.keep(times, now), len(times))
	return true
}

// work makes the first run of the queue. The policy is that of its beginning: how the run ends was fixed then. It reports false
// when the schedule is deleted.
func (s Schedule[I, O]) work(ctx durable.Context, st *state[I]) bool {
	policy := st.Plan.Overlap
	opts := []durable.ChildOption{durable.ID(st.Queue[0].id(ctx.InstanceID())), durable.Tag("schedule", ctx.InstanceID())}
	if policy == CancelOverlap {
		opts = append(opts, durable.TerminateChild) // which continuing as new does
	}
	run := s.runs.Start(ctx, st.Input, opts...)
	st.Running = run.ID()
	for {
		show(ctx, *st)
		told := s.told.Next(ctx)
		waits := []durable.Awaitable{told, run} // an event that was taken must be looked at
		if policy == CancelOverlap && !st.Paused && !st.Next.IsZero() {
			waits = append(waits, durable.After(ctx, st.Next.Sub(ctx.Now())))
		}
		switch durable.First(ctx, waits...) {
		case durable.Awaitable(run):
			_, err := run.Await()
			st.Queue = st.Queue[1:]
			st.ended(run.ID(), err)
			st.overlapped(policy, ctx.Now())
			return true
		case durable.Awaitable(told):
			c := hear(ctx, told)
			if c.Do == trigger && st.again(policy, ctx.Now()) {
				return true
			}
			if c.Do != trigger && !obey(ctx, st, c) {
				return false
			}
		default:
			if times := st.due(ctx.Now()); len(times) > 0 {
				st.Skipped += len(times) - 1
				st.replace(job{Due: times[len(times)-1]})
				return true
			}
		}
	}
}

// hear is what a schedule is told. What it cannot read does not end it.
func hear[I any](ctx durable.Context, told *durable.Future[command[I]]) command[I] {
	c, err := told.Await()
	if err != nil {
		ctx.Log().Warn("the schedule cannot read what it is told", "error", err)
		return command[I]{}
	}
	return c
}

// obey does what a schedule is told, and reports whether it goes on.
func obey[I any](ctx durable.Context, st *state[I], c command[I]) bool {
	switch c.Do {
	case pause, resume:
		st.Paused = c.Do == pause
	case trigger:
		st.Queue = append(st.Queue, st.byHand(ctx.Now()))
	case update:
		if err := st.follow(c.Plan, ctx.Now()); err != nil {
			ctx.Log().Warn("the schedule keeps its plan", "error", err)
			break
		}
		st.Input = c.Input
		if len(st.Queue) > 1 { // the first one runs
			st.Skipped += len(st.Queue) - 1
			st.Queue = st.Queue[:1]
		}
	case remove:
		return false
	default:
		ctx.Log().Warn("the schedule does not know what it is told", "do", c.Do)
	}
	return true
}
