package worker

import (
	"context"
	"errors"
	"slices"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// A reset is a segment of its own, as a rewind is, and its turn goes on from there. Package replay says where it cuts. It may
// meet an instance that runs: whatever that asked for behind the cut is abandoned. What it waits for from before is asked for once
// more, under the epoch of the reset.

// resets says where a message resets the instance as it is now, or why it does not.
func (st *state) resets(m *history.Message) (from uint64, err error) {
	switch {
	case st.sealed:
		return 0, errors.New("it was purged or replaced")
	case m.Generation != st.h.Generation:
		return 0, errors.New("it has continued as new since: look at its new history, and reset that")
	}
	return replay.Reset(st.h.Segments, &m.Event)
}

// cuts finds the first message that rewinds or resets the instance as it is now.
func (a *attempt) cuts(messages []*history.Message) int {
	rewind := a.rewinds(messages)
	for i, m := range messages {
		if i == rewind {
			break
		}
		if m.Event.Kind != history.ExecutionReset {
			continue
		}
		_, settled := a.st.settled(m)
		_, consumed := a.st.consumed(m)
		if settled || consumed {
			continue
		}
		if _, err := a.st.resets(m); err == nil {
			return i
		}
	}
	return rewind
}

// apart handles what came before a rewind or a reset, and then that, and what is behind it, with what has come of the first.
func (a *attempt) apart(ctx context.Context, messages []*history.Message, i int) error {
	err := a.handle(ctx, messages[:i])
	if errors.Is(err, errHandedOn) {
		return errors.New("a long turn is being finished first") // the others have not been looked at
	}
	if err != nil || a.st.renewed() {
		return err
	}
	a.consumed = nil
	return a.handle(ctx, messages[i:])
}

// futile is what the history says of a reset that comes to nothing: the instance has gone on since somebody asked for it.
func (st *state) futile(m *history.Message) *history.Failure {
	f := &history.Failure{Message: "nothing to reset"}
	if _, err := st.resets(m); err != nil {
		f.Message = err.Error()
	}
	return f
}

// reset folds a reset: nobody waits any more for what was asked for behind the cut, nor for what had no outcome before it. What is
// asked for again is in the record.
func (st *state) reset(n int, e *history.Event) {
	from := int(e.Rewound.From)
	if e.Op == history.StartOp && e.Edit == history.EditInput {
		start := *st.start
		start.Data = e.Data
		st.start = &start
	}
	var parted []*operation
	for _, op := range st.ops {
		target, behind := op.command.Op == e.Op, op.segment >= from
		if op.command.Op == history.StartOp || op.gone || op.outcome >= 0 && op.outcome < from && !behind {
			continue
		}
		child := op.command.Kind == history.SubOrchestrationCreated
		op.anew = child && (target || behind || op.outcome >= 0 || st.unwanted(op.command))
		if op.anew && op.waits() {
			parted = append(parted, op)
		}
		op.gone = true
	}
	slices.SortFunc(parted, func(a, b *operation) int { return history.CompareOps(a.command.Op, b.command.Op) })
	if st.parted == nil {
		st.parted = map[int][]*operation{}
	}
	st.parted[n] = parted
	st.goOn(from)
}

// abandon adds what ends the children of which reset n says that nobody waits for them any more. Each is started before, if it was not:
// its end comes after.
func (a *attempt) abandon(n int) {
	for _, op := range a.st.parted[n] {
		a.bear(op.command, op.segment)
		a.urge(op.command, history.Event{Kind: history.ExecutionTerminated, Recursive: true, Reason: "its parent " + a.g.instance + " was reset"})
	}
}

// before reports whether a row shows the life that the operation which now starts a child had started before.
func before(row *history.Row, m *history.Message) bool {
	if !isChild(&row.Start) || !isChild(&m.Event) {
		return false
	}
	old, now := *row.Start.Start.Parent, *m.Event.Start.Parent
	older := old.Epoch < now.Epoch
	old.Epoch = now.Epoch
	return older && old == now
}
