package replay

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Mismatch says that the code and the history disagree: the code is not the one that made the history, or it is not
// deterministic.
type Mismatch struct {
	// Recorded is the event of the history, nil when it has nothing there.
	Recorded *history.Event
	// Number of that event in the history, from 1; 0 when it is not known.
	Number int
	// Segment is that of the event; without one, the segment whose turn the code is in. From 0, as they are stored.
	Segment int
	// Asked is what the code did, as a sentence.
	Asked string
	// Source is the line of the code.
	Source string

	foreign bool // no other code would match this history either
}

// causes is what a person needs who has never met a mismatch.
const causes = "\nEither the code was changed, or it is not deterministic: time.Now, math/rand, the order of a map, goroutines, select and the " +
	"environment may differ in each replay; what Context offers does not. Deploy code that asks for what is recorded (new code goes beside it, " +
	"within durable.Changed or as another Version), and resume the instance."

// Error has both sides on lines of their own.
func (m *Mismatch) Error() string {
	var b strings.Builder
	b.WriteString("the code does not match the history")
	switch {
	case m.Number > 0:
		fmt.Fprintf(&b, ", first at event %d, in segment %d", m.Number, m.Segment)
	case m.Recorded == nil:
		fmt.Fprintf(&b, ", first in the turn of segment %d", m.Segment)
	}
	b.WriteString(":\n  recorded: ")
	if m.Recorded == nil {
		b.WriteString("the history has nothing more for this turn")
	} else {
		b.WriteString("the history has " + describe(m.Recorded.Kind, m.Recorded.Name))
		switch {
		case m.Recorded.Op != "" && m.Number > 0:
			fmt.Fprintf(&b, " (operation %s, event %d)", m.Recorded.Op, m.Number)
		case m.Recorded.Op != "":
			b.WriteString(" (operation " + m.Recorded.Op + ")")
		case m.Number > 0:
			fmt.Fprintf(&b, " (event %d)", m.Number)
		}
	}
	b.WriteString("\n  asked:    " + m.Asked)
	if m.Source != "" {
		b.WriteString(" at " + m.Source)
	}
	if !m.foreign {
		b.WriteString(causes)
	}
	return b.String()
}

// locate says in which segment a mismatch is.
func (r *Run) locate(err error) error {
	m, ok := err.(*Mismatch)
	if !ok {
		return err
	}
	if m.Recorded == nil {
		m.Segment = r.view.segment(r.at)
	}
	number := 0
	for i, s := range r.view.segments {
		for k := range s.Events {
			if number = r.view.number(i, k, number); number == m.Number {
				m.Segment = r.view.segment(i)
			}
		}
	}
	return m
}

// Panic says that the code panicked.
type Panic struct {
	Value string
	// Stack names the code that panicked, a line for each frame.
	Stack string
}

// Error names the place only: it is shown to people who did not write the code. The stack is for the log.
func (p *Panic) Error() string { return "the code panicked: " + p.Value + place(p.Stack) }

var (
	errGoexit      = errors.New("the code called runtime.Goexit (t.FailNow and t.Fatal do); return an error instead")
	errWaitInPanic = errors.New("a deferred function waits, or asks for something, while the code is panicking, or has just recovered; return an error instead of panicking")
)

func describe(kind history.Kind, name string) string {
	var what string
	switch kind {
	case history.TaskScheduled, history.TaskCompleted, history.TaskFailed:
		what = "activity"
	case history.TimerCreated, history.TimerFired:
		what = "a timer"
	case history.TimerCanceled:
		what = "the cancellation of a timer"
	case history.StepStarted, history.StepCompleted, history.StepFailed:
		what = "step"
	case history.EventRaised:
		what = "event"
	case history.ChangeMarked:
		what = "the mark of change"
	case history.EventSent:
		what = "the sending of event"
	case history.SubOrchestrationCreated, history.SubOrchestrationCompleted, history.SubOrchestrationFailed:
		what = "sub-orchestration"
	default:
		what = kind.String()
	}
	if name != "" {
		what += " " + name
	}
	return what
}

func clip(b []byte) string {
	if len(b) > 120 {
		return strings.ToValidUTF8(string(b[:120]), "") + "…"
	}
	return string(b)
}

// waitInPanic is errWaitInPanic with the place of the panic, which its value would not be there to tell any more.
func waitInPanic() error {
	return fmt.Errorf("%w; the panic was%s", errWaitInPanic, place(userStack(debug.Stack())))
}

// PanicPlace is where the panic was whose stack this is, as " at function (file:line)"; empty when it cannot be told.
func PanicPlace(stack []byte) string { return place(userStack(stack)) }

// PanicStack is the part of a panic's stack above the first function whose name ends so.
func PanicStack(stack []byte, function string) string {
	text := userStack(stack)
	if i := strings.Index(text, function); i >= 0 {
		text = text[:strings.LastIndexByte(text[:i], '\n')+1]
	}
	return strings.TrimRight(text, "\n")
}

// place is the first frame of a stack, as userStack has it, that is not the runtime's own.
func place(stack string) string {
	lines := strings.Split(stack, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		call := strings.TrimSpace(lines[i])
		if !strings.HasPrefix(call, "runtime.") && !strings.HasPrefix(call, "internal/runtime/") {
			return " at " + call + " (" + strings.TrimSpace(lines[i+1]) + ")"
		}
	}
	return ""
}

// userStack cuts a stack down to the frames between the panic and this module's own.
func userStack(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	from := 0
	for i, l := range lines {
		if strings.HasPrefix(l, "panic(") {
			from = i + 2
		}
	}
	var out []string
	for i := from; i+1 < len(lines); i += 2 {
		if strings.HasPrefix(lines[i], module+"internal/replay.") {
			if len(out) == 0 { // it panicked in here, because of how it was called
				continue
			}
			break
		}
		call := lines[i]
		if j := strings.LastIndexByte(call, '('); j > 0 {
			call = call[:j]
		}
		line, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " +0x")
		out = append(out, "  "+call+"\n    "+line)
	}
	return strings.Join(out, "\n")
}
