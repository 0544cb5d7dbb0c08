package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/doctor"
)

type doctorCommand struct {
	hubFlags  `embed:""`
	Instances []string      `arg:"" optional:"" name:"instance" help:"Instances to look at; all without any."`
	Repair    bool          `help:"Do what the findings say. Whatever was sent too often is dropped by who receives it, but an activity that is under way runs a second time, under the same idempotency key."`
	Grace     time.Duration `default:"1h" help:"How much later than it should have been done something counts as lost, on top of an activity's own time-outs and pauses. At least 5m: queues remember for as long." placeholder:"1h"`
	All       bool          `help:"Look at instances that have ended, too, and for payloads that nothing refers to."`
}

func (doctorCommand) Help() string {
	return "Exit status 0: nothing is wrong, or is any more; 1: findings are left; 2: it could not look."
}

// minGrace is how long queues remember what they have delivered: what is repeated earlier may be dropped.
const minGrace = 5 * time.Minute

// Run examines the hub.
func (c *doctorCommand) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if c.Grace < minGrace {
		return fmt.Errorf("--grace %v is too short: queues remember for %v what they have delivered, and would drop its repetition", c.Grace, minGrace)
	}
	config, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	config.Instances, config.Repair, config.Grace, config.Closed = c.Instances, c.Repair, c.Grace, c.All
	left, err := examine(ctx, config, newTerminal(os.Stdout))
	if err = errors.Join(err, done()); err != nil {
		return err
	}
	if left {
		return findingsLeft
	}
	return nil
}

// examine prints the findings and reports whether some are left.
func examine(ctx context.Context, c doctor.Config, t *terminal) (left bool, err error) {
	now := c.Store.Now()
	summary, err := doctor.Examine(ctx, c, func(f doctor.Finding) { t.finding(f, now) })
	if err != nil {
		return false, err
	}
	t.summary(summary, c.Repair)
	return summary.Left() > 0, nil
}

// finding prints one: what it is about, what is wrong, since when, and what was or would be done.
func (t *terminal) finding(f doctor.Finding, now time.Time) {
	mark, color := "✗", red
	if !f.Left() {
		mark, color = "✓", green
	}
	about := f.Instance
	if about == "" {
		about = "the hub"
	}
	spans := []span{{color, mark + " "}, {bold, about}, {plain, ": " + f.Problem}}
	if !f.Since.IsZero() {
		spans = append(spans, span{faint, ", since " + f.Since.UTC().Format("2006-01-02 15:04:05Z") + " (" + ago(now.Sub(f.Since)) + ")"})
	}
	action, how := yellow, ""
	switch {
	case f.Err != nil:
		how = fmt.Sprintf("to %s failed: %v", f.Action, f.Err)
	case f.Done:
		action, how = green, "repaired: "+f.Action
	case f.Kind == doctor.Newer:
		how = "left to the newer version"
	case f.Action == "":
		how = "left alone: only a person can decide"
	default:
		how = "--repair would " + f.Action
	}
	t.line(2, append(spans, span{plain, " → "}, span{action, how})...)
}

func (t *terminal) summary(s doctor.Summary, repair bool) {
	if len(s.Unknown) > 0 {
		t.line(0, span{yellow, fmt.Sprintf("dead letters of %s were not looked at: ", strings.Join(s.Unknown, ", "))}, span{plain, doctor.ErrNoDeadLetters.Error()})
	}
	looked := fmt.Sprintf("%d instances looked at, ", s.Instances)
	if s.Instances == 1 {
		looked = "1 instance looked at, "
	}
	switch {
	case s.Findings == 0:
		t.line(0, span{plain, looked}, span{green, "nothing is wrong"})
	case !repair:
		t.line(0, span{plain, looked}, span{red, fmt.Sprintf("%d found", s.Findings)})
	default:
		color := green
		if s.Left() > 0 {
			color = red
		}
		t.line(0, span{plain, looked}, span{color, fmt.Sprintf("%d found, %d repaired, %d left", s.Findings, s.Repaired, s.Left())})
	}
}

// ago says how long something is ago, in its two largest units.
func ago(d time.Duration) string {
	d = d.Round(time.Second)
	days, hours, minutes := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60
	switch {
	case days > 0:
		return fmt.Sprintf("%dd %dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh %dm", hours, minutes)
	}
	return d.String()
}
