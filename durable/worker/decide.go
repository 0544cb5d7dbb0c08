package worker

import "github.com/durable-lambda/durable-lambda/durable/history"

// verdict is what becomes of one message: docs/acceptance.md is its table.
type verdict uint8

const (
	// drop: it means nothing here, and owes nothing. It is only ever decided on a history that was loaded after the
	// message was received (rule 4).
	drop verdict = iota
	// consume: it becomes part of the next segment.
	consume
	// repeat: it is part of the history already. What that segment asked for and still waits for is sent again (rule 5).
	repeat
	// answer: the parent asks again for what the child has come to.
	answer
	// done: a generation before this one has consumed it, or had no use for it. It owes nothing: this generation began when
	// everything of that one was sent (rule 9).
	done
)

// decide judges a message by the history and by what the batch has taken so far.
func (st *state) decide(m *history.Message, taken *taken) (v verdict, segment int) {
	if st.sealed {
		return st.gone(m), 0
	}
	if v, ok := st.settled(m); ok {
		return v, 0
	}
	if n, ok := st.consumed(m); ok {
		return repeat, n
	}
	e := &m.Event
	if e.Kind == history.ExecutionStarted {
		if st.start == nil && !taken.started {
			return consume, 0
		}
		return drop, 0
	}
	if taken.has(m) {
		return drop, 0
	}
	if st.end != nil || st.start == nil && !taken.started {
		return st.gone(m), 0
	}
	switch e.Kind {
	case history.TaskCompleted, history.TaskFailed:
		return st.awaits(m, history.TaskScheduled), 0
	case history.TimerFired:
		return st.awaits(m, history.TimerCreated), 0
	case history.SubOrchestrationCompleted, history.SubOrchestrationFailed:
		return st.awaits(m, history.SubOrchestrationCreated), 0
	case history.EventRaised, history.ExecutionSuspended, history.ExecutionTerminated, history.ExecutionReset:
		return consume, 0
	case history.ExecutionRewound:
		if isChild(e) && !st.knowsOf(e.Start.Parent) && !taken.knowsOf(e.Start.Parent) {
			return consume, 0
		}
	case history.ExecutionResumed:
		if st.suspended && !taken.resumed || taken.suspended {
			return consume, 0
		}
	}
	return drop, 0
}

// gone is what becomes of a message that comes too late.
func (st *state) gone(m *history.Message) verdict {
	if m.Event.Kind == history.ExecutionRewound && isChild(&m.Event) {
		return answer
	}
	return drop
}

// awaits consumes the outcome of an operation that has none.
func (st *state) awaits(m *history.Message, kind history.Kind) verdict {
	op := st.ops[m.Event.Op]
	if op == nil || op.command.Kind != kind || op.command.Epoch != m.Event.Epoch || op.outcome >= 0 || op.canceled || op.gone || m.Generation != st.h.Generation {
		return drop
	}
	return consume
}

// settled decides what generations before have decided. Messages from outside name the generation that their sender knew, and are
// for any. What the last turn of the one before has consumed owes the first turn of this one: who committed that may have
// died before it was sent.
func (st *state) settled(m *history.Message) (v verdict, ok bool) {
	switch k, known := st.known[messageID(m)]; {
	case known && k.Last && len(st.h.Segments) > 0:
		return repeat, true
	case known || m.Event.MessageID == "" && m.Generation < st.h.Generation:
		return done, true
	}
	return drop, false
}

// consumed finds the segment that consumed the message before.
func (st *state) consumed(m *history.Message) (segment int, ok bool) {
	switch m.Event.Kind {
	case history.ExecutionStarted:
		return 0, st.start != nil
	case history.TaskCompleted, history.TaskFailed, history.TimerFired, history.SubOrchestrationCompleted, history.SubOrchestrationFailed:
		op := st.ops[m.Event.Op]
		if op == nil || op.outcome < 0 || op.command.Epoch != m.Event.Epoch || m.Generation != st.h.Generation {
			return 0, false
		}
		return op.outcome, true
	case history.Continued:
		return int(m.Number), m.Generation == st.h.Generation && m.Number < uint64(len(st.h.Segments))
	}
	segment, ok = st.calls[m.Event.MessageID]
	return segment, ok && m.Event.MessageID != ""
}

// taken is what the messages of a batch amount to so far.
type taken struct {
	seen               map[string]bool
	started            bool
	parent             *history.Parent // who waits, of the last rewind of the parent
	suspended, resumed bool
}

// identity is what two copies of a message in one batch have in common.
func identity(m *history.Message) string {
	if m.Event.MessageID != "" {
		return "m" + m.Event.MessageID
	}
	return "o" + m.Event.Op
}

// knowsOf is that of state, for what the batch has taken.
func (t *taken) knowsOf(p *history.Parent) bool { return t.parent != nil && supersedes(t.parent, p) }

func (t *taken) has(m *history.Message) bool { return t.seen[identity(m)] }

// carry takes what a generation begins with.
func (t *taken) carry(events []history.Event) {
	t.started = len(events) > 0
	for i := range events {
		t.take(&history.Message{Event: events[i]})
	}
}

func (t *taken) take(m *history.Message) {
	if t.seen == nil {
		t.seen = map[string]bool{}
	}
	switch m.Event.Kind {
	case history.ExecutionStarted:
		t.started = true
		return
	case history.ExecutionSuspended:
		t.suspended, t.resumed = true, false
	case history.ExecutionResumed:
		t.suspended, t.resumed = false, true
	}
	if (m.Event.Kind == history.ExecutionRewound || m.Event.Kind == history.ParentRewound) && isChild(&m.Event) {
		t.parent = m.Event.Start.Parent
	}
	t.seen[identity(m)] = true
}
