package durable_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

var (
	epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

	double = durable.NewActivity[int, int]("Double")
	undo   = durable.NewActivity[string, durable.None]("Undo")
	answer = durable.NewEvent[string]("Answer")
	play   = durable.NewOrchestration[string, string]("Play")
)

// stage runs the body of an orchestration, and keeps its history.
type stage struct {
	t    *testing.T
	code replay.Code
	opt  replay.Options
	past []*history.Segment
	turn *replay.Turn
	now  time.Time
}

// perform starts body, and delivers its start.
func perform(t *testing.T, body func(durable.Context) (string, error)) (*stage, replay.Decision) {
	t.Helper()
	return performLogged(t, nil, body)
}

func performLogged(t *testing.T, log *slog.Logger, body func(durable.Context) (string, error)) (*stage, replay.Decision) {
	t.Helper()
	h := play.Bind(func(ctx durable.Context, _ string) (string, error) { return body(ctx) })
	s := &stage{t: t, code: h.Run, now: epoch, opt: replay.Options{Instance: "one", Inputs: replay.CheckStrict, Log: log}}
	s.open()
	t.Cleanup(func() { s.turn.Close() })
	return s, s.deliver(history.Event{Kind: history.ExecutionStarted, Name: "Play"})
}

func (s *stage) open() { s.turn = replay.Open(s.code, s.past, s.opt) }

// deliver gives messages to the code, runs its steps, and keeps what came of it.
func (s *stage) deliver(inputs ...history.Event) replay.Decision {
	s.t.Helper()
	seg := &history.Segment{Time: s.now}
	for {
		d := s.turn.Deliver(inputs, s.now)
		if d.Err != nil {
			return d
		}
		seg.Events = slices.Concat(seg.Events, inputs[:d.Consumed], d.Commands)
		if len(d.Steps) == 0 {
			s.past = append(s.past, seg)
			d.Commands = seg.Events
			return d
		}
		inputs = nil
		for _, st := range d.Steps {
			e := history.Event{Kind: history.StepCompleted, Op: st.Op, Name: st.Name}
			if e.Data.Bytes, e.Failure = st.Run(context.Background()); e.Failure != nil {
				e.Kind, e.Failure.Activity, e.Failure.Attempt = history.StepFailed, st.Name, 1
			}
			inputs = append(inputs, e)
		}
	}
}

// replayed unwinds the code and runs it again from its history, before messages are delivered.
func (s *stage) replayed(inputs ...history.Event) replay.Decision {
	s.t.Helper()
	s.turn.Close()
	s.open()
	return s.deliver(inputs...)
}

func done(op string, v any) history.Event {
	return history.Event{Kind: history.TaskCompleted, Op: op, Data: history.Payload{Bytes: fmt.Append(nil, v)}}
}

func failed(op, message string) history.Event {
	return history.Event{Kind: history.TaskFailed, Op: op, Failure: &history.Failure{Message: message, Activity: "Double", Attempt: 1}}
}

func fired(op string) history.Event { return history.Event{Kind: history.TimerFired, Op: op} }

func raised(name, text string) history.Event {
	return history.Event{Kind: history.EventRaised, Name: name, Data: history.Payload{Bytes: fmt.Appendf(nil, "%q", text)}}
}

// asked is the commands of a decision, as text.
func asked(d replay.Decision) string {
	var out []string
	for _, e := range d.Commands {
		if !e.Kind.IsInput() && e.Kind != history.ExecutionCompleted && e.Kind != history.ExecutionFailed {
			out = append(out, strings.TrimSpace(e.Kind.String()+" "+e.Op+" "+e.Name))
		}
	}
	return strings.Join(out, ", ")
}

// returned fails unless the code returned want.
func returned(t *testing.T, d replay.Decision, want string) {
	t.Helper()
	if !d.Ended || d.Err != nil {
		t.Fatalf("the code has not returned: %+v", d)
	}
	end := d.Commands[len(d.Commands)-1]
	got := string(end.Data.Bytes)
	if end.Failure != nil {
		got = end.Failure.Message
	}
	if got != fmt.Sprintf("%q", want) && got != want {
		t.Errorf("the code returned %s, want %s", got, want)
	}
}

// waits fails unless the code waits.
func waits(t *testing.T, d replay.Decision) {
	t.Helper()
	if d.Ended || d.Err != nil {
		t.Fatalf("the code does not wait: %+v", d)
	}
}
