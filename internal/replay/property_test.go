package replay_test

import (
	"slices"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// same fails unless a run gave what the reference gave.
func same(t *rapid.T, ref *reference, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s of %v (-want +got):\n%s", what, ref.program, diff)
	}
}

// goOn opens the first n turns of a reference and delivers all others to the same turn, for as long as the code runs.
func goOn(t *rapid.T, ref *reference, n int, parks bool) {
	t.Helper()
	m := new(machine)
	past := ref.past(n)
	r := replay.Open(m.code(ref.program), past, replay.Options{Inputs: replay.CheckStrict})
	if parks {
		r.ParkAlways()
	}
	for i := n; i < len(ref.script); i++ {
		if ref.script[i].keep && i > n || i == n && ref.script[i].keep {
			// A worker keeps nothing warm over this.
			r.Close()
			past = append(past[:len(past):len(past)], ref.turns[i]...)
			m = new(machine)
			r = replay.Open(m.code(ref.program), past, replay.Options{Inputs: replay.CheckStrict})
			continue
		}
		got, err := perform(r, ref.script[i])
		if err != nil {
			t.Fatalf("turn %d of %v: %v", i, ref.program, err)
		}
		past = append(past[:len(past):len(past)], got...)
		same(t, ref, "a turn", flat(got), flat(ref.turns[i]))
	}
	if d := r.Deliver(nil, past[len(past)-1].Time); d.Err != nil || len(d.Commands) > 0 || len(d.Steps) > 0 {
		t.Fatalf("after the last turn of %v the code goes on: %+v", ref.program, d)
	}
	r.Close()
	same(t, ref, "the trace", m.trace, ref.trace)
}

func TestOneTurnKeptWarmIsTheSameAsReplays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		goOn(t, drawReference(t), 0, false)
	})
}

func TestEveryPrefixOfAHistoryGoesOnTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ref := drawReference(t)
		for n := range len(ref.turns) + 1 {
			goOn(t, ref, n, false)
		}
	})
}

// What a waiting coroutine is fed without a switch must not change who runs when.
func TestFeedingWithoutASwitchKeepsTheOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ref := drawReference(t)
		goOn(t, ref, 0, true)
		goOn(t, ref, len(ref.turns), true)
	})
}

// rechunk draws other boundaries for a history: turns are cut in pieces, and turns that nothing lies between are one.
func rechunk(t *rapid.T, ref *reference) []*history.Segment {
	var out []*history.Segment
	for i, segments := range ref.turns {
		joins := i > 0 && rapid.Bool().Draw(t, "join") && !ref.script[i].keep && !ref.script[i-1].keep &&
			len(ref.turns[i-1]) == 1 && len(segments) == 1 && segments[0].Time.Equal(out[len(out)-1].Time)
		if joins {
			last := *out[len(out)-1]
			last.Events = slices.Concat(last.Events, segments[0].Events)
			out[len(out)-1] = &last
			continue
		}
		for _, s := range segments {
			if ref.script[i].keep {
				out = append(out, s)
				continue
			}
			out = append(out, pieces(t, s)...)
		}
	}
	return out
}

// pieces cuts a segment: all but the last say that there is more.
func pieces(t *rapid.T, s *history.Segment) []*history.Segment {
	var out []*history.Segment
	rest := s.Events
	for len(rest) > 0 && rapid.Bool().Draw(t, "cut") {
		n := rapid.IntRange(0, len(rest)).Draw(t, "at")
		out = append(out, &history.Segment{Time: s.Time, More: true, Events: rest[:n]})
		rest = rest[n:]
	}
	return append(out, &history.Segment{Time: s.Time, More: s.More, Events: rest})
}

func TestBoundariesOfSegmentsDoNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ref := drawReference(t)
		past := rechunk(t, ref)
		m := new(machine)
		r := replay.Open(m.code(ref.program), past, replay.Options{Inputs: replay.CheckStrict})
		d := r.Deliver(nil, past[len(past)-1].Time)
		r.Close()
		if d.Err != nil || len(d.Commands) > 0 || len(d.Steps) > 0 {
			t.Fatalf("%v over %d segments: %+v", ref.program, len(past), d)
		}
		same(t, ref, "the trace", m.trace, ref.trace)
	})
}

// A worker may be lost between any two segments of a turn: another one asks for the rest, and just that.
func TestAnUnfinishedTurnIsFinishedTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ref := drawReference(t)
		i := rapid.IntRange(0, len(ref.turns)-1).Draw(t, "turn")
		k := rapid.IntRange(0, len(ref.turns[i])-1).Draw(t, "segment")
		if ref.script[i].keep {
			return
		}
		for cut := inputsOf(ref.turns[i][k].Events); cut <= len(ref.turns[i][k].Events); cut++ {
			resume(t, ref, i, k, cut)
		}
	})
}

// resume loses the worker after the first events of one segment of a turn.
func resume(t *rapid.T, ref *reference, i, k, cut int) {
	t.Helper()
	s := ref.turns[i][k]
	if cut > 0 && cut < len(s.Events) && isStep(s.Events[cut-1]) {
		return // steps that run together are not cut apart here
	}
	if slices.ContainsFunc(s.Events[cut:], func(e history.Event) bool { return e.Kind == history.ChangeMarked }) {
		return // a worker commits marks with what comes before them, and first
	}
	past := append(ref.past(i), ref.turns[i][:k]...)
	past = append(past, &history.Segment{Time: s.Time, More: true, Events: s.Events[:cut:cut]})
	var inputs []history.Event
	if cut%2 == 1 && !hasSuspension(ref, i) { // or another build cannot go on with it, and this one is resumed
		past = append(past, &history.Segment{Time: s.Time, Events: []history.Event{{Kind: history.ExecutionSuspended}}})
		inputs = []history.Event{{Kind: history.ExecutionResumed}}
	}
	r := replay.Open(new(machine).code(ref.program), past, replay.Options{Inputs: replay.CheckStrict})
	defer r.Close()
	at := s.Time
	if cut == len(s.Events) && k+1 < len(ref.turns[i]) {
		at = ref.turns[i][k+1].Time
	}
	got, err := follow(r, r.Deliver(inputs, at), nil, at, ref.script[i].pause)
	if err != nil {
		t.Fatalf("turn %d of %v, finished from event %d of segment %d: %v", i, ref.program, cut, k, err)
	}
	want := append([]*history.Segment{{Events: s.Events[cut:]}}, ref.turns[i][k+1:]...)
	same(t, ref, "the rest of a turn", flat(got), flat(want))
}

// hasSuspension reports whether somebody has suspended the instance up to a turn: a resume would end that as well.
func hasSuspension(ref *reference, i int) bool {
	for _, s := range ref.past(i + 1) {
		if slices.ContainsFunc(s.Events, func(e history.Event) bool { return e.Kind == history.ExecutionSuspended }) {
			return true
		}
	}
	return false
}

func isStep(e history.Event) bool {
	return e.Kind == history.StepCompleted || e.Kind == history.StepFailed
}

// inputsOf counts the messages at the beginning of a segment: they are never cut.
func inputsOf(events []history.Event) int {
	n := slices.IndexFunc(events, func(e history.Event) bool { return !e.Kind.IsInput() || isStep(e) })
	if n < 0 {
		return len(events)
	}
	return n
}
