package replay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
	"pgregory.net/rapid"
)

// statement is one thing that a random program does.
type statement struct {
	Do   string
	Name string        // of an activity, event or step
	Ref  int           // which of the promises at hand
	Wait time.Duration // of a timer
	Body []statement   // of what runs statements of its own
}

func (s statement) String() string {
	out := s.Do
	if s.Name != "" {
		out += " " + s.Name
	}
	if len(s.Body) > 0 {
		out += fmt.Sprint(" ", s.Body)
	}
	return out
}

// simple are the statements without a body. Those which make a promise without waiting are here twice, to have many
// promises at hand.
var simple = []string{"call", "start", "start", "await", "first", "all", "event", "listen", "listen", "within",
	"sleep", "timer", "cancel", "step", "steps", "status", "status", "check", "giveup", "changed", "child"}

func drawProgram(t *rapid.T, depth, least int) []statement {
	n := rapid.IntRange(least, 7).Draw(t, "statements")
	var out []statement
	for range n {
		out = append(out, drawStatement(t, depth))
	}
	return out
}

func drawStatement(t *rapid.T, depth int) statement {
	kinds := simple
	if depth > 0 {
		kinds = append([]string{"go", "go", "go", "defer", "loop", "scope", "limited"}, simple...)
	}
	s := statement{Do: rapid.SampledFrom(kinds).Draw(t, "do"), Ref: rapid.IntRange(0, 5).Draw(t, "ref")}
	switch s.Do {
	case "call", "start":
		s.Name = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "activity")
	case "event", "listen", "within":
		s.Name = rapid.SampledFrom([]string{"E", "e", "F"}).Draw(t, "event")
	case "step", "steps":
		s.Name = rapid.SampledFrom([]string{"s", "bad"}).Draw(t, "step")
	case "go", "defer", "loop", "scope", "limited":
		s.Body = drawProgram(t, depth-1, 1)
	}
	s.Wait = time.Duration(rapid.SampledFrom([]int{0, 1, 1000, 60_000}).Draw(t, "wait")) * time.Millisecond
	return s
}

// machine runs a program as an orchestration's body, and keeps a trace of who did what, when, with which result: the
// order of the lines is the order in which coroutines ran.
type machine struct {
	run   *replay.Run
	trace []string
	loops int
}

// program is the code of an orchestration that runs statements. Each run of it appends to the machine's trace.
func (m *machine) code(program []statement) replay.Code {
	return func(run *replay.Run, input []byte) (output []byte, failure *history.Failure) {
		m.run = run
		s := &scope{machine: m, id: "main", last: string(input)}
		ok := s.exec(program)
		run.Finish()
		if !ok {
			return nil, &history.Failure{Message: s.last}
		}
		return []byte(s.last), nil
	}
}

// scope is one coroutine of a program. It starts with the promises that its parent had then.
type scope struct {
	*machine
	id   string
	last string // the result seen last: it goes into inputs
	open []*replay.Promise
	in   *replay.Scope
}

func (s *scope) note(text string) {
	s.trace = append(s.trace, fmt.Sprintf("%s: %s at %d", s.id, text, s.run.Now().UnixMilli()))
}

// result is what a promise holds.
func (s *scope) result(p *replay.Promise) string {
	e := p.Outcome()
	switch {
	case p.Err() != nil:
		s.last = `"failed: ` + p.Err().Error() + `"`
	case e == nil:
		s.last = "null"
	case e.Failure != nil:
		s.last = `"failed: ` + e.Failure.Message + `"`
	default:
		s.last = string(e.Data.Bytes)
	}
	return s.last
}

func (s *scope) await(p *replay.Promise, what string) {
	s.run.Await(p)
	s.note(what + " " + s.result(p))
}

func (s *scope) keep(p *replay.Promise) { s.open = append(s.open, p) }

// exec runs statements; false is a failure that ends the whole program.
func (s *scope) exec(program []statement) (ok bool) {
	for i, st := range program {
		if st.Do == "defer" {
			defer func() {
				if !s.run.Unwinding() {
					s.note("deferred")
					s.exec(st.Body)
				}
			}()
			continue
		}
		if !s.do(i, st) {
			return false
		}
	}
	return true
}

