package replay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// event makes an event of a history from its kind, operation and name.
func event(kind history.Kind, op, name string) history.Event {
	return history.Event{Kind: kind, Op: op, Name: name}
}

func started() history.Event { return event(history.ExecutionStarted, "", "P") }

func segment(events ...history.Event) *history.Segment {
	return &history.Segment{Time: epoch, Events: events}
}

func more(events ...history.Event) *history.Segment {
	return &history.Segment{Time: epoch, More: true, Events: events}
}

// body is the code of an orchestration that returns nothing.
func body(f func(*replay.Run)) replay.Code {
	return func(r *replay.Run, _ []byte) ([]byte, *history.Failure) {
		f(r)
		return []byte("null"), nil
	}
}

func ask(r *replay.Run, name string) *replay.Promise {
	p, err := r.Activity(name, func() ([]byte, error) { return []byte(`"now"`), nil }, nil)
	if err != nil {
		panic(err)
	}
	return p
}

func inline(r *replay.Run, name string) *replay.Promise {
	return r.Step(name, replay.StepOptions{}, func(context.Context) ([]byte, *history.Failure) { return []byte("1"), nil })
}

// deliver runs code over a history once.
func deliver(code replay.Code, past []*history.Segment, opt replay.Options, inputs ...history.Event) replay.Decision {
	turn := replay.Open(code, past, opt)
	defer turn.Close()
	return turn.Deliver(inputs, epoch)
}

// nextLine is the place of the line after the call.
func nextLine() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d", file, line+1)
}

// mutant is code that does not match a history.
type mutant struct {
	name  string
	past  []*history.Segment
	code  func(r *replay.Run, line *string) // line is where the mismatch is, when it is somewhere
	input []history.Event
	// op and number of what the history has, and what each side is called.
	op              string
	number          int
	recorded, asked string
}

