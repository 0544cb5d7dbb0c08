package history_test

import (
	"math"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"pgregory.net/rapid"
)

// written are the kinds that version 1 writes; all others are reserved.
var written = []history.Kind{
	history.ExecutionStarted, history.ExecutionCompleted, history.ExecutionFailed, history.ExecutionTerminated,
	history.ExecutionSuspended, history.ExecutionResumed, history.Sealed, history.CustomStatusSet, history.Continued,
	history.TaskScheduled, history.TaskCompleted, history.TaskFailed,
	history.TimerCreated, history.TimerFired, history.TimerCanceled, history.EventRaised,
	history.StepStarted, history.StepCompleted, history.StepFailed, history.ChangeMarked, history.ContinuedAsNew, history.GenerationStarted, history.StartRefused, history.ParentRewound,
	history.ExecutionRewound, history.ExecutionReset, history.Notified, history.EventSent, history.SubOrchestrationCreated, history.SubOrchestrationCompleted, history.SubOrchestrationFailed,
}

// lastTime is the latest time that the format keeps.
var lastTime = time.UnixMilli(math.MaxInt64 / 1_000_000).UTC()

// texts are short, and often empty: what the codec does with a text does not depend on more.
func texts() *rapid.Generator[string] { return rapid.StringN(0, 6, -1) }

func times() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		ms := rapid.Int64Range(0, lastTime.UnixMilli()).Draw(t, "ms")
		if ms == 0 {
			return time.Time{}
		}
		return time.UnixMilli(ms).UTC()
	})
}

func durations() *rapid.Generator[time.Duration] {
	return rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(0, math.MaxInt64/1000).Draw(t, "µs")) * time.Microsecond
	})
}

func payloads() *rapid.Generator[history.Payload] {
	return rapid.Custom(func(t *rapid.T) history.Payload {
		if rapid.Bool().Draw(t, "in a blob") {
			return history.Payload{Blob: rapid.StringN(1, 9, -1).Draw(t, "blob"), Size: rapid.Uint64().Draw(t, "size")}
		}
		return history.Payload{Bytes: some(t, rapid.SliceOfN(rapid.Byte(), 0, 8), "bytes")}
	})
}

// some draws a slice that is nil when it is empty, as the codec reads it.
func some[E any](t *rapid.T, g *rapid.Generator[[]E], name string) []E {
	s := g.Draw(t, name)
	if len(s) == 0 {
		return nil
	}
	return s
}

// maybe draws a pointer that is nil half of the time.
func maybe[T any](t *rapid.T, g *rapid.Generator[T], name string) *T {
	if !rapid.Bool().Draw(t, "has "+name) {
		return nil
	}
	v := g.Draw(t, name)
	return &v
}

func failures(depth int) *rapid.Generator[history.Failure] {
	return rapid.Custom(func(t *rapid.T) history.Failure {
		f := history.Failure{
			Kind: texts().Draw(t, "kind"), Message: texts().Draw(t, "message"),
			Activity: texts().Draw(t, "activity"), Attempt: rapid.Uint32().Draw(t, "attempt"),
			Permanent: rapid.Bool().Draw(t, "permanent"), Instance: texts().Draw(t, "instance"), Stack: texts().Draw(t, "stack"),
		}
		if m := rapid.MapOfN(texts(), texts(), 0, 3).Draw(t, "properties"); len(m) > 0 {
			f.Properties = m
		}
		if depth > 0 {
			f.Causes = some(t, rapid.SliceOfN(failures(depth-1), 0, 2), "causes")
		}
		return f
	})
}

func policies() *rapid.Generator[history.Policy] {
	return rapid.Custom(func(t *rapid.T) history.Policy {
		return history.Policy{
			Attempts: rapid.Uint32().Draw(t, "attempts"), Initial: durations().Draw(t, "initial"),
			Factor: rapid.Float64().Draw(t, "factor"), Cap: durations().Draw(t, "cap"),
			NonRetryable: some(t, rapid.SliceOfN(texts(), 0, 4), "non-retryable"),
			Timeout:      durations().Draw(t, "timeout"), Queue: texts().Draw(t, "queue"),
			Deadline: durations().Draw(t, "deadline"), Heartbeat: durations().Draw(t, "heartbeat"), AtMostOnce: rapid.Bool().Draw(t, "at most once"), Async: rapid.Bool().Draw(t, "async"),
			Jitter: rapid.Float64().Draw(t, "jitter"),
		}
	})
}

