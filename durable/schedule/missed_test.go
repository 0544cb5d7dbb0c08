package schedule_test

import (
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/schedule"
)

func TestAPauseOverSeveralTimes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plan    schedule.Plan
		want    []string
		skipped int
	}{
		"skip":             {schedule.Plan{Missed: schedule.SkipMissed}, nil, 4},
		"nothing said":     {schedule.Plan{}, nil, 4},
		"once":             {schedule.Plan{Missed: schedule.RunOnce}, []string{"01T05:00 at 01T05:30"}, 3},
		"all":              {schedule.Plan{Missed: schedule.RunAll}, []string{"01T02:00 at 01T05:30", "01T03:00 at 01T05:30", "01T04:00 at 01T05:30", "01T05:00 at 01T05:30"}, 0},
		"all, two at most": {schedule.Plan{Missed: schedule.RunAll, CatchUp: 2}, []string{"01T04:00 at 01T05:30", "01T05:00 at 01T05:30"}, 2},
		"with patience":    {schedule.Plan{Grace: time.Hour}, []string{"01T05:00 at 01T05:30"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.plan.Every = time.Hour
			r := start(t, c.plan, order{})
			r.sys.Advance(90 * time.Minute)
			r.pause()
			r.runs("01T01:00")
			r.sys.Advance(4 * time.Hour)
			r.runs()
			if d := r.describe(); !d.Paused || d.Next.Format("15:04") != "02:00" {
				t.Errorf("it shows %+v", d)
			}
			r.resume()
			r.runs(c.want...)
			r.sys.Advance(time.Hour)
			r.runs("01T06:00")
			if d := r.describe(); d.Paused || d.Skipped != c.skipped || d.Completed != 2+len(c.want) {
				t.Errorf("it shows %+v", d)
			}
		})
	}
}

// TestThreeDaysWithoutWorkers ends them at half past midnight: the run of midnight is late, too.
func TestThreeDaysWithoutWorkers(t *testing.T) {
	t.Parallel()
	for policy, want := range map[schedule.Missed][]string{
		schedule.SkipMissed: nil,
		schedule.RunOnce:    {"04T00:00 at 04T00:30"},
		schedule.RunAll:     {"02T00:00 at 04T00:30", "03T00:00 at 04T00:30", "04T00:00 at 04T00:30"},
	} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			r := start(t, schedule.Plan{Cron: "@daily", Missed: policy}, order{Takes: 0})
			r.sys.Advance(30 * time.Minute)
			r.down(72 * time.Hour)
			r.runs(want...)
			r.sys.Advance(24 * time.Hour)
			r.runs("05T00:00")
		})
	}
}

func TestCatchingUpIsOneAfterTheOther(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Cron: "@daily", Missed: schedule.RunAll}, order{Takes: time.Hour})
	r.down(73 * time.Hour)
	if d := r.describe(); d.CatchingUp != 2 || d.Running != "s@20260102T000000Z" {
		t.Errorf("it shows %+v", d)
	}
	r.sys.Advance(3 * time.Hour)
	r.runs("02T00:00 at 04T01:00", "03T00:00 at 04T02:00", "04T00:00 at 04T03:00")
}

// TestALongTimeOfShortIntervals takes more times than one generation looks at.
func TestALongTimeOfShortIntervals(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Every: time.Second, Missed: schedule.RunOnce}, order{})
	r.pause()
	r.sys.Advance(60 * time.Hour)
	r.resume()
	d := r.describe()
	if d.Completed+d.Skipped != 60*3600 || d.Completed != 1 {
		t.Errorf("it shows %+v", d)
	}
}

func TestAnotherPlanWhileItCatchesUp(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Cron: "@daily", Missed: schedule.RunAll}, order{Takes: time.Hour})
	r.down(73 * time.Hour)
	r.do(works.Update(t.Context(), r.sys.Client, "s", schedule.Plan{Every: 5 * time.Hour}, order{}))
	r.sys.Advance(6 * time.Hour)
	r.runs("02T00:00 at 04T01:00", "04T06:00")
	if d := r.describe(); d.Skipped != 2 || d.Completed != 2 {
		t.Errorf("it shows %+v", d)
	}
}

// TestAShortInterval is late after its own length.
func TestAShortInterval(t *testing.T) {
	t.Parallel()
	r := start(t, schedule.Plan{Every: 2 * time.Second, Missed: schedule.RunOnce}, order{})
	r.pause()
	r.sys.Advance(11 * time.Second)
	r.resume()
	if d := r.describe(); d.Completed != 1 || d.Skipped != 4 {
		t.Errorf("it shows %+v", d)
	}
}