var mutants = []mutant{
	{
		name: "another name",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "Charge"))},
		code: func(r *replay.Run, line *string) {
			*line = nextLine()
			p, _ := r.Activity("Debit", nil, nil)
			r.Await(p)
		},
		op: "0", number: 2, recorded: "the history has activity Charge (operation 0, event 2)", asked: "the code asked for activity Debit",
	},
	{
		name: "another kind",
		past: []*history.Segment{segment(started(), event(history.TimerCreated, "0", ""))},
		code: func(r *replay.Run, line *string) {
			*line = nextLine()
			p, _ := r.Activity("Debit", nil, nil)
			r.Await(p)
		},
		op: "0", number: 2, recorded: "the history has a timer (operation 0, event 2)", asked: "the code asked for activity Debit",
	},
	{
		name: "a dropped operation that others follow",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A"), event(history.TaskScheduled, "1", "B"))},
		code: func(r *replay.Run, line *string) {
			*line = nextLine()
			p, _ := r.Activity("B", nil, nil)
			r.Await(p)
		},
		op: "0", number: 2, recorded: "activity A", asked: "the code asked for activity B",
	},
	{
		name: "a dropped operation at the end of a turn",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A"), event(history.TaskScheduled, "1", "B")),
			segment(event(history.TaskCompleted, "0", ""))},
		code: func(r *replay.Run, _ *string) { r.Await(ask(r, "A")) },
		op:   "1", number: 3, recorded: "activity B (operation 1, event 3)", asked: "the code did not ask for it",
	},
	{
		name: "an extra operation",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A")), segment(event(history.TaskCompleted, "0", ""))},
		code: func(r *replay.Run, line *string) {
			p := ask(r, "A")
			*line = nextLine()
			_, _ = r.Activity("B", func() ([]byte, error) { return nil, nil }, nil)
			r.Await(p)
		},
		recorded: "the history has nothing more for this turn", asked: "the code asked for activity B (operation 1)",
	},
	{
		name: "an operation in an earlier turn",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A")),
			segment(event(history.TaskCompleted, "0", ""), event(history.TaskScheduled, "1", "B"))},
		code: func(r *replay.Run, line *string) {
			p := ask(r, "A")
			*line = nextLine()
			b, _ := r.Activity("B", nil, nil)
			r.Await(p)
			r.Await(b)
		},
		op: "1", number: 4, recorded: "activity B", asked: "activity B in an earlier turn",
	},
	{
		name: "an operation in a later turn",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A"), event(history.TaskScheduled, "1", "B")),
			segment(event(history.TaskCompleted, "0", ""))},
		code: func(r *replay.Run, _ *string) {
			r.Await(ask(r, "A"))
			r.Await(ask(r, "B"))
		},
		op: "1", number: 3, recorded: "activity B", asked: "the code did not ask for it",
	},
	{
		name: "a coroutine in the place of an operation",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A"))},
		code: func(r *replay.Run, line *string) {
			*line = nextLine()
			r.Await(r.Go(func() {}))
		},
		op: "0", number: 2, recorded: "activity A", asked: "the code starts a coroutine",
	},
	{
		name: "a step in the place of an operation",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A"))},
		code: func(r *replay.Run, line *string) {
			*line = nextLine()
			r.Await(r.Step("S", replay.StepOptions{}, nil))
		},
		op: "0", number: 2, recorded: "activity A", asked: "the code asked for step S",
	},
	{
		name: "another step than the one that was begun",
		past: []*history.Segment{more(started(), event(history.StepStarted, "0", "T"))},
		code: func(r *replay.Run, line *string) {
			*line = nextLine()
			r.Await(r.Step("S", replay.StepOptions{AtMostOnce: true}, nil))
		},
		op: "0", number: 2, recorded: "step T", asked: "the code asked for step S",
	},
	{
		name: "a step that was begun is not asked for",
		past: []*history.Segment{segment(started(), event(history.StepStarted, "0", "T"))},
		code: func(r *replay.Run, _ *string) { r.Await(r.Event("E")) },
		op:   "0", number: 2, recorded: "step T", asked: "the code did not ask for it",
	},
	{
		name: "a step that was begun in a later turn",
		past: []*history.Segment{segment(started(), event(history.StepCompleted, "0", "S")), segment(event(history.EventRaised, "", "E"), event(history.StepStarted, "0", "S"))},
		code: func(r *replay.Run, line *string) {
			*line = nextLine()
			r.Await(r.Step("S", replay.StepOptions{AtMostOnce: true}, nil))
		},
		op: "0", number: 4, recorded: "step S", asked: "the code asked for step S",
	},
	{
		name: "an operation in the place of a step",
		past: []*history.Segment{segment(started(), event(history.StepCompleted, "0", "S"))},
		code: func(r *replay.Run, line *string) {
			*line = nextLine()
			r.Await(r.Timer(time.Hour).Promise)
		},
		op: "0", number: 2, recorded: "step S", asked: "the code asked for a timer",
	},
	{
		name: "a timer that is not cancelled any more",
		past: []*history.Segment{segment(started(), event(history.TimerCreated, "0", ""), event(history.TimerCanceled, "0", ""))},
		code: func(r *replay.Run, _ *string) { r.Await(r.Timer(time.Hour).Promise) },
		op:   "0", number: 3, recorded: "the cancellation of a timer (operation 0, event 3)", asked: "the code did not ask for it",
	},
}

func TestMismatchNamesBothSides(t *testing.T) {
	t.Parallel()
	for _, m := range append(mutants, quietMutants...) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			var line string
			d := deliver(body(func(r *replay.Run) { m.code(r, &line) }), m.past, replay.Options{}, m.input...)
			var got *replay.Mismatch
			if !errors.As(d.Err, &got) {
				t.Fatalf("it is no mismatch: %+v", d)
			}
			text := got.Error()
			if !strings.Contains(text, m.recorded) || !strings.Contains(text, m.asked) {
				t.Errorf("it says %q, want %q and %q", text, m.recorded, m.asked)
			}
			if op := recordedOp(got); op != m.op || got.Number != m.number {
				t.Errorf("it is about operation %q, event %d, want %q, %d", op, got.Number, m.op, m.number)
			}
			if want := segmentOf(m.past, m.number); m.number > 0 && got.Segment != want {
				t.Errorf("it is in segment %d, want %d", got.Segment, want)
			}
			if got.Source != line {
				t.Errorf("the line is %q, want %q", got.Source, line)
			}
		})
	}
}

