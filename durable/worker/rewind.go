package worker

import (
	"context"
	"slices"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// A rewind puts an instance that has failed back to where its first failure came in. It is a segment of its own, which says where the
// history is cut; the turn goes on from there as any unfinished one. Package replay has what the code gets to see, and asks again, under
// a new epoch, for what was asked for before the cut and has no result: not only what failed, because the outcome of what was under
// way at the end was dropped, or may be one that a queue remembers.

// rewinds finds the message that rewinds the instance as it is now: it must have failed.
func (a *attempt) rewinds(messages []*history.Message) int {
	st := a.st
	if st.sealed || !st.over() || st.end.Kind != history.ExecutionFailed {
		return -1
	}
	return slices.IndexFunc(messages, func(m *history.Message) bool {
		_, settled := st.settled(m)
		_, consumed := st.consumed(m)
		late := isChild(&m.Event) && st.knowsOf(m.Event.Start.Parent)
		return m.Event.Kind == history.ExecutionRewound && !settled && !consumed && !late
	})
}

// cut commits that a message rewinds or resets the instance.
func (a *attempt) cut(ctx context.Context, m *history.Message) error {
	e := m.Event
	e.Rewound = &history.Rewound{From: uint64(a.st.failedAt())}
	if e.Kind == history.ExecutionReset {
		from, err := a.st.resets(m)
		if err != nil {
			return err
		}
		e.Rewound.From = from
	}
	return a.commit(ctx, &history.Segment{Time: a.now(nil), More: true, Events: []history.Event{e}})
}

// reopen shows that an instance which was rewound or reset runs, before its turn goes on: as long as the row shows the end that there was,
// an activity is taken for one that nobody waits for, and the end that comes for one that is shown.
func (a *attempt) reopen(ctx context.Context) error {
	if !a.st.h.Segments[a.st.turns[a.last()]].Cuts() || a.st.end != nil {
		return nil
	}
	return a.w.store.Project(ctx, a.st.row())
}

// failedAt is the first segment of the turn in which the first failure came in; if nothing failed but the code itself, of its
// last turn.
func (st *state) failedAt() int {
	at := st.turns[st.ended]
	for _, op := range st.ops {
		if op.failed && !op.gone {
			at = min(at, st.turns[op.outcome])
		}
	}
	for _, n := range st.failedSteps {
		at = min(at, st.turns[n])
	}
	return at
}

// rewound folds a rewind: nobody waits any more for what was asked for and has no result. What is asked for again is in the record.
func (st *state) rewound(from int) {
	for _, op := range st.ops {
		op.gone = op.gone || op.outcome < 0 || op.failed
	}
	st.goOn(from)
}

// goOn has the instance run again, from what was before a segment.
func (st *state) goOn(from int) {
	st.released, st.flying = len(st.asked), 0
	st.failedSteps = slices.DeleteFunc(st.failedSteps, func(n int) bool { return n >= from })
	st.end, st.ended = nil, 0
	st.suspended, st.byWorker, st.reason, st.build = false, false, "", ""
}
