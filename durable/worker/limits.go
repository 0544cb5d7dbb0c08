package worker

import (
	"fmt"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// An instance that grows without an end, or that does nothing but wake itself, costs money and helps nobody. Before its code runs
// that is looked at, and it is suspended with the reason; whatever came is kept. Who has mended the code, or raised the
// limit, resumes it.

// SpinTurns is a good Config.SpinTurns where turns cost money.
const SpinTurns = history.SpinTurns

// spin is how many turns in a row nothing but the instance itself has caused: its own beginnings anew, and timers under a second.
// It is counted from the record, over generations, by the minute.
type spin struct {
	turns int
	since time.Time // of the first that counts
}

const (
	spinMinute = time.Minute
	// spinTimer is what a timer must take at least to be a wait.
	spinTimer = time.Second
)

// next is the count after a turn at that time.
func (s spin) next(at time.Time, own bool) spin {
	switch {
	case !own:
		return spin{}
	case s.turns == 0, at.Sub(s.since) > spinMinute:
		return spin{turns: 1, since: at}
	}
	return spin{turns: s.turns + 1, since: s.since}
}

// own reports whether nothing from outside is among the inputs of a turn. What an instance carries from one generation
// to the next counts as its own.
func (st *state) own(events []history.Event) bool {
	var carried []string
	any := false
	for i := range events {
		switch e := &events[i]; e.Kind {
		case history.GenerationStarted:
			any = true
			if e.Start != nil {
				carried = e.Start.Carried
			}
		case history.TimerFired:
			op := st.ops[e.Op]
			if op == nil || e.Op == history.StartOp || op.command.At.Sub(st.h.Segments[op.segment].Time) >= spinTimer {
				return false
			}
			any = true
		case history.StepCompleted, history.StepFailed: // these are the turn's own
		default:
			if e.Kind.IsInput() && !slices.Contains(carried, e.MessageID) {
				return false
			}
		}
	}
	return any
}

// bounds refuses a turn of an instance that has no end in sight. A turn that has begun is finished.
func (a *attempt) bounds(inputs []history.Event) error {
	st, cfg := a.st, &a.w.cfg
	if len(inputs) == 0 {
		return nil
	}
	if events := st.events + len(inputs); events > cfg.HistoryEvents {
		return fmt.Errorf("its history has %d events, and at most %d are allowed: continue as new in time, or start sub-orchestrations; "+
			"resume it with a higher limit (HistoryEvents), or terminate it", events, cfg.HistoryEvents)
	}
	if st.h.Bytes > cfg.HistoryBytes {
		return fmt.Errorf("its history has %d bytes, and at most %d are allowed: continue as new in time, start sub-orchestrations, or keep large values elsewhere; "+
			"resume it with a higher limit (HistoryBytes) and more memory, or terminate it", st.h.Bytes, cfg.HistoryBytes)
	}
	// Whatever comes now: the code may end before it takes it, and leave it to the next turn of its own, for ever.
	if s := st.spin; cfg.SpinTurns > 0 && s.turns >= cfg.SpinTurns && a.now(inputs).Sub(s.since) <= spinMinute {
		return fmt.Errorf("it spins: %d turns within a minute had no other cause than timers under a second and its own continuing as new. Let it wait longer, or for an event; "+
			"then deploy that, and resume", s.turns)
	}
	return nil
}

// warn says, once a generation, that a history is half as long as it may be.
func (a *attempt) warn(events, bytes int) {
	st, cfg := a.st, &a.w.cfg
	crossed := func(before, now, limit int) bool { return before <= limit/2 && now > limit/2 }
	if crossed(events, st.events, cfg.HistoryEvents) || crossed(bytes, st.h.Bytes, cfg.HistoryBytes) {
		a.w.log.Warn("a history is half as long as it may be: at the limit the instance is suspended; let it continue as new in time",
			"instance", a.g.instance, "orchestration", st.start.Name, "events", st.events, "maxEvents", cfg.HistoryEvents, "bytes", st.h.Bytes, "maxBytes", cfg.HistoryBytes)
	}
}