// segmentOf is where the event with a number is.
func segmentOf(past []*history.Segment, number int) int {
	for i, s := range past {
		if number -= len(s.Events); number <= 0 && number > -len(s.Events) {
			return i
		}
	}
	return -1
}

func TestMismatchReads(t *testing.T) {
	t.Parallel()
	past := []*history.Segment{segment(started()), segment(event(history.EventRaised, "", "E"), event(history.TaskScheduled, "0", "Charge"))}
	var line string
	d := deliver(body(func(r *replay.Run) {
		r.Await(r.Event("E"))
		line = nextLine()
		_, _ = r.Activity("Debit", nil, nil)
	}), past, replay.Options{})
	want := "the code does not match the history, first at event 3, in segment 1:\n" +
		"  recorded: the history has activity Charge (operation 0, event 3)\n" +
		"  asked:    the code asked for activity Debit at " + line + "\n" +
		"Either the code was changed, or it is not deterministic: "
	if d.Err == nil || !strings.HasPrefix(d.Err.Error(), want) {
		t.Errorf("it reads\n%v\nwant\n%s…", d.Err, want)
	}
	past[1] = segment(event(history.EventRaised, "", "E"))
	d = deliver(body(func(r *replay.Run) { r.Await(r.Event("E")); ask(r, "Debit") }), past, replay.Options{}, event(history.EventRaised, "", "F"))
	if want := "first in the turn of segment 1:\n  recorded: the history has nothing more for this turn\n"; d.Err == nil || !strings.Contains(d.Err.Error(), want) {
		t.Errorf("an extra operation reads\n%v\nwant\n…%s…", d.Err, want)
	}
}

// What an operation is asked for with, and what the code returns, may differ with a deployment, and the record counts; in a
// test it is a mismatch.
func TestWhatIsAskedForWithIsCompared(t *testing.T) {
	t.Parallel()
	timer := history.Event{Kind: history.TimerCreated, Op: "0", At: epoch.Add(time.Minute)}
	waits := func(d time.Duration) replay.Code {
		return body(func(r *replay.Run) { r.Await(r.Timer(d).Promise) })
	}
	ends := func(output string) []*history.Segment {
		return []*history.Segment{segment(started(), history.Event{Kind: history.ExecutionCompleted, Data: history.Payload{Bytes: []byte(output)}})}
	}
	nothing := body(func(*replay.Run) {})
	for _, c := range []struct {
		name string
		past []*history.Segment
		code replay.Code
		want string
	}{
		{"the same timer", []*history.Segment{segment(started(), timer)}, waits(time.Minute), ""},
		{"a longer timer", []*history.Segment{segment(started(), timer)}, waits(time.Hour),
			"with another time: " + epoch.Add(time.Hour).Format(time.DateOnly+"T15:04:05.000Z") + " instead of "},
		{"the same output", ends("null"), nothing, ""},
		{"another output", ends("1"), nothing, "the code returned null instead of 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			d := deliver(c.code, c.past, replay.Options{Inputs: replay.CheckWarn, Log: slog.New(slog.NewTextHandler(&log, nil))})
			if d.Err != nil || strings.Contains(log.String(), "level=WARN") != (c.want != "") || !strings.Contains(log.String(), c.want) {
				t.Errorf("it gave %v and logged %q, want %q", d.Err, log.String(), c.want)
			}
			d = deliver(c.code, c.past, replay.Options{Inputs: replay.CheckStrict})
			if (d.Err != nil) != (c.want != "") || d.Err != nil && !strings.Contains(d.Err.Error(), c.want) {
				t.Errorf("strict, it gave %v, want %q", d.Err, c.want)
			}
		})
	}
	d := deliver(nothing, []*history.Segment{segment(started(), event(history.ExecutionFailed, "", ""))}, replay.Options{})
	if d.Err == nil || !strings.Contains(d.Err.Error(), "the code ended with ExecutionCompleted") {
		t.Errorf("another kind of end gave %v", d.Err)
	}
}

func recordedOp(m *replay.Mismatch) string {
	if m.Recorded == nil {
		return ""
	}
	return m.Recorded.Op
}

