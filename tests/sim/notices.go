package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// tiding is what somebody outside is to hear of a segment.
type tiding struct {
	life    *life
	segment int
	event   *history.Event
	sent    int // messages that carry it
	heard   int
}

// toldAs is what each kind of event is called outside, and the status to which it leads.
var toldAs = map[history.Kind][2]string{
	history.ExecutionStarted: {"Started", "Running"}, history.TimerFired: {"Started", "Running"},
	history.ExecutionSuspended: {"Suspended", "Suspended"}, history.ExecutionResumed: {"Resumed", "Running"},
	history.ExecutionRewound: {"Rewound", "Running"}, history.ParentRewound: {"Rewound", "Running"}, history.ExecutionReset: {"Rewound", "Running"},
	history.ExecutionCompleted: {"Completed", "Completed"}, history.ExecutionFailed: {"Failed", "Failed"}, history.ExecutionTerminated: {"Terminated", "Terminated"},
}

// news reports whether an event is one that somebody outside is to hear of.
func news(e *history.Event) bool {
	switch _, told := toldAs[e.Kind]; {
	case !told:
		return false
	case e.Kind == history.ExecutionStarted:
		return e.Start == nil || e.Start.Due.IsZero()
	case e.Kind == history.TimerFired:
		return e.Op == history.StartOp
	case e.Kind == history.ExecutionReset || e.Kind == history.ExecutionRewound || e.Kind == history.ParentRewound:
		return e.Rewound != nil
	}
	return true
}

// announced notes what is owed to those outside by a segment that was committed.
func (c *check) announced(l *life, n int, seg *history.Segment) {
	if !c.w.plan.Notifies || l.refused() {
		return
	}
	for i := range seg.Events {
		if e := &seg.Events[i]; news(e) {
			t := &tiding{life: l, segment: n, event: e}
			c.notes[store.NoticeID(l.instance, l.incarnation, uint64(l.generation), uint64(n), i)] = t
			l.notes = append(l.notes, t)
		}
	}
}

// unannounced names what nobody outside can hear of a segment.
func (l *life) unannounced(segment int) string {
	for _, t := range l.notes {
		if t.segment == segment && t.sent == 0 {
			return "what is to be told of " + describeEvent(t.event)
		}
	}
	return ""
}

// tells is called when a message that tells of a change is sent, or is acknowledged.
func (c *check) tells(a *actor, m *history.Message, acknowledged bool) {
	t := c.notes[m.ID]
	switch {
	case t == nil || t.life.instance != m.Instance || t.life.incarnation != m.Incarnation:
		c.w.fail("%s tells those outside of %s something that is in no history", a, m.Instance)
	case !acknowledged:
		t.sent++
	case t.heard == 0:
		c.w.fail("%s is done with %s of %s, and nobody has heard it", a, describeEvent(t.event), t.life)
	}
}

// hears is whoever is told of changes.
func (a *actor) hears(_ context.Context, n worker.Notification) error {
	return a.call(sending, func() string { return fmt.Sprintf("tells that %s has %s", n.Instance, n.Change) }, func() error {
		c := a.w.check
		t := c.notes[n.ID]
		if t == nil {
			c.w.fail("%s tells those outside of %s something that is in no history", a, n.Instance)
			return nil
		}
		l, as := t.life, toldAs[t.event.Kind]
		kind := ""
		if f := t.event.Failure; f != nil {
			kind = f.Kind
		}
		parent := ""
		if s := l.generations()[0].start; s.Start != nil && s.Start.Parent != nil {
			parent = s.Start.Parent.Instance
		}
		if n.Instance != l.instance || n.Incarnation != l.incarnation || n.Change != as[0] || n.Status != as[1] || n.Name != l.start.Name || n.Version != l.start.Version ||
			!n.Time.Equal(l.segments[t.segment].Time) || n.ErrorType != kind || n.Parent != parent {
			c.w.fail("%s tells %+v of %s in segment %d of %s", a, n, describeEvent(t.event), t.segment, l)
		}
		if t.heard++; t.heard == 1 {
			c.w.seen["changes told"]++
		} else {
			c.w.seen["changes told again"]++
		}
		return nil
	})
}

// tooOld reports whether it is not tried any more to tell a change.
func (c *check) tooOld(m *history.Message) bool {
	return c.w.now.Add(c.w.plan.Skew).Sub(m.Sent) > 24*time.Hour
}
