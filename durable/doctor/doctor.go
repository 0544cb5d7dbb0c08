package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// DefaultGrace is how long after it should have been done something counts as lost. A queue may be long, and whoever looks
// after it may be away: what is repaired too early is done twice.
const DefaultGrace = time.Hour

// Config of an examination. Store and Worker are needed; the worker needs no handlers.
type Config struct {
	Store  *store.Store
	Worker *worker.Worker
	// Grace is how much later than it should have been done something counts as lost: DefaultGrace without it. It comes on top
	// of the time-outs and pauses of an activity's own policy.
	Grace time.Duration
	// Instances to look at; all that the index lists without any.
	Instances []string
	// Closed looks at instances that have ended, too, and for payloads that nothing refers to.
	Closed bool
	// Repair does what the findings say, instead of only saying so.
	Repair bool
	// Exclusive: nobody else has the hub open. Then what is in its queues can be looked at, so that what only waits there,
	// because no server has run for a while, does not count as lost.
	Exclusive bool
	// Wait is how long a look into a dead-letter queue waits for messages: queues that are spread over machines need a second
	// to find all.
	Wait time.Duration
}

// examination is one run.
type examination struct {
	Config
	report  func(Finding)
	summary Summary
	now     time.Time
	waiting *waiting
}

// Examine looks at a hub, and calls report with each finding as it comes. An error means that it could not go on. It changes
// nothing without Config.Repair, and may run beside workers.
func Examine(ctx context.Context, c Config, report func(Finding)) (Summary, error) {
	if c.Grace <= 0 {
		c.Grace = DefaultGrace
	}
	e := &examination{Config: c, report: report, now: c.Store.Now(), waiting: new(waiting)}
	steps := []func(context.Context) error{e.lookIntoQueues, e.due, e.instances, e.deadLetters, e.payloads}
	if len(c.Instances) > 0 {
		steps = []func(context.Context) error{e.lookIntoQueues, e.instances}
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return e.summary, err
		}
	}
	return e.summary, nil
}

// find reports a finding, after the repair if there is one and it is wanted.
func (e *examination) find(f Finding, repair func() error) {
	e.summary.Findings++
	if e.Repair && repair != nil {
		f.Err = repair()
		f.Done = f.Err == nil
	}
	if !f.Left() {
		e.summary.Repaired++
	}
	e.report(f)
}

// late reports whether something is overdue by more than the grace.
func (e *examination) late(t time.Time) bool { return e.now.Sub(t) > e.Grace }

func (e *examination) instances(ctx context.Context) error {
	if len(e.Instances) > 0 {
		for _, id := range e.Instances {
			row, err := e.instance(ctx, id)
			if err == nil && !row {
				err = fmt.Errorf("there is no instance %q", id)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	seen := map[string]bool{}
	return e.Store.Walk(ctx, e.Closed, func(id string) error {
		if seen[id] {
			return nil
		}
		seen[id] = true
		_, err := e.instance(ctx, id)
		return err
	})
}

// instance looks at one instance, and reports whether there is one.
func (e *examination) instance(ctx context.Context, id string) (bool, error) {
	c, err := e.Worker.Checkup(ctx, id)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil:
		e.summary.Instances++
		return true, e.unreadable(id, err)
	case c == nil:
		return false, nil
	}
	e.summary.Instances++
	repaired := false
	repair := func() error { // once, however much is wrong
		if repaired {
			return nil
		}
		_, err := e.Worker.Repair(ctx, id)
		repaired = err == nil
		return err
	}
	for _, f := range e.overdue(c) {
		f.Instance = id
		e.find(f, repair)
	}
	if c.Behind && e.late(c.Changed) {
		e.find(Finding{Kind: Behind, Instance: id, Since: c.Changed, Action: "bring the row up to date",
			Problem: "its status row shows less than its history"}, repair)
	}
	return true, nil
}

// overdue finds what an instance waits for too long, all activities as one finding.
func (e *examination) overdue(c *worker.Checkup) []Finding {
	var out []Finding
	var lost []worker.Open
	for _, o := range c.Open {
		switch {
		case !e.late(o.Until) || e.waiting.has(c.Row.Instance, o.ID):
		case o.Kind == history.ExecutionStarted:
			out = append(out, Finding{Kind: NotBegun, Since: o.Since, Action: "have it begin",
				Problem: fmt.Sprintf("its start of %s was accepted, and it has not begun", o.Name)})
		case o.Kind == history.Continued:
			out = append(out, Finding{Kind: Unfinished, Since: o.Since, Action: "have it go on",
				Problem: fmt.Sprintf("its turn is unfinished after segment %d", c.Segments-1)})
		default:
			lost = append(lost, o)
		}
	}
	if len(lost) > 0 {
		out = append(out, Finding{Kind: NotSent, Since: lost[0].Since, Action: "send again whatever it waits for", Problem: named(lost)})
	}
	return out
}

// shown is how many of the things that an instance waits for are named.
const shown = 3

// named says what has no outcome.
func named(lost []worker.Open) string {
	var names []string
	for _, o := range lost[:min(shown, len(lost))] {
		switch o.Kind {
		case history.TimerCreated:
			names = append(names, fmt.Sprintf("the timer %s for %s", o.Op, o.Until.UTC().Format(time.DateTime)))
		case history.SubOrchestrationCreated:
			names = append(names, fmt.Sprintf("the sub-orchestration %s (%s)", o.Child, o.Op))
		default:
			names = append(names, fmt.Sprintf("the activity %s (%s)", o.Name, o.Op))
		}
	}
	switch more := len(lost) - shown; {
	case more > 0:
		return fmt.Sprintf("%s and %d more have no outcome", strings.Join(names, ", "), more)
	case len(lost) == 1:
		return names[0] + " has no outcome"
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " have no outcome"
}

// unreadable reports an instance that cannot be read. Only what is wrong with the instance itself is a finding.
func (e *examination) unreadable(id string, err error) error {
	switch {
	case errors.Is(err, history.ErrNewer):
		e.find(Finding{Kind: Newer, Instance: id, Problem: "it cannot be read: " + err.Error()}, nil)
	case errors.Is(err, worker.ErrAhead), errors.Is(err, worker.ErrRow), errors.Is(err, store.ErrGap), errors.Is(err, history.ErrFormat), errors.Is(err, backend.ErrNoBlob):
		e.find(Finding{Kind: Damaged, Instance: id, Problem: "it is damaged: " + err.Error()}, nil)
	default:
		return fmt.Errorf("examine %s: %w", id, err)
	}
	return nil
}
