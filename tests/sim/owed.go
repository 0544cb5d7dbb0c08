package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// acked is called before a delivery is acknowledged: its business must be done.
func (c *check) acked(a *actor, queue string, d backend.Delivery) {
	m, err := history.DecodeMessage(d.Body)
	if err != nil {
		return
	}
	if strings.HasPrefix(queue, "dead ") && (m.Event.Kind != history.TaskScheduled || !m.Pending.IsZero()) {
		if c.redriven[m.ID] <= m.Redrives && !(m.Event.Kind == history.Notified && c.tooOld(m)) {
			c.w.fail("%s acknowledges %s in the %s queue and has not sent it again", a, describeMessage(d.Message), queue)
		}
		return
	}
	if m.Event.Kind == history.Notified {
		c.tells(a, m, true)
		return
	}
	if strings.HasSuffix(queue, "activities") || queue == "wake" && m.Event.Kind == history.TimerFired {
		of := c.of(m)
		if !of.over() && !of.op.passedOn(m) {
			c.w.fail("%s acknowledges %s and has not sent what comes of it", a, describeMessage(d.Message))
		}
		return
	}
	if why := c.owed(m); why != "" {
		c.w.fail("%s acknowledges %s: %s", a, describeMessage(d.Message), why)
	}
}

// passedOn reports whether a message was sent that takes the place of m.
func (o *op) passedOn(m *history.Message) bool {
	if m.Event.Kind == history.TimerFired {
		return o.sent > 1
	}
	if !m.Pending.IsZero() {
		return o.lookedAfter(m)
	}
	return o.reported || o.attempt > m.Attempt || o.waiting || o.pended >= m.Attempt && (!o.bounded() || o.watches > 0) ||
		o.command.Policy != nil && o.command.Policy.AtMostOnce && o.watches > 0
}

// owed says what a message still asks for.
func (c *check) owed(m *history.Message) string {
	if m.Event.Kind == history.ExecutionRewound && m.Event.Start != nil {
		if why := c.unanswered(m); why != "" {
			return why
		}
	}
	l := c.life(m.Instance, m.Incarnation)
	if l == nil {
		return c.owedWithoutHistory(m)
	}
	if m.Event.MessageID == "" {
		if l = c.generation(m.Instance, m.Incarnation, int(m.Generation)); l == nil {
			return "the generation has not begun"
		}
		return c.owedIn(l, m)
	}
	for _, g := range l.generations() { // the first one that has it: later ones got it from there
		if _, ok := g.calls[m.Event.MessageID]; ok {
			return c.owedIn(g, m)
		}
	}
	return c.owedIn(l, m)
}

// owedIn says what a message still asks for of a generation.
func (c *check) owedIn(l *life, m *history.Message) string {
	segment, pending := l.consumed(m)
	if sent := c.calls[m.Event.MessageID]; sent != nil && sent.at < l.rewoundAt {
		pending = "" // it came when the instance had ended, perhaps, and was dropped
	}
	if pending != "" && (l.end == nil || l.renewed() && m.Event.MessageID != "") {
		return pending
	}
	if segment < 0 {
		return ""
	}
	if s := l.unsent(segment); s != "" {
		return fmt.Sprintf("%s of segment %d was never sent", s, segment)
	}
	if l.end != nil && segment == l.ended {
		if s := l.untold(c); s != "" {
			return s + " was never sent"
		}
	}
	return c.behind(l, segment)
}

// consumed is the segment that consumed the message, and what is wrong when none has; -1 when it means nothing.
func (l *life) consumed(m *history.Message) (segment int, pending string) {
	switch m.Event.Kind {
	case history.ExecutionStarted:
		return 0, ""
	case history.TaskCompleted, history.TaskFailed, history.TimerFired, history.SubOrchestrationCompleted, history.SubOrchestrationFailed:
		o := l.ops[m.Event.Op]
		if o != nil && o.command.Epoch != m.Event.Epoch {
			return -1, "" // a rewind has done away with it
		}
		if o != nil && o.outcome == nil && !o.canceled {
			return -1, "its outcome is not in the history"
		}
		if o == nil || o.outcome == nil {
			return -1, ""
		}
		return slices.IndexFunc(l.segments, func(s *history.Segment) bool {
			return slices.ContainsFunc(s.Events, func(e history.Event) bool {
				return e.Kind.IsInput() && e.Kind != history.ExecutionReset && e.Op == m.Event.Op && e.Epoch == m.Event.Epoch
			})
		}), ""
	case history.Continued:
		if int(m.Number) < len(l.segments) {
			return int(m.Number), ""
		}
		if !l.suspended {
			return -1, "the turn is not finished"
		}
		return -1, ""
	}
	if n, ok := l.calls[m.Event.MessageID]; ok {
		return n, ""
	}
	if m.Event.Kind != history.ExecutionResumed && m.Event.Kind != history.ExecutionRewound {
		return -1, "it is not in the history"
	}
	return -1, ""
}

// behind says what the status row does not show of a segment whose messages are done with.
func (c *check) behind(l *life, segment int) string {
	item, err := c.w.inner.Table.Get(context.Background(), backend.Key{Partition: "i#" + l.instance, Sort: "row"})
	if err != nil || item == nil || item.Owner != l.incarnation {
		return ""
	}
	at := backend.Sequence{Generation: uint64(l.generation), Number: uint64(segment)}
	if slices.Contains(l.shows, segment) && !l.renewed() && !at.Less(item.Sequence) {
		return fmt.Sprintf("the row is at %d and does not show segment %d", item.Sequence.Number, segment)
	}
	return ""
}

func (c *check) owedWithoutHistory(m *history.Message) string {
	items, err := c.w.inner.Table.Query(context.Background(), "i#"+m.Instance, "row", "row\x00", 1)
	if err == nil && len(items) == 1 && items[0].Owner == m.Incarnation {
		return "its life was accepted and has not begun"
	}
	if m.Event.Kind == history.ExecutionStarted && (len(items) == 0 || m.Event.Start != nil && m.Event.Start.Parent != nil) {
		return "the start is lost"
	}
	if m.Event.Kind == history.ExecutionTerminated && m.Event.Start != nil && !c.w.plan.Loses { // else it has waited long enough
		return "the child that it ends has not begun"
	}
	return ""
}
