package schedule

import (
	"errors"
	"fmt"
	"time"
)

// Plan is when a schedule runs, and what happens when it cannot.
type Plan struct {
	// Cron is a crontab line, see the package. Either this or Every.
	Cron string `json:"cron,omitempty"`
	// Zone is the IANA name of the time zone that Cron is meant in: Europe/Berlin. UTC without it.
	Zone string `json:"zone,omitempty"`
	// Every is an interval of whole seconds.
	Every time.Duration `json:"every,omitempty"`
	// From is the first time at which a run may be due, rounded up to a second. An interval is due at that very time, and counted from it.
	From time.Time `json:"from,omitzero"`
	// Until is the last time at which a run may be due; then the schedule completes. Zero: it goes on for ever.
	Until time.Time `json:"until,omitzero"`

	// Missed is what becomes of runs that are late by more than Grace. SkipMissed without it.
	Missed Missed `json:"missed,omitempty"`
	// Grace is how late a run is still in time. 0: one minute, or Every if that is shorter.
	Grace time.Duration `json:"grace,omitempty"`
	// CatchUp is how many missed runs RunAll makes, the newest ones. 0: 10; at most 100.
	CatchUp int `json:"catchUp,omitempty"`
	// Overlap is what becomes of a run that is due while another runs. SkipOverlap without it.
	Overlap Overlap `json:"overlap,omitempty"`
}

// Missed is what becomes of runs that could not begin in time.
type Missed string

const (
	// SkipMissed makes none of them.
	SkipMissed Missed = "skip"
	// RunOnce makes one for all of them, that of the newest time.
	RunOnce Missed = "once"
	// RunAll makes them one after the other, the oldest first, at most Plan.CatchUp.
	RunAll Missed = "all"
)

// Overlap is what becomes of a run that is due before the one before it is known to have ended.
type Overlap string

const (
	// SkipOverlap does not make it.
	SkipOverlap Overlap = "skip"
	// WaitOverlap makes it when the other one has ended. One waits at most: what is due after that is skipped.
	WaitOverlap Overlap = "wait"
	// CancelOverlap terminates the one that runs, and drops missed runs that were to come.
	CancelOverlap Overlap = "cancel"
)

const (
	defaultGrace   = time.Minute
	defaultCatchUp = 10
	mostCatchUp    = 100
)

// Check says what is wrong with a plan, as an error that is durable.ErrInvalid where the plan is sent.
func (p Plan) Check() error {
	if _, err := p.clock(time.Time{}); err != nil {
		return err
	}
	switch {
	case p.Grace < 0:
		return errors.New("a plan's grace is negative")
	case p.CatchUp < 0 || p.CatchUp > mostCatchUp:
		return fmt.Errorf("a plan catches up with %d missed runs: from 0 to %d are allowed", p.CatchUp, mostCatchUp)
	case !p.Until.IsZero() && p.Until.Before(p.From):
		return errors.New("a plan ends before it begins: Until is before From")
	}
	switch p.Missed {
	case "", SkipMissed, RunOnce, RunAll:
	default:
		return fmt.Errorf("a plan's missed is %q: %s, %s and %s are known", p.Missed, SkipMissed, RunOnce, RunAll)
	}
	switch p.Overlap {
	case "", SkipOverlap, WaitOverlap, CancelOverlap:
	default:
		return fmt.Errorf("a plan's overlap is %q: %s, %s and %s are known", p.Overlap, SkipOverlap, WaitOverlap, CancelOverlap)
	}
	return nil
}

// Next is the first time after t at which a run is due, of a plan that was made at t when it has no From. It reports false when there is
// none: the plan is over, wrong, or as 30 February never comes.
func (p Plan) Next(t time.Time) (time.Time, bool) {
	c, err := p.clock(t)
	if err != nil {
		return time.Time{}, false
	}
	return c.next(t)
}

func (p Plan) grace() time.Duration {
	switch {
	case p.Grace != 0:
		return p.Grace
	case p.Every != 0:
		return min(p.Every, defaultGrace)
	}
	return defaultGrace
}

func (p Plan) catchUp() int {
	if p.CatchUp == 0 {
		return defaultCatchUp
	}
	return p.CatchUp
}

// keep are those of the times that are due at now, the oldest first, that are run.
func (p Plan) keep(times []time.Time, now time.Time) []time.Time {
	missed := 0
	for _, t := range times {
		if now.Sub(t) > p.grace() {
			missed++
		}
	}
	switch {
	case p.Missed == RunAll:
		return times[max(0, missed-p.catchUp()):]
	case p.Missed == RunOnce && missed > 0:
		return times[len(times)-1:]
	}
	return times[missed:]
}
