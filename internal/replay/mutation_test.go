package replay_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
	"pgregory.net/rapid"
)

// mutate changes one statement of a program: its name, its place, or whether it is there at all.
func mutate(t *rapid.T, program []statement) []statement {
	out := slices.Clone(program)
	i := rapid.IntRange(0, len(out)-1).Draw(t, "statement")
	if len(out[i].Body) > 0 && rapid.IntRange(0, 3).Draw(t, "inside") > 0 {
		out[i].Body = mutate(t, out[i].Body)
		return out
	}
	switch rapid.SampledFrom([]string{"rename", "drop", "insert", "move"}).Draw(t, "mutation") {
	case "rename":
		if out[i].Name != "" {
			out[i].Name += "x"
		}
	case "drop":
		out = slices.Delete(out, i, i+1)
	case "insert":
		out = slices.Insert(out, i, drawStatement(t, 0))
	case "move":
		s := out[i]
		out = slices.Insert(slices.Delete(out, i, i+1), rapid.IntRange(0, len(program)-1).Draw(t, "to"), s)
	}
	return out
}

// comparable is what a turn committed, without what replay does not compare: the custom status, marks of changes, of which
// failure the code ended, and whether a command came before a step of the same turn had its outcome.
func comparable(segments []*history.Segment) []string {
	var out []string
	for _, s := range segments {
		for _, e := range s.Events {
			switch e.Kind {
			case history.CustomStatusSet, history.ChangeMarked:
			case history.ExecutionFailed:
				out = append(out, "the end")
			default:
				out = append(out, line(&e))
			}
		}
	}
	slices.Sort(out)
	return out
}

// differs runs a mutant through the script of a reference, as if nothing were recorded, and reports whether it does
// anything else.
func differs(ref *reference, program []statement) bool {
	r := replay.Open(new(machine).code(program), nil, replay.Options{})
	defer func() { r.Close() }()
	for i, tr := range ref.script {
		if tr.keep {
			r.Close()
			r = replay.Open(new(machine).code(program), ref.past(i+1), replay.Options{Inputs: replay.CheckStrict})
			continue
		}
		got, err := perform(r, tr)
		if err != nil || !slices.Equal(comparable(got), comparable(ref.turns[i])) {
			return true
		}
	}
	return false
}

// lastRound reports whether a mutant may differ in steps that the end of the instance has overtaken: no history shows them.
func lastRound(ref *reference, mutant []statement) bool {
	last := ref.turns[len(ref.turns)-1]
	ended := slices.ContainsFunc(last[len(last)-1].Events, func(e history.Event) bool {
		return e.Kind == history.ExecutionCompleted || e.Kind == history.ExecutionFailed
	})
	return ended && strings.Contains(fmt.Sprint(mutant), "step")
}

func TestReplayCatchesJustWhatTheCodeDoesOtherwise(t *testing.T) {
	t.Parallel()
	caught := 0
	rapid.Check(t, func(t *rapid.T) {
		ref := drawReference(t)
		mutant := mutate(t, ref.program)
		past := ref.past(len(ref.turns))
		r := replay.Open(new(machine).code(mutant), past, replay.Options{Inputs: replay.CheckStrict})
		d := r.Deliver(nil, past[len(past)-1].Time)
		r.Close()
		var m *replay.Mismatch
		if d.Err != nil && !errors.As(d.Err, &m) {
			t.Fatalf("%v is no mismatch", d.Err)
		}
		if want := differs(ref, mutant); want != (d.Err != nil) && !(want && lastRound(ref, mutant)) {
			t.Fatalf("the code %v differs: %v\nthe mutant %v gives %v\nhistory:\n%s", ref.program, want, mutant, d.Err, strings.Join(flat(past), "\n"))
		}
		if m == nil {
			return
		}
		caught++
		if m.Recorded != nil && m.Number == 0 || m.Source != "" && !strings.Contains(m.Source, "program_test.go:") || !strings.Contains(m.Error(), m.Asked) {
			t.Fatalf("the mismatch does not say where: %+v", m)
		}
		if strings.Contains(m.Asked, "asked for") && m.Source == "" && m.Recorded != nil && !m.Recorded.Kind.IsInput() {
			t.Fatalf("the mismatch has no line: %+v", m)
		}
	})
	if caught == 0 {
		t.Error("no mutant was caught: this test sees nothing")
	}
}
