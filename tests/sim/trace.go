package sim

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// trace is every step of a run, in words. It is kept only when somebody wants to read it.
type trace struct {
	w     *World
	on    bool
	lines []string
}

func (t *trace) add(who any, format string, args ...any) {
	if t.on {
		t.lines = append(t.lines, fmt.Sprintf("%5d %12s %-9v %s", t.w.step, t.w.now.Sub(epoch), who, fmt.Sprintf(format, args...)))
	}
}

func (t *trace) call(a *actor, what func() string, f fault, err error) {
	if !t.on {
		return
	}
	s := what()
	if f != none {
		s += "  [" + f.String() + "]"
	}
	if err != nil {
		s += "  " + err.Error()
	}
	t.add(a, "%s", s)
}

// hash sums the trace up.
func (t *trace) hash() string {
	h := fnv.New64a()
	for _, l := range t.lines {
		h.Write([]byte(l))
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// shortIncarnation is the random end of an incarnation, which is all that differs within a run.
func shortIncarnation(s string) string { return s[max(len(s)-4, 0):] }

func shortPartition(p string) string { return strings.TrimPrefix(p, "i#") }

func short(k backend.Key) string {
	sort := k.Sort
	if at, ok := segmentOf(k); ok {
		sort = fmt.Sprintf("%s#%d", shortIncarnation(at.incarnation), at.number)
		if at.generation > 0 {
			sort = fmt.Sprintf("%s.%d#%d", shortIncarnation(at.incarnation), at.generation, at.number)
		}
	}
	return shortPartition(k.Partition) + "/" + sort
}

func describeItem(item backend.Item) string {
	if seg := decodeSegment(item); seg != nil {
		return short(item.Key) + describeSegment(seg)
	}
	if row := decodeRow(item); row != nil {
		return fmt.Sprintf("%s of %s at %d: %s", short(item.Key), shortIncarnation(item.Owner), item.Sequence.Number, statusNames[row.Status])
	}
	return short(item.Key)
}

var statusNames = map[history.Status]string{
	history.StatusPending: "Pending", history.StatusRunning: "Running", history.StatusSuspended: "Suspended",
	history.StatusCompleted: "Completed", history.StatusFailed: "Failed", history.StatusTerminated: "Terminated",
}

func describeSegment(seg *history.Segment) string {
	var b strings.Builder
	b.WriteString(" [")
	for i := range seg.Events {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(describeEvent(&seg.Events[i]))
	}
	b.WriteString("]")
	if seg.More {
		b.WriteString(" more")
	}
	if !seg.Released {
		fmt.Fprintf(&b, ", lets %d go; others are held back", seg.Releases)
	}
	return b.String()
}

func describeEvent(e *history.Event) string {
	s := e.Kind.String()
	if e.Op != "" {
		s += " " + e.Op
	}
	if e.Name != "" {
		s += " " + e.Name
	}
	if e.Kind == history.ExecutionSuspended && e.MessageID == "" {
		reason, _, _ := strings.Cut(e.Reason, "\n")
		s += " (" + reason + ")"
	}
	return s
}

func describeMessage(m backend.Message) string {
	d, err := history.DecodeMessage(m.Body)
	if err != nil {
		return "unreadable"
	}
	s := fmt.Sprintf("%s %s of %s#%s", m.ID[:min(4, len(m.ID))], describeEvent(&d.Event), d.Instance, shortIncarnation(d.Incarnation))
	if d.Attempt > 1 {
		s += fmt.Sprintf(", attempt %d", d.Attempt)
	}
	if !d.Pending.IsZero() {
		s += ", pending"
	}
	if d.Event.Kind == history.TaskScheduled && d.Event.Failure != nil {
		s += ", failed"
	}
	if d.Redrives > 0 {
		s += fmt.Sprintf(", redrive %d", d.Redrives)
	}
	if d.Event.Kind == history.Continued {
		s += fmt.Sprintf(" at %d", d.Number)
	}
	if m.Delay > 0 {
		s += " in " + m.Delay.String()
	}
	return s
}

func describeMessages(messages []backend.Message, errs []error) string {
	var b strings.Builder
	for i, m := range messages {
		b.WriteString("; " + describeMessage(m))
		if i < len(errs) && errs[i] != nil {
			b.WriteString(" (" + errs[i].Error() + ")")
		}
	}
	return b.String()
}

func describeBatch(batch []backend.Delivery) string {
	if len(batch) == 0 {
		return ": nothing"
	}
	var b strings.Builder
	for _, d := range batch {
		fmt.Fprintf(&b, "; %s (%d)", describeMessage(d.Message), d.Receives)
	}
	return b.String()
}
