package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/schedule"
)

// times are the next n times of a plan that was made at from, as clocks in its zone show them.
func times(t *testing.T, p schedule.Plan, from string, n int) (shown []string) {
	t.Helper()
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, from)
	if err != nil {
		t.Fatal(err)
	}
	if p.Every != 0 && p.From.IsZero() {
		p.From = at
		n++
		at = at.Add(-1)
		defer func() { shown = shown[1:] }()
	}
	for range n {
		next, ok := p.Next(at)
		if !ok {
			return append(shown, "never")
		}
		if !next.After(at) {
			t.Fatalf("%v is not after %v", next, at)
		}
		at = next
		shown = append(shown, next.In(zone).Format("01-02 15:04 -07"))
	}
	return shown
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time { v, _ := time.Parse(time.RFC3339, s); return v }
	for name, c := range map[string]struct {
		plan schedule.Plan
		from string
		want []string
	}{
		"a skipped time is due when clocks have been put forward": {schedule.Plan{Cron: "30 2 * * *", Zone: "Europe/Berlin"}, "2026-03-28T00:00:00Z",
			[]string{"03-28 02:30 +01", "03-29 03:00 +02", "03-30 02:30 +02"}},
		"two skipped times are due once": {schedule.Plan{Cron: "0,30 2,3 * * *", Zone: "Europe/Berlin"}, "2026-03-28T03:00:00Z",
			[]string{"03-29 03:00 +02", "03-29 03:30 +02", "03-30 02:00 +02"}},
		"a time that comes twice is due the first time": {schedule.Plan{Cron: "30 1 * * *", Zone: "America/New_York"}, "2026-10-31T12:00:00Z",
			[]string{"11-01 01:30 -04", "11-02 01:30 -05"}},
		"in a zone east of Greenwich, too": {schedule.Plan{Cron: "30 2 * * *", Zone: "Europe/Berlin"}, "2026-10-24T12:00:00Z",
			[]string{"10-25 02:30 +02", "10-26 02:30 +01"}},
		"and not the second time when asked in between": {schedule.Plan{Cron: "30 1 * * *", Zone: "America/New_York"}, "2026-11-01T06:10:00Z",
			[]string{"11-02 01:30 -05"}},
		"every twenty minutes is real time when clocks are put back": {schedule.Plan{Cron: "*/20 * * * *", Zone: "America/New_York"}, "2026-11-01T05:30:00Z",
			[]string{"11-01 01:40 -04", "11-01 01:00 -05", "11-01 01:20 -05", "11-01 01:40 -05", "11-01 02:00 -05"}},
		"and when they are put forward": {schedule.Plan{Cron: "*/30 * * * *", Zone: "Europe/Berlin"}, "2026-03-29T00:20:00Z",
			[]string{"03-29 01:30 +01", "03-29 03:00 +02", "03-29 03:30 +02"}},
		"midnight that does not exist": {schedule.Plan{Cron: "@daily", Zone: "America/Sao_Paulo"}, "2018-11-03T12:00:00Z",
			[]string{"11-04 01:00 -02", "11-05 00:00 -02"}},
		"half an hour is put forward": {schedule.Plan{Cron: "15 2 * * *", Zone: "Australia/Lord_Howe"}, "2026-10-03T00:00:00Z",
			[]string{"10-04 02:30 +11", "10-05 02:15 +11"}},
		"a whole day that is skipped": {schedule.Plan{Cron: "0 12 * * *", Zone: "Pacific/Apia"}, "2011-12-29T12:00:00Z",
			[]string{"12-29 12:00 -10", "12-31 00:00 +14", "12-31 12:00 +14"}},
		"either day, as in cron":      {schedule.Plan{Cron: "0 0 13 * FRI"}, "2026-11-01T00:00:00Z", []string{"11-06 00:00 +00", "11-13 00:00 +00", "11-20 00:00 +00"}},
		"29 February":                 {schedule.Plan{Cron: "0 0 29 2 *"}, "2026-01-01T00:00:00Z", []string{"02-29 00:00 +00"}},
		"never":                       {schedule.Plan{Cron: "0 0 30 2 *"}, "2026-01-01T00:00:00Z", []string{"never"}},
		"an interval does not drift":  {schedule.Plan{Every: 36 * time.Hour}, "2026-01-01T00:00:00Z", []string{"01-02 12:00 +00", "01-04 00:00 +00"}},
		"from and until are included": {schedule.Plan{Every: time.Hour, From: at("2026-01-02T00:00:00Z"), Until: at("2026-01-02T01:00:00Z")}, "2026-01-01T00:00:00Z", []string{"01-02 00:00 +00", "01-02 01:00 +00", "never"}},
		"a line from a time on":       {schedule.Plan{Cron: "0 * * * *", From: at("2026-01-02T00:00:00Z")}, "2026-01-01T00:00:00Z", []string{"01-02 00:00 +00", "01-02 01:00 +00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, times(t, c.plan, c.from, len(c.want))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestTimesAreWholeSeconds because timers count in milliseconds.
func TestTimesAreWholeSeconds(t *testing.T) {
	t.Parallel()
	at := durabletest.Epoch.Add(1500 * time.Microsecond)
	for _, p := range []schedule.Plan{{Every: time.Minute}, {Every: time.Minute, From: at}, {Cron: "@hourly", From: at}} {
		next, ok := p.Next(at.Add(-time.Second))
		if !ok || next.Nanosecond() != 0 || next.Before(p.From) {
			t.Errorf("%+v: after %v comes %v", p, at, next)
		}
	}
}

func TestPlansThatAreWrong(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]schedule.Plan{
		"either a crontab line or an interval": {},
		"set one of Cron and Every":            {Cron: "@daily", Every: time.Hour},
		"whole seconds":                        {Every: 1500 * time.Millisecond},
		"every -1h0m0s":                        {Every: -time.Hour},
		"no time zone":                         {Every: time.Hour, Zone: "UTC"},
		`time zone "Berlin" is not known`:      {Cron: "@daily", Zone: "Berlin"},
		`time zone "Local"`:                    {Cron: "@daily", Zone: "Local"},
		"goes into Zone":                       {Cron: "TZ=Europe/Berlin 0 3 * * *"},
		"goes into Every":                      {Cron: "@every 5m"},
		"expected exactly 5 fields":            {Cron: "* * * *"},
		"above maximum":                        {Cron: "61 * * * *"},
		"grace is negative":                    {Cron: "@daily", Grace: -1},
		"catches up with 101":                  {Cron: "@daily", CatchUp: 101},
		`missed is "never"`:                    {Cron: "@daily", Missed: "never"},
		`overlap is "allow"`:                   {Cron: "@daily", Overlap: "allow"},
		"before it begins":                     {Cron: "@daily", From: time.Unix(9, 0), Until: time.Unix(8, 0)},
	} {
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want one with %q", p, err, want)
		}
	}
}

// TestTimesAlwaysGoOn asks all through a year, in zones whose clocks are put forward and back.
func TestTimesAlwaysGoOn(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"} {
		for _, line := range []string{"30 2 * * *", "15 1,2,3 * * *", "*/20 * * * *", "0 */2 * * *"} {
			p := schedule.Plan{Cron: line, Zone: zone}
			var last time.Time
			for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() == 2026; at = at.Add(11 * time.Hour) {
				next, ok := p.Next(at)
				again, _ := p.Next(next.Add(-1))
				if !ok || !next.After(at) || next.Before(last) || next.Sub(at) > 26*time.Hour || !again.Equal(next) {
					t.Fatalf("%s in %s: after %v comes %v, and a moment before that %v", line, zone, at, next, again)
				}
				last = next
			}
		}
	}
}
