package schedule_test

import (
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/schedule"
)

func TestNoOverlap(t *testing.T) {
	t.Parallel()
	for policy, c := range map[schedule.Overlap]struct {
		want                         []string
		completed, canceled, skipped int
	}{
		"":                     {[]string{"01T01:00", "01T04:00"}, 1, 0, 2},
		schedule.SkipOverlap:   {[]string{"01T01:00", "01T04:00"}, 1, 0, 2},
		schedule.WaitOverlap:   {[]string{"01T01:00", "01T02:00 at 01T03:30"}, 1, 0, 1},
		schedule.CancelOverlap: {[]string{"01T01:00", "01T02:00", "01T03:00", "01T04:00"}, 0, 3, 0},
	} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			r := start(t, schedule.Plan{Every: time.Hour, Overlap: policy}, order{Takes: 150 * time.Minute})
			r.sys.Advance(4*time.Hour + 10*time.Minute)
			r.runs(c.want...)
			if d := r.describe(); d.Completed != c.completed || d.Canceled != c.canceled || d.Skipped != c.skipped || d.Running == "" {
				t.Errorf("it shows %+v", d)
			}
			var running int
			page, err := r.sys.Client.List(t.Context(), durable.Query{Tags: map[string]string{"schedule": "s"}})
			for _, in := range page.Instances {
				if in.Status == durable.Running {
					running++
				}
			}
			if running != 1 || err != nil {
				t.Errorf("%d runs are under way, %v", running, err)
			}
		})
	}
}

func TestByHand(t *testing.T) {
	t.Parallel()
	for policy, want := range map[schedule.Overlap][]string{
		schedule.SkipOverlap:   {"01T00:05 by hand 1", "01T01:00"},
		schedule.WaitOverlap:   {"01T00:05 by hand 1", "01T00:10 at 01T00:25 by hand 2", "01T01:00"},
		schedule.CancelOverlap: {"01T00:05 by hand 1", "01T00:10 by hand 2", "01T00:12 by hand 3", "01T01:00"},
	} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			r := start(t, schedule.Plan{Every: time.Hour, Overlap: policy}, order{Takes: 20 * time.Minute})
			r.sys.Advance(5 * time.Minute)
			r.trigger()
			r.sys.Advance(5 * time.Minute)
			r.trigger()
			r.sys.Advance(2 * time.Minute)
			r.trigger()
			r.sys.Advance(50 * time.Minute)
			r.runs(want...)
		})
	}
}

func TestByHandWhilePaused(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Every: time.Hour}, order{})
	r.pause()
	r.sys.Advance(30 * time.Minute)
	r.trigger()
	r.sys.Advance(3 * time.Hour)
	r.runs("01T00:30 by hand 1")
}

// TestAPauseDuringARun takes what came due since the beginning of the run as missed.
func TestAPauseDuringARun(t *testing.T) {
	t.Parallel()
	for _, policy := range []schedule.Overlap{schedule.SkipOverlap, schedule.CancelOverlap} {
		r := start(t, schedule.Plan{Every: time.Hour, Missed: schedule.RunOnce, Overlap: policy}, order{Takes: 150 * time.Minute})
		r.sys.Advance(90 * time.Minute)
		r.pause()
		r.sys.Advance(4 * time.Hour)
		r.runs("01T01:00")
		if d := r.describe(); d.Completed != 1 || !d.Paused {
			t.Errorf("it shows %+v", d)
		}
		r.resume()
		r.runs("01T05:00 at 01T05:30")
	}
}

// TestARunAsLongAsTheInterval ends when the next one is due: that one is made, and only that one.
func TestARunAsLongAsTheInterval(t *testing.T) {
	t.Parallel()
	for _, policy := range []schedule.Overlap{schedule.WaitOverlap, schedule.CancelOverlap} {
		r := start(t, schedule.Plan{Every: time.Hour, Overlap: policy}, order{Takes: time.Hour})
		r.sys.Advance(4*time.Hour + 10*time.Minute)
		r.runs("01T01:00", "01T02:00", "01T03:00", "01T04:00")
	}
}

// TestARunThatEndsWhileNoWorkerRuns leaves nothing to cancel when the next one is due.
func TestARunThatEndsWhileNoWorkerRuns(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Every: time.Hour, Overlap: schedule.CancelOverlap, Missed: schedule.RunOnce}, order{Takes: 30 * time.Minute})
	r.sys.Advance(65 * time.Minute)
	r.down(90 * time.Minute)
	r.runs("01T01:00", "01T02:00 at 01T02:35")
	if d := r.describe(); d.Completed != 1 || d.Canceled != 0 {
		t.Errorf("it shows %+v", d)
	}
}

func TestWhatIsAskedForByHandWaitsAlone(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Every: time.Hour, Overlap: schedule.WaitOverlap}, order{Takes: 90 * time.Minute})
	r.sys.Advance(70 * time.Minute)
	r.trigger()
	r.sys.Advance(3 * time.Hour)
	r.runs("01T01:00", "01T01:10 at 01T02:30 by hand 1", "01T03:00 at 01T04:00")
	if d := r.describe(); d.Skipped != 2 { // 02:00, and 04:00
		t.Errorf("it shows %+v", d)
	}
}
