package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // Lambda's base images have no time zones

	"github.com/netresearch/go-cron"
)

// clock finds the times of a plan. It is a pure function of the plan and the time zone data.
type clock struct {
	plan   Plan
	anchor time.Time // intervals are counted from here
	line   *cron.SpecSchedule
	zone   *time.Location
}

// Five fields, and the words for whole lines; both days restricted mean either of them, as in cron.
const dialect = cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor | cron.DowOrDom

// clock returns the clock of a plan that was made at a time.
func (p Plan) clock(made time.Time) (c clock, err error) {
	if cut := p.From.Truncate(time.Second); !cut.Equal(p.From) {
		p.From = cut.Add(time.Second)
	}
	c = clock{plan: p, anchor: p.From}
	if c.anchor.IsZero() {
		c.anchor = made.Truncate(time.Second)
	}
	switch {
	case (p.Cron == "") == (p.Every == 0):
		return c, errors.New("a plan has either a crontab line or an interval: set one of Cron and Every")
	case p.Every < 0 || p.Every%time.Second != 0:
		return c, fmt.Errorf("a plan runs every %v: write a number of whole seconds", p.Every)
	case p.Every != 0 && p.Zone != "":
		return c, errors.New("a plan with an interval has no time zone: leave Zone empty")
	case p.Every != 0:
		return c, nil
	case strings.Contains(p.Cron, "="):
		return c, fmt.Errorf("the crontab line %q: a time zone goes into Zone", p.Cron)
	}
	if c.zone, err = time.LoadLocation(p.Zone); err != nil || p.Zone == "Local" {
		return c, fmt.Errorf("the time zone %q is not known: write it as Europe/Berlin", p.Zone)
	}
	parsed, err := cron.MustNewParser(dialect).Parse(p.Cron)
	if err != nil {
		return c, fmt.Errorf("the crontab line %q: %w", p.Cron, err)
	}
	var ok bool
	if c.line, ok = parsed.(*cron.SpecSchedule); !ok {
		return c, fmt.Errorf("the crontab line %q: an interval goes into Every", p.Cron)
	}
	return c, nil
}

// next is the first time after t.
func (c clock) next(t time.Time) (time.Time, bool) {
	if t.Before(c.plan.From) {
		t = c.plan.From.Add(-1)
	}
	var due time.Time
	switch {
	case c.line == nil && t.Before(c.anchor):
		due = c.anchor
	case c.line == nil:
		due = c.anchor.Add((t.Sub(c.anchor)/c.plan.Every + 1) * c.plan.Every)
	case c.line.Hour&everyHour != 0:
		due = c.line.Next(t.In(c.zone))
	default:
		due = c.onTheWall(t)
	}
	if due.IsZero() || !c.plan.Until.IsZero() && due.After(c.plan.Until) {
		return time.Time{}, false
	}
	return due.UTC(), true
}

// everyHour is the bit of a field that was written as *.
const everyHour = 1 << 63

// onTheWall finds the next time that a clock on the wall shows. The line is asked in UTC, which skips and repeats nothing; what is
// not later on the wall is not later.
func (c clock) onTheWall(t time.Time) time.Time {
	w := t.In(c.zone)
	wall := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), 0, time.UTC)
	for {
		if wall = c.line.Next(wall); wall.IsZero() {
			return wall
		}
		if due := instant(wall, c.zone); due.After(t) {
			return due
		}
	}
}

// instant is when a zone's clocks show what wall does in UTC: for the first time, or, when they never do, the end of what they skip.
func instant(wall time.Time, zone *time.Location) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	start, end := t.ZoneBounds()
	_, offset := t.Zone()
	switch shown := t.UTC().Add(time.Duration(offset) * time.Second); {
	case shown.After(wall):
		return start
	case shown.Before(wall):
		return end
	}
	if start.IsZero() {
		return t
	}
	_, before := start.Add(-1).Zone()
	if first := t.Add(time.Duration(offset-before) * time.Second); first.Before(start) {
		return first
	}
	return t
}
