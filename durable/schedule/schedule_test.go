package schedule_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/schedule"
)

func TestItRunsAtTheTimesOfItsPlan(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Cron: "0 3 * * *", Zone: "Europe/Berlin"}, order{})
	d := r.describe()
	if want := time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC); !d.Next.Equal(want) || d.Completed != 0 {
		t.Errorf("it shows %+v", d)
	}
	r.sys.Advance(48 * time.Hour)
	r.runs("01T02:00", "02T02:00")
	if d := r.describe(); d.Completed != 2 || d.Last != "s@20260102T020000Z" || d.Running != "" {
		t.Errorf("it shows %+v", d)
	}
	page, err := r.sys.Client.List(t.Context(), durable.Query{Tags: map[string]string{"schedule": "s"}})
	if err != nil || len(page.Instances) != 2 {
		t.Errorf("%d runs are found by their tag, %v", len(page.Instances), err)
	}
}

// TestClocksArePutForward crosses a night whose 02:30 does not exist.
func TestClocksArePutForward(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Cron: "30 2 * * *", Zone: "Europe/Berlin", From: time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC)}, order{})
	r.sys.Advance(time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC).Sub(r.sys.Now()))
	r.runs("28T01:30", "29T01:00", "30T00:30")
}

func TestAnotherPlan(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Every: time.Hour}, order{})
	r.sys.Advance(90 * time.Minute)
	r.do(works.Update(t.Context(), r.sys.Client, "s", schedule.Plan{Cron: "15 */2 * * *"}, order{Fail: "told to"}))
	r.sys.Advance(3 * time.Hour)
	r.runs("01T01:00", "01T02:15", "01T04:15")
	if d := r.describe(); d.Plan.Cron != "15 */2 * * *" || d.Completed != 1 || d.Failed != 2 || !strings.Contains(d.LastError, "told to") {
		t.Errorf("it shows %+v", d)
	}
}

func TestAFailureDoesNotEndIt(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Every: time.Hour}, order{Fail: strings.Repeat("ä", 1000)})
	r.sys.Advance(5 * time.Hour)
	if d := r.describe(); d.Failed != 5 || d.Completed != 0 || len(d.LastError) > 600 || !strings.Contains(d.LastError, "ää") {
		t.Errorf("it shows %+v", d)
	}
}

func TestNonsenseDoesNotEndIt(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Every: time.Hour}, order{})
	for _, data := range []string{`"what"`, `{"do":"dance"}`, `{"do":"update","plan":{"every":5}}`, `{"do":"update","plan":{"cron":"0 0 30 2 *"}}`} {
		r.do(r.sys.Client.Raise(t.Context(), durable.EventRequest{Instance: "s", Name: "schedule", Data: []byte(data)}))
	}
	r.sys.Advance(time.Hour)
	r.runs("01T01:00")
}

// TestNothingToldIsLost tells it several things at once, and something while it ends a run.
func TestNothingToldIsLost(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Every: time.Hour, Overlap: schedule.WaitOverlap}, order{Takes: 30 * time.Minute})
	for _, tell := range []func(context.Context, durable.Client, string) error{works.Pause, works.Trigger, works.Resume, works.Trigger, works.Pause} {
		if err := tell(t.Context(), r.sys.Client, "s"); err != nil {
			t.Fatal(err)
		}
	}
	r.sys.Advance(3 * time.Hour)
	r.runs("01T00:00 by hand 1", "01T00:00 at 01T00:30 by hand 2")
	r.resume()
	r.sys.Advance(65 * time.Minute)
	r.runs("01T03:00", "01T04:00")
	manage := func(c durable.Command) {
		r.do(r.sys.Client.Manage(t.Context(), durable.ManageRequest{Instance: "s", Command: c}))
	}
	manage(durable.Suspend)
	r.pause()
	r.sys.Advance(time.Hour)
	r.trigger()
	manage(durable.Resume)
	if d := r.describe(); !d.Paused {
		t.Errorf("it shows %+v", d)
	}
	r.runs("01T05:05 by hand 3")
}

