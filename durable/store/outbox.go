package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Outbox collects what is to be sent, and sends it together.
type Outbox struct {
	s      *Store
	notes  []backend.Message
	inbox  []backend.Message
	wake   []backend.Message
	work   []backend.Message
	due    []backend.Item
	delete []backend.Key
}

// Outbox returns an empty outbox.
func (s *Store) Outbox() *Outbox { return &Outbox{s: s} }

// Inbox adds a message for an instance.
func (o *Outbox) Inbox(m *history.Message) {
	o.inbox = append(o.inbox, backend.Message{ID: queueID(m), Group: Group(m.Instance), Body: m.Encode()})
}

// Start adds a start. Starts share the group of whom they are for, so that a queue which is fair to groups lets nobody's flood of them go
// before what others wait for: their starts, and the timers of all that runs.
func (o *Outbox) Start(m *history.Message) {
	o.wake = append(o.wake, backend.Message{ID: queueID(m), Group: startGroup(m), Body: m.Encode()})
}

// At adds a timer or an activity that is not to arrive before due: as a delayed message, or as a due row when that is
// too long.
func (o *Outbox) At(m *history.Message, due time.Time) {
	delay := max(due.Sub(o.s.now()), 0)
	if delay > o.s.direct {
		key := dueKey(m, due)
		o.due = append(o.due, backend.Item{Key: key, Owner: m.Incarnation, Value: m.Encode()})
		return
	}
	o.delayed(m, delay)
}

// Again adds a timer, or what looks after an attempt of an activity, that came too early, as a delayed message however long it has still to wait: by a clock that is far
// behind that may be so long that it would be a due row, the very one that whoever sent the timer is about to delete.
func (o *Outbox) Again(m *history.Message, due time.Time) {
	o.delayed(m, min(max(due.Sub(o.s.now()), 0), o.s.direct))
}

// Activity adds an activity's message.
func (o *Outbox) Activity(m *history.Message) { o.delayed(m, 0) }

// Notice adds what somebody outside is to hear. Such messages go before all others, so that whatever else was sent with them shows
// that they were.
func (o *Outbox) Notice(m *history.Message) {
	o.notes = append(o.notes, backend.Message{ID: queueID(m), Group: Group(m.Instance), Body: m.Encode()})
}

// Cancel removes the due row of a timer, if it has one.
func (o *Outbox) Cancel(m *history.Message, due time.Time) {
	if due.After(o.s.now()) {
		o.delete = append(o.delete, dueKey(m, due))
	}
}

func (o *Outbox) delayed(m *history.Message, delay time.Duration) {
	msg := backend.Message{ID: queueID(m), Group: Group(m.Instance), Body: m.Encode(), Delay: delay}
	if m.Event.Kind == history.TaskScheduled {
		o.work = append(o.work, msg)
	} else {
		o.wake = append(o.wake, msg)
	}
}

// Join adds what another outbox has. That keeps it.
func (o *Outbox) Join(other *Outbox) {
	o.notes, o.inbox = append(o.notes, other.notes...), append(o.inbox, other.inbox...)
	o.wake, o.work = append(o.wake, other.wake...), append(o.work, other.work...)
	o.due, o.delete = append(o.due, other.due...), append(o.delete, other.delete...)
}

// Empty reports whether there is nothing to send.
func (o *Outbox) Empty() bool {
	return len(o.notes)+len(o.inbox)+len(o.wake)+len(o.work)+len(o.due)+len(o.delete) == 0
}

// Flush sends everything, and messages for instances only when everything else was sent: one that asks to go on says so of
// all that was asked for before. After an error some of it may not have been sent, and all of it is to be sent again.
func (o *Outbox) Flush(ctx context.Context) error {
	var errs []error
	send := func(q backend.Queue, messages []backend.Message) {
		if len(messages) > 0 {
			errs = append(errs, q.Send(ctx, messages)...)
		}
	}
	if send(o.s.b.Activities, o.notes); errors.Join(errs...) != nil {
		return fmt.Errorf("store: flush: %w", errors.Join(errs...))
	}
	for _, item := range o.due {
		errs = append(errs, o.s.b.Table.Put(ctx, item, backend.Always()))
	}
	for _, key := range o.delete {
		errs = append(errs, o.s.b.Table.Delete(ctx, key))
	}
	send(o.s.b.Activities, o.work)
	send(o.s.b.Wake, o.wake)
	if errors.Join(errs...) == nil {
		send(o.s.b.Inbox, o.inbox)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("store: flush: %w", err)
	}
	return nil
}
