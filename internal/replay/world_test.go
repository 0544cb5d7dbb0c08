package replay_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
	"pgregory.net/rapid"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// turn is one turn of a script: what is delivered, and when.
type turn struct {
	inputs []history.Event
	at     time.Time
	// keep commits the inputs without running the code, as the worker does with a suspended instance.
	keep bool
	// pause is how much later each round of steps ends; more than none is a checkpoint.
	pause time.Duration
}

// world is the outside of a random run: it knows what is asked for, and decides what comes next.
type world struct {
	t         *rapid.T
	now       time.Time
	started   bool
	suspended bool
	byWorker  bool
	ended     bool
	events    int
	open      map[string]history.Event // activities, children and timers without an outcome
}

func (w *world) asked(events []history.Event) {
	for _, e := range events {
		switch e.Kind {
		case history.TaskScheduled, history.SubOrchestrationCreated, history.TimerCreated:
			w.open[e.Op] = e
		case history.TimerCanceled:
			delete(w.open, e.Op)
		case history.ExecutionCompleted, history.ExecutionFailed:
			w.ended = true
		}
	}
}

// next draws a turn.
func (w *world) next() turn {
	w.now = w.now.Add(rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, time.Minute}).Draw(w.t, "pass"))
	var tr turn
	if !w.started {
		w.started = true
		tr.inputs = append(tr.inputs, history.Event{Kind: history.ExecutionStarted, Name: "P", Data: history.Payload{Bytes: []byte(`"in"`)}})
	}
	for range rapid.IntRange(0, 4).Draw(w.t, "messages") {
		tr.inputs = append(tr.inputs, w.message())
	}
	if len(tr.inputs) == 0 {
		tr.inputs = append(tr.inputs, w.message())
	}
	tr.pause = rapid.SampledFrom([]time.Duration{0, 0, time.Second}).Draw(w.t, "pause")
	w.suspend(&tr)
	tr.at = w.now
	return tr
}

// message draws an input.
func (w *world) message() history.Event {
	ops := make([]string, 0, len(w.open))
	for op := range w.open {
		ops = append(ops, op)
	}
	slices.SortFunc(ops, history.CompareOps)
	if len(ops) > 0 && rapid.IntRange(0, 9).Draw(w.t, "what") < 7 {
		e := w.open[rapid.SampledFrom(ops).Draw(w.t, "op")]
		delete(w.open, e.Op)
		return w.outcome(e)
	}
	w.events++
	return history.Event{Kind: history.EventRaised, Name: rapid.SampledFrom([]string{"E", "e", "F", "G"}).Draw(w.t, "event"),
		MessageID: fmt.Sprint("m", w.events), Data: history.Payload{Bytes: fmt.Appendf(nil, "%d", w.events)}}
}

func (w *world) outcome(e history.Event) history.Event {
	if e.Kind == history.TimerCreated {
		if e.At.After(w.now) {
			w.now = e.At
		}
		return history.Event{Kind: history.TimerFired, Op: e.Op, At: e.At}
	}
	completed, failed := history.TaskCompleted, history.TaskFailed
	if e.Kind == history.SubOrchestrationCreated {
		completed, failed = history.SubOrchestrationCompleted, history.SubOrchestrationFailed
	}
	if rapid.IntRange(0, 3).Draw(w.t, "fails") == 0 {
		return history.Event{Kind: failed, Op: e.Op, Failure: &history.Failure{Message: "no " + e.Name}}
	}
	return history.Event{Kind: completed, Op: e.Op, Data: history.Payload{Bytes: fmt.Appendf(nil, "%q", e.Name+e.Op)}}
}

// suspend may suspend or resume with a turn: somebody's message among the others, or the worker because of the code.
func (w *world) suspend(tr *turn) {
	at := func() int {
		first := 0
		if tr.inputs[0].Kind == history.ExecutionStarted {
			first = 1
		}
		return rapid.IntRange(first, len(tr.inputs)).Draw(w.t, "place")
	}
	w.events++
	id := fmt.Sprint("m", w.events)
	n := rapid.IntRange(0, 19).Draw(w.t, "management")
	switch {
	case w.byWorker && n < 8: // another build
		tr.inputs = append([]history.Event{{Kind: history.ExecutionResumed, Build: "2"}}, tr.inputs...)
		w.suspended, w.byWorker = false, false
	case w.byWorker && n < 12: // another build, which fails as well: the resume that a person sent is kept, and changes nothing
		tr.inputs = slices.Insert(tr.inputs, at(), history.Event{Kind: history.ExecutionResumed, MessageID: id})
		tr.inputs = append([]history.Event{{Kind: history.ExecutionSuspended, Build: "3"}}, tr.inputs...)
	case w.suspended && n < 8:
		tr.inputs = slices.Insert(tr.inputs, at(), history.Event{Kind: history.ExecutionResumed, MessageID: id})
		w.suspended, w.byWorker = false, false
	case !w.suspended && n < 2:
		tr.inputs = slices.Insert(tr.inputs, at(), history.Event{Kind: history.ExecutionSuspended, MessageID: id})
		w.suspended = true
		return // what comes before it in this turn still runs
	case !w.suspended && n == 2:
		i := 0
		if tr.inputs[0].Kind == history.ExecutionStarted {
			i = 1
		}
		tr.inputs = slices.Insert(tr.inputs, i, history.Event{Kind: history.ExecutionSuspended, Build: "1"})
		w.suspended, w.byWorker = true, true
	}
	tr.keep = w.byWorker || w.suspended && n%2 == 0
}