func TestItsEnd(t *testing.T) {
	t.Parallel()
	status := func(r rig) durable.Status {
		in, err := r.sys.Client.Get(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		return in.Status
	}
	r := start(t, schedule.Plan{Every: time.Hour, Until: durabletest.Epoch.Add(2 * time.Hour)}, order{Takes: 30 * time.Minute})
	r.sys.Advance(2*time.Hour + 10*time.Minute)
	if s := status(r); s != durable.Running {
		t.Errorf("while its last run is under way it is %s", s)
	}
	r.sys.Advance(time.Hour)
	r.runs("01T01:00", "01T02:00")
	if s := status(r); s != durable.Completed {
		t.Errorf("after its last run it is %s", s)
	}
	for policy, want := range map[schedule.Overlap]durable.Status{schedule.SkipOverlap: durable.Completed, schedule.CancelOverlap: durable.Terminated} {
		r := start(t, schedule.Plan{Every: time.Hour, Overlap: policy}, order{Takes: 30 * time.Minute})
		r.sys.Advance(65 * time.Minute)
		r.do(works.Delete(t.Context(), r.sys.Client, "s"))
		r.sys.Advance(3 * time.Hour)
		r.runs("01T01:00")
		run, err := r.sys.Client.Get(t.Context(), "s@20260101T010000Z")
		if s := status(r); s != durable.Completed || run.Status != want || err != nil {
			t.Errorf("%s: the schedule is %s, its run %s, %v", policy, s, run.Status, err)
		}
	}
}

func TestWhatCannotBegin(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Cron: "0 0 30 2 *"}, order{})
	if in, err := r.sys.Client.Get(t.Context(), "s"); in.Status != durable.Failed || !strings.Contains(string(in.Output), "never due") || err != nil {
		t.Errorf("it is %s: %s, %v", in.Status, in.Output, err)
	}
	for _, err := range []error{
		works.Create(t.Context(), r.sys.Client, "x", schedule.Plan{}, order{}),
		works.Create(t.Context(), r.sys.Client, strings.Repeat("x", 221), schedule.Plan{Cron: "@daily"}, order{}),
		works.Update(t.Context(), r.sys.Client, "s", schedule.Plan{}, order{}),
	} {
		if !errors.Is(err, durable.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	}
}

// TestAThousandRunsLater the history is as long as after a few.
func TestAThousandRunsLater(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Every: time.Minute, Missed: schedule.RunAll}, order{})
	size := func(runs int) (events int, segments uint64) {
		r.sys.Advance(time.Duration(runs) * time.Minute)
		all, err := r.sys.Client.History(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			segments = max(segments, e.Segment+1)
		}
		return len(all), segments
	}
	fewEvents, fewSegments := size(3)
	events, segments := size(997)
	t.Logf("after %d runs: %d events in %d segments", len(slices.Compact(*r.began)), events, segments)
	if d := r.describe(); d.Completed != 1000 || events != fewEvents || segments != fewSegments {
		t.Errorf("after %d runs %d events in %d segments, after three %d in %d", d.Completed, events, segments, fewEvents, fewSegments)
	}
}

// TestOverHTTP writes what the package says of the wire.
func TestOverHTTP(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Every: time.Hour}, order{})
	_, err := r.sys.Client.Start(t.Context(), durable.StartRequest{Name: "WorkSchedule", ID: "wire",
		Input: []byte(`{"plan": {"cron": "@hourly", "zone": "Europe/Berlin"}, "input": {"Fail": "told to"}}`)})
	r.do(err)
	r.sys.Advance(90 * time.Minute)
	for _, told := range []string{`{"do": "trigger"}`, `{"do": "update", "plan": {"every": 600000000000}, "input": {}}`, `{"do": "pause"}`} {
		r.do(r.sys.Client.Raise(t.Context(), durable.EventRequest{Instance: "wire", Name: "Schedule", Data: []byte(told)}))
	}
	d, err := works.Describe(t.Context(), r.sys.Client, "wire")
	if err != nil || d.Failed != 2 || d.Plan.Every != 10*time.Minute || !d.Paused {
		t.Errorf("it shows %+v, %v", d, err)
	}
}
