package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// A change of an instance that somebody outside is to hear of is a message like that of an activity, and owed by the segment that has it. Whoever ends
// an instance owes all that was before: so the first message of nearly each one would be sent twice. It is not, where something else shows
// that it was sent: an outbox sends such messages first, and what it sent after them has come back.

// noticeFor is how long it is tried to tell a change: as long as EventBridge tries to tell its targets.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
const noticeFor = 24 * time.Hour

// Notification says what has become of an instance: which, when, and to what it has changed. It holds nothing that the instance works on.
type Notification struct {
	// ID is the same each time that the same change is told.
	ID string `json:"id"`
	// Change is Started, Suspended, Resumed, Rewound (or reset), Completed, Failed or Terminated.
	Change string `json:"change"`
	// Instance, and its incarnation: which life of the id it is.
	Instance    string `json:"instanceId"`
	Incarnation string `json:"incarnation"`
	// Name and Version of the orchestration.
	Name    string `json:"name"`
	Version uint32 `json:"version"`
	// Status is the runtime status that the change leads to.
	Status string `json:"runtimeStatus"`
	// Time of the turn that has made the change; to the millisecond, UTC.
	Time time.Time         `json:"time"`
	Tags map[string]string `json:"tags,omitempty"`
	// Parent is the instance that has asked for this one.
	Parent string `json:"parentInstanceId,omitempty"`
	// ErrorType is the kind of the error with which it failed.
	ErrorType string `json:"errorType,omitempty"`
}

// change says what an event is to those outside, and the status to which it leads; nothing for most.
func change(e *history.Event) (what, status string) {
	switch e.Kind {
	case history.ExecutionStarted:
		if e.Due().IsZero() {
			return "Started", "Running"
		}
	case history.TimerFired:
		if e.Op == history.StartOp {
			return "Started", "Running"
		}
	case history.ExecutionSuspended:
		return "Suspended", "Suspended"
	case history.ExecutionResumed:
		return "Resumed", "Running"
	case history.ExecutionRewound, history.ParentRewound, history.ExecutionReset:
		if e.Rewound != nil {
			return "Rewound", "Running"
		}
	case history.ExecutionCompleted:
		return "Completed", "Completed"
	case history.ExecutionFailed:
		return "Failed", "Failed"
	case history.ExecutionTerminated:
		return "Terminated", "Terminated"
	}
	return "", ""
}

// announce adds what the world is to hear of segment n.
func (a *attempt) announce(n int) {
	if !a.w.cfg.Notifies || a.st.refused() {
		return
	}
	seg := a.st.h.Segments[n]
	for i := range seg.Events {
		e := &seg.Events[i]
		what, status := change(e)
		if what == "" {
			continue
		}
		if a.heard(n) {
			return
		}
		h, start := a.st.h, a.st.start
		note := Notification{
			ID: store.NoticeID(h.Instance, h.Incarnation, h.Generation, uint64(n), i), Change: what,
			Instance: h.Instance, Incarnation: h.Incarnation, Name: start.Name, Version: start.Version, Status: status, Time: seg.Time,
		}
		if s := start.Start; s != nil {
			note.Tags = s.Tags
			if s.Parent != nil {
				note.Parent = s.Parent.Instance
			}
		}
		if e.Failure != nil {
			note.ErrorType = e.Failure.Kind
		}
		data, err := json.Marshal(note)
		if err != nil {
			panic(err) // it has nothing but texts
		}
		a.out.Notice(&history.Message{ID: note.ID, Instance: h.Instance, Incarnation: h.Incarnation, Generation: h.Generation, Sent: a.w.store.Now(),
			Event: history.Event{Kind: history.Notified, Name: start.Name, Data: history.Payload{Bytes: data}}})
	}
}

// heard reports whether something has come back that was sent after what segment n has for the world.
func (a *attempt) heard(n int) bool {
	came := func(op *operation) bool { return op.outcome >= 0 }
	if slices.ContainsFunc(a.st.releasedIn(n), came) {
		return true
	}
	for _, op := range a.st.ops {
		if op.segment == n && op.command.Kind != history.TaskScheduled && came(op) {
			return true
		}
	}
	return false
}

// notify tells the world.
func (w *Worker) notify(ctx context.Context, m *history.Message) Outcome {
	var note Notification
	if err := json.Unmarshal(m.Event.Data.Bytes, &note); err != nil {
		return Outcome{Foreign: true, Err: fmt.Errorf("a notification of %s cannot be read: %w", m.Instance, err)}
	}
	if w.cfg.Notify == nil {
		w.log.Warn("nobody outside hears of a change: this worker has nothing to tell it by", "instance", m.Instance, "change", note.Change)
		return Outcome{Ack: true}
	}
	if err := w.cfg.Notify(ctx, note); err != nil {
		return w.again(fmt.Errorf("nobody outside has heard that %s has %s: %w", m.Instance, note.Change, err))
	}
	return Outcome{Ack: true}
}

// outdated reports whether it was tried for long enough to tell a change.
func (w *Worker) outdated(m *history.Message) bool {
	late := w.store.Now().Sub(m.Sent) > noticeFor
	if late {
		w.log.Error("nobody outside has heard of a change within a day, and it is not tried any more", "instance", m.Instance, "change", string(m.Event.Data.Bytes))
	}
	return late
}