func starts() *rapid.Generator[history.Start] {
	return rapid.Custom(func(t *rapid.T) history.Start {
		s := history.Start{
			Parent: maybe(t, rapid.Custom(func(t *rapid.T) history.Parent {
				return history.Parent{
					Instance: texts().Draw(t, "instance"), Incarnation: texts().Draw(t, "incarnation"),
					Generation: rapid.Uint64().Draw(t, "generation"), Op: texts().Draw(t, "op"), Epoch: rapid.Uint32().Draw(t, "epoch"),
				}
			}), "parent"),
			TraceParent: texts().Draw(t, "traceparent"), TraceState: texts().Draw(t, "tracestate"),
		}
		if custom := texts().Draw(t, "custom"); custom != "" {
			s.Custom = []byte(custom)
		}
		if rapid.Bool().Draw(t, "scheduled") {
			s.Due = times().Draw(t, "due")
		}
		if s.Spun = rapid.Uint64Max(9).Draw(t, "spun"); s.Spun > 0 {
			s.SpunSince = times().Draw(t, "since")
		}
		s.Carried = some(t, rapid.SliceOfN(texts(), 0, 3), "carried")
		s.Known = some(t, rapid.SliceOfN(rapid.Custom(func(t *rapid.T) history.Known {
			return history.Known{ID: texts().Draw(t, "id"), At: times().Draw(t, "at"), Last: rapid.Bool().Draw(t, "last")}
		}), 0, 3), "known")
		if tags := rapid.MapOfN(texts(), texts(), 0, 4).Draw(t, "tags"); len(tags) > 0 {
			s.Tags = tags
		}
		return s
	})
}

func events() *rapid.Generator[history.Event] {
	return rapid.Custom(func(t *rapid.T) history.Event {
		return history.Event{
			Kind: rapid.SampledFrom(written).Draw(t, "kind"), Op: texts().Draw(t, "op"),
			Epoch: rapid.Uint32().Draw(t, "epoch"), Attempt: rapid.Uint32().Draw(t, "attempt"),
			Name: texts().Draw(t, "name"), Version: rapid.Uint32().Draw(t, "version"),
			Data: payloads().Draw(t, "data"), At: times().Draw(t, "at"),
			MessageID: texts().Draw(t, "message id"), Reason: texts().Draw(t, "reason"),
			Build:   texts().Draw(t, "build"),
			Failure: maybe(t, failures(2), "failure"), Policy: maybe(t, policies(), "policy"), Start: maybe(t, starts(), "start"),
			Target: maybe(t, rapid.Custom(func(t *rapid.T) history.Target {
				return history.Target{Instance: texts().Draw(t, "target"), Incarnation: texts().Draw(t, "its incarnation")}
			}), "target"),
			Close: rapid.SampledFrom([]history.Close{history.Abandon, history.Terminate}).Draw(t, "close"), Recursive: rapid.Bool().Draw(t, "recursive"),
			Edit: rapid.SampledFrom([]history.Edit{history.EditNothing, history.EditResult, history.EditInput}).Draw(t, "edit"),
			Rewound: maybe(t, rapid.Custom(func(t *rapid.T) history.Rewound {
				return history.Rewound{From: rapid.Uint64().Draw(t, "from")}
			}), "rewound"),
		}
	})
}

func segments() *rapid.Generator[history.Segment] {
	return rapid.Custom(func(t *rapid.T) history.Segment {
		return history.Segment{
			Time: times().Draw(t, "time"), More: rapid.Bool().Draw(t, "more"), Released: rapid.Bool().Draw(t, "released"), Releases: rapid.Uint64().Draw(t, "releases"),
			Name: texts().Draw(t, "name"), Version: rapid.Uint32().Draw(t, "version"),
			Events: some(t, rapid.SliceOfN(events(), 0, 3), "events"),
		}
	})
}

func messages() *rapid.Generator[history.Message] {
	return rapid.Custom(func(t *rapid.T) history.Message {
		m := history.Message{
			ID: texts().Draw(t, "id"), Instance: rapid.StringMatching(`[a-zäöü世界][a-z 0-9@-]{0,9}`).Draw(t, "instance"),
			Incarnation: rapid.StringN(1, 9, -1).Draw(t, "incarnation"), Generation: rapid.Uint64().Draw(t, "generation"),
			Event: events().Draw(t, "event"), Attempt: rapid.Uint32().Draw(t, "attempt"),
			Sent: times().Draw(t, "sent"), Waiting: times().Draw(t, "waiting"),
			Replaces: maybe(t, rapid.Custom(func(t *rapid.T) history.Version {
				return history.Version{Incarnation: texts().Draw(t, "incarnation"),
					Generation: rapid.Uint64().Draw(t, "generation"), Number: rapid.Uint64().Draw(t, "number")}
			}), "replaces"),
			Number: rapid.Uint64().Draw(t, "number"), Redrives: rapid.Uint32().Draw(t, "redrives"),
			Pending: times().Draw(t, "pending"),
		}
		m.Event.MessageID = "call " + m.Event.MessageID // what a client's call sends has one
		return m
	})
}

// rows draws what a row's value holds: not its version and incarnation.
func rows() *rapid.Generator[history.Row] {
	return rapid.Custom(func(t *rapid.T) history.Row {
		r := history.Row{
			Instance: rapid.StringN(1, 9, -1).Draw(t, "instance"), Start: events().Draw(t, "start"),
			Status: history.Status(rapid.IntRange(1, 8).Draw(t, "status")),
			Custom: history.Payload{Bytes: some(t, rapid.SliceOfN(rapid.Byte(), 0, 8), "custom")},
			End:    maybe(t, events(), "end"), SuspendReason: texts().Draw(t, "reason"), Updated: times().Draw(t, "updated"),
		}
		r.Start.Kind = history.ExecutionStarted
		return r
	})
}
