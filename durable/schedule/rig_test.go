package schedule_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/schedule"
)

// order is what a run is told: how long it takes, and what becomes of it.
type order struct {
	Takes time.Duration
	Fail  string
}

var (
	work  = durable.NewOrchestration[order, durable.None]("Work")
	works = schedule.New(work)
)

// rig is a schedule named "s" in a system, whose clock begins at midnight.
type rig struct {
	*testing.T
	sys   *durabletest.System
	began *[]string
}

func start(t *testing.T, p schedule.Plan, o order) rig {
	t.Helper()
	var began []string
	sys := durabletest.New(t, works.Handler(), work.Bind(func(ctx durable.Context, o order) (none durable.None, err error) {
		// A step, because a replay is no beginning.
		if _, err := durable.Step(ctx, "begin", func(context.Context) (none durable.None, err error) {
			began = append(began, ctx.InstanceID()+" at "+ctx.Now().Format("02T15:04"))
			return none, nil
		}); err != nil {
			return none, err
		}
		if o.Takes > 0 {
			if err := durable.Sleep(ctx, o.Takes); err != nil {
				return none, err
			}
		}
		if o.Fail != "" {
			return none, errors.New(o.Fail)
		}
		return none, nil
	}))
	if err := works.Create(t.Context(), sys.Client, "s", p, o); err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	return rig{t, sys, &began}
}

// do tells the schedule something.
func (r rig) do(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
	r.sys.Settle()
}

func (r rig) pause()   { r.Helper(); r.do(works.Pause(r.Context(), r.sys.Client, "s")) }
func (r rig) resume()  { r.Helper(); r.do(works.Resume(r.Context(), r.sys.Client, "s")) }
func (r rig) trigger() { r.Helper(); r.do(works.Trigger(r.Context(), r.sys.Client, "s")) }

// down is a time in which no worker takes the schedule on.
func (r rig) down(d time.Duration) {
	r.Helper()
	r.do(r.sys.Client.Manage(r.Context(), durable.ManageRequest{Instance: "s", Command: durable.Suspend}))
	r.sys.Advance(d)
	r.do(r.sys.Client.Manage(r.Context(), durable.ManageRequest{Instance: "s", Command: durable.Resume}))
}

// runs are the times of the runs since it was last asked, and when they began: "01T03:00", "04T00:30 at 04T05:00".
func (r rig) runs(want ...string) {
	r.Helper()
	var got []string
	for _, b := range *r.began {
		id, at, _ := strings.Cut(b, " at ")
		planned, number, byHand := strings.Cut(strings.TrimPrefix(id, "s@"), "-by-hand-")
		due, err := time.Parse("20060102T150405Z", planned)
		if err != nil {
			r.Fatal(err)
		}
		run := due.Format("02T15:04")
		if at != run {
			run += " at " + at
		}
		if byHand {
			run += " by hand " + number
		}
		got = append(got, run)
	}
	*r.began = nil
	if diff := cmp.Diff(want, got); diff != "" {
		r.Errorf("runs: -want +got:\n%s", diff)
	}
}

func (r rig) describe() schedule.Description {
	r.Helper()
	d, err := works.Describe(r.Context(), r.sys.Client, "s")
	if err != nil {
		r.Fatal(err)
	}
	return d
}