func (s *scope) do(i int, st statement) bool {
	switch st.Do {
	case "call":
		s.await(s.activity(st.Name), "called")
	case "start":
		s.keep(s.activity(st.Name))
		s.note("started")
	case "child":
		s.keep(s.child(st))
	case "await", "first", "all":
		s.wait(st)
	case "event":
		s.await(s.event(st.Name), "event")
	case "listen":
		s.keep(s.event(st.Name))
	case "within":
		s.within(st)
	case "sleep":
		s.await(s.timer(st.Wait).Promise, "slept")
	case "timer":
		s.keep(s.timer(st.Wait).Promise)
	case "cancel":
		t := s.timer(st.Wait)
		s.keep(t.Promise)
		s.run.Cancel(t)
	case "step":
		s.await(s.step(st), "step")
	case "steps":
		s.keep(s.step(st))
	case "status":
		s.run.SetStatus([]byte(fmt.Sprintf("%d", st.Ref)))
	case "check":
		return !strings.HasPrefix(s.last, `"failed`) || st.Ref > 0
	case "go":
		s.spawn(i, st)
	case "scope", "limited":
		return s.scoped(i, st)
	case "changed":
		s.note(fmt.Sprint("changed: ", s.run.Changed(fmt.Sprint("c", st.Ref))))
	case "giveup":
		if s.in != nil {
			s.run.EndScope(s.in, errGivenUp)
			s.note("gave up")
		}
	case "loop":
		for range 2 {
			if s.loops++; s.loops < 20 && !s.exec(st.Body) {
				return false
			}
		}
	}
	return true
}

func (s *scope) activity(name string) *replay.Promise {
	p, err := s.run.Activity(name, func() ([]byte, error) { return json.Marshal([]string{s.id, s.last}) }, nil)
	if err != nil {
		panic(err)
	}
	s.run.Watch(s.in, p, nil)
	return p
}

// child is one that the program waits for before it ends, or not.
func (s *scope) child(st statement) *replay.Promise {
	p, _, err := s.run.Child(replay.Child{Name: "C", Wait: st.Ref%2 == 0, Input: func() ([]byte, error) { return []byte(s.last), nil }})
	if err != nil {
		panic(err)
	}
	s.run.Watch(s.in, p, nil)
	return p
}

func (s *scope) event(name string) *replay.Promise {
	p := s.run.Event(name)
	s.run.Watch(s.in, p, func() { s.run.Forget(name, p) })
	return p
}

func (s *scope) timer(d time.Duration) *replay.Timer {
	t := s.run.Timer(d)
	s.run.Watch(s.in, t.Promise, func() { s.run.Cancel(t) })
	return t
}

var (
	errGivenUp = errors.New("given up")
	errTooLong = errors.New("too long")
)

// scoped runs statements in a scope of their own: with a time-out, as durable.WithTimeout, or without. It is given up in the end,
// or left.
func (s *scope) scoped(i int, st statement) bool {
	inner := &scope{machine: s.machine, id: fmt.Sprintf("%s(%d)", s.id, i), last: s.last, open: s.open, in: s.run.Scope(s.in)}
	if st.Do == "limited" {
		s.run.Go(func() {
			if inner.in.Err() == nil {
				s.run.Await(inner.timer(st.Wait).Promise)
				s.run.EndScope(inner.in, errTooLong)
			}
		})
	}
	ok := inner.exec(st.Body)
	s.last, s.open = inner.last, inner.open
	if st.Ref%2 == 0 {
		s.run.EndScope(inner.in, errGivenUp)
	}
	return ok
}

func (s *scope) step(st statement) *replay.Promise {
	return s.run.Step(st.Name, replay.StepOptions{AtMostOnce: st.Ref%2 == 1}, func(context.Context) ([]byte, *history.Failure) {
		if st.Name == "bad" {
			return nil, &history.Failure{Message: "bad step"}
		}
		return []byte(`"stepped"`), nil
	})
}

func (s *scope) wait(st statement) {
	if len(s.open) == 0 {
		return
	}
	switch st.Do {
	case "await":
		s.await(s.open[st.Ref%len(s.open)], "awaited")
	case "first":
		i := s.run.AwaitAny(s.open...)
		s.note(fmt.Sprintf("first is %d: %s", i, s.result(s.open[i])))
		s.open = append(s.open[:i:i], s.open[i+1:]...)
	case "all":
		for _, p := range s.open {
			s.await(p, "all")
		}
		s.open = nil
	}
}

// within is Event.Within.
func (s *scope) within(st statement) {
	p := s.event(st.Name)
	if !p.Done() {
		t := s.timer(st.Wait)
		if s.run.AwaitAny(p, t.Promise) == 1 {
			s.run.Forget(st.Name, p)
			s.note("too late")
			return
		}
		s.run.Cancel(t)
	}
	s.await(p, "in time")
}

func (s *scope) spawn(i int, st statement) {
	child := &scope{machine: s.machine, id: fmt.Sprintf("%s.%d", s.id, i), last: s.last, open: append([]*replay.Promise(nil), s.open...), in: s.in}
	s.keep(s.run.Go(func() {
		child.note("runs")
		child.exec(st.Body)
		child.note("done")
	}))
}