// perform runs one turn as a worker does, and returns the segments that it commits.
func perform(r *replay.Turn, tr turn) ([]*history.Segment, error) {
	if tr.keep {
		return []*history.Segment{{Time: tr.at, Events: tr.inputs}}, nil
	}
	d := r.Deliver(tr.inputs, tr.at)
	return follow(r, d, slices.Clone(tr.inputs[:d.Consumed]), tr.at, tr.pause)
}

// follow takes a turn from a decision to its end: it runs steps, and commits at checkpoints.
func follow(r *replay.Turn, d replay.Decision, events []history.Event, at time.Time, pause time.Duration) ([]*history.Segment, error) {
	var out []*history.Segment
	for d.Err == nil {
		events = append(events, d.Commands...)
		if len(d.Steps) == 0 {
			return append(out, &history.Segment{Time: at, Events: events}), nil
		}
		for _, s := range d.Steps {
			if s.AtMostOnce && !s.Begun {
				events = append(events, history.Event{Kind: history.StepStarted, Op: s.Op, Name: s.Name})
			}
		}
		outcomes := runSteps(d.Steps)
		d = r.Deliver(outcomes, at)
		events = append(events, outcomes[:d.Consumed]...)
		if pause > 0 {
			out = append(out, &history.Segment{Time: at, More: true, Events: events})
			events, at = nil, at.Add(pause)
		}
	}
	return nil, d.Err
}

func runSteps(steps []replay.Step) []history.Event {
	var out []history.Event
	for _, s := range steps {
		e := history.Event{Kind: history.StepCompleted, Op: s.Op, Name: s.Name}
		e.Data.Bytes, e.Failure = s.Run(context.Background())
		if e.Failure != nil {
			e.Kind = history.StepFailed
		}
		out = append(out, e)
	}
	return out
}

// reference is a program's run as it happened first, every turn from a cold start.
type reference struct {
	program []statement
	script  []turn
	turns   [][]*history.Segment // what each turn committed
	trace   []string
}

func drawReference(t *rapid.T) *reference {
	ref := &reference{program: drawProgram(t, 2, 3)}
	w := &world{t: t, now: epoch, open: map[string]history.Event{}}
	for range rapid.IntRange(4, 14).Draw(t, "turns") {
		if w.ended {
			break
		}
		tr := w.next()
		m := new(machine)
		r := replay.Open(m.code(ref.program), ref.past(len(ref.turns)), replay.Options{Inputs: replay.CheckStrict})
		segments, err := perform(r, tr)
		r.Close()
		if err != nil {
			t.Fatalf("turn %d of %v: %v", len(ref.turns), ref.program, err)
		}
		if !tr.keep {
			if len(m.trace) < len(ref.trace) || !slices.Equal(m.trace[:len(ref.trace)], ref.trace) {
				t.Fatalf("the replay took another path:\n%s\nthan before:\n%s", strings.Join(m.trace, "\n"), strings.Join(ref.trace, "\n"))
			}
			ref.trace = m.trace
		}
		ref.script, ref.turns = append(ref.script, tr), append(ref.turns, segments)
		for _, s := range segments {
			w.asked(s.Events)
			w.now = s.Time
		}
	}
	return ref
}

// past is the segments of the first n turns.
func (ref *reference) past(n int) []*history.Segment {
	var out []*history.Segment
	for _, segments := range ref.turns[:n] {
		out = append(out, segments...)
	}
	return out
}

// flat is what segments hold, an event a line.
func flat(segments []*history.Segment) []string {
	var out []string
	for _, s := range segments {
		for i := range s.Events {
			out = append(out, line(&s.Events[i]))
		}
	}
	return out
}

func line(e *history.Event) string {
	s := fmt.Sprintf("%s %s %s %s%s", e.Kind, e.Op, e.Name, e.Data.Bytes, e.MessageID)
	if !e.At.IsZero() {
		s += fmt.Sprint(" at ", e.At.UnixMilli())
	}
	if e.Failure != nil {
		s += " " + e.Failure.Message
	}
	return s
}