// quietMutants differ in ways that no operation of theirs shows at once.
var quietMutants = []mutant{
	{
		name:  "code that returns before the history's end",
		past:  []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A"))},
		input: []history.Event{event(history.TaskCompleted, "0", "")},
		code:  func(*replay.Run, *string) {},
		op:    "0", number: 2, recorded: "activity A", asked: "the code did not ask for it",
	},
	{
		name:     "code that returns where it waited",
		past:     []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A"))},
		input:    []history.Event{event(history.TaskCompleted, "0", "")},
		code:     func(r *replay.Run, _ *string) { ask(r, "A") },
		recorded: "the history has nothing more for this turn", asked: "the code returned",
	},
	{
		name: "code that returns in an earlier turn",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A")), segment(event(history.EventRaised, "", "E")),
			segment(event(history.TaskCompleted, "0", ""), event(history.ExecutionCompleted, "", ""))},
		code: func(r *replay.Run, _ *string) { ask(r, "A") },
		op:   "", number: 3, recorded: "event E (event 3)", asked: "the code returned",
	},
	{
		name: "an unfinished turn of which the code asks less",
		past: []*history.Segment{more(started(), event(history.TaskScheduled, "0", "A"), event(history.TaskScheduled, "1", "B"))},
		code: func(r *replay.Run, _ *string) { r.Await(ask(r, "A")) },
		op:   "1", number: 3, recorded: "activity B", asked: "the code did not ask for it",
	},
	{
		name: "an unfinished turn of which the code asks less, and returns",
		past: []*history.Segment{more(started(), event(history.TaskScheduled, "0", "A"), event(history.TaskScheduled, "1", "B"))},
		code: func(r *replay.Run, _ *string) { ask(r, "A") },
		op:   "1", number: 3, recorded: "activity B", asked: "the code did not ask for it",
	},
	{
		name: "an extra step",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A"))},
		code: func(r *replay.Run, line *string) {
			p := ask(r, "A")
			*line = nextLine()
			r.Await(r.Step("S", replay.StepOptions{}, nil))
			r.Await(p)
		},
		input:    []history.Event{event(history.TaskCompleted, "0", "")},
		recorded: "the history has nothing more for this turn", asked: "the code asked for step S (operation 1)",
	},
	{
		name: "a step in an earlier turn",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A")),
			segment(event(history.TaskCompleted, "0", ""), event(history.StepCompleted, "1", "S"))},
		code: func(r *replay.Run, line *string) {
			p := ask(r, "A")
			*line = nextLine()
			r.Await(r.Step("S", replay.StepOptions{}, nil))
			r.Await(p)
		},
		op: "1", number: 4, recorded: "step S (operation 1, event 4)", asked: "step S in an earlier turn",
	},
	{
		name: "a step before the resume that it ran after",
		past: []*history.Segment{segment(started(), history.Event{Kind: history.ExecutionSuspended, MessageID: "m"}),
			segment(event(history.ExecutionResumed, "", "")), segment(event(history.EventRaised, "", "E"), event(history.StepCompleted, "0", "S"))},
		code: func(r *replay.Run, line *string) {
			*line = nextLine()
			r.Await(r.Step("S", replay.StepOptions{}, nil))
		},
		op: "0", number: 5, recorded: "step S (operation 0, event 5)", asked: "step S in an earlier turn",
	},
	{
		name: "a step of another name",
		past: []*history.Segment{segment(started(), event(history.StepCompleted, "0", "S"))},
		code: func(r *replay.Run, line *string) {
			*line = nextLine()
			r.Await(r.Step("T", replay.StepOptions{}, nil))
		},
		op: "0", number: 2, recorded: "step S (operation 0, event 2)", asked: "the code asked for step T",
	},
	{
		name: "code that waits where it returned",
		past: []*history.Segment{segment(started(), event(history.ExecutionFailed, "", ""))},
		code: func(r *replay.Run, _ *string) { r.Await(r.Event("E")) },
		op:   "", number: 2, recorded: "ExecutionFailed (event 2)", asked: "the code still waits",
	},
	{
		name: "a history that has an operation twice",
		past: []*history.Segment{segment(started(), event(history.TaskScheduled, "0", "A"), event(history.TaskScheduled, "0", "A"))},
		code: func(r *replay.Run, _ *string) { r.Await(ask(r, "A")) },
		op:   "0", number: 3, recorded: "activity A", asked: "the history has it twice",
	},
}
