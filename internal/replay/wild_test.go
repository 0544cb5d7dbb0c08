package replay_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
	"pgregory.net/rapid"
)

// survives runs code over any history at all, and fails when it panics or does not come back.
func survives(t rapid.TB, program []statement, past []*history.Segment, inputs []history.Event) {
	t.Helper()
	back := make(chan struct{})
	go func() {
		defer close(back)
		r := replay.Open(new(machine).code(program), past, replay.Options{Inputs: replay.CheckStrict})
		defer r.Close()
		for _, in := range [][]history.Event{nil, inputs, {{Kind: history.ExecutionResumed}}} {
			d := r.Deliver(in, epoch)
			if d.Err != nil {
				if d.Err.Error() == "" || strings.Contains(d.Err.Error(), "panicked") {
					t.Errorf("the error is %q", d.Err)
				}
				return
			}
			if d.Consumed > len(in) || d.Ended {
				return
			}
		}
	}()
	select {
	case <-back:
	case <-time.After(20 * time.Second):
		t.Fatalf("it does not come back: %v", program)
	}
}

func drawWildEvent(t *rapid.T) history.Event {
	e := history.Event{
		Kind: history.Kind(rapid.IntRange(1, 47).Draw(t, "kind")),
		Op:   rapid.SampledFrom([]string{"", "0", "0", "1", "1", "2", "0.0", "0.1", "1.0", "x", "0#canceled", "-1", "99999999999999999999"}).Draw(t, "op"),
		Name: rapid.SampledFrom([]string{"", "a", "b", "s", "E", "P"}).Draw(t, "name"),
	}
	if rapid.Bool().Draw(t, "known") {
		e.Kind = rapid.SampledFrom([]history.Kind{history.ExecutionStarted, history.TaskScheduled, history.TaskCompleted, history.TimerCreated,
			history.TimerFired, history.TimerCanceled, history.EventRaised, history.StepCompleted, history.ExecutionSuspended,
			history.ExecutionResumed, history.ExecutionTerminated, history.ExecutionCompleted}).Draw(t, "kind")
	}
	if rapid.Bool().Draw(t, "external") {
		e.MessageID = "m"
	}
	if e.Kind == history.TaskFailed {
		e.Failure = &history.Failure{Message: "no"}
	}
	return e
}

func TestAnyHistoryIsSurvived(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var past []*history.Segment
		for range rapid.IntRange(0, 5).Draw(t, "segments") {
			past = append(past, &history.Segment{
				Time:   epoch.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "time")) * time.Second),
				More:   rapid.Bool().Draw(t, "more"),
				Events: rapid.SliceOfN(rapid.Custom(drawWildEvent), 0, 6).Draw(t, "events"),
			})
		}
		survives(t, drawProgram(t, 2, 1), past, rapid.SliceOfN(rapid.Custom(drawWildEvent), 0, 4).Draw(t, "inputs"))
	})
}

// A history of one program under the code of another is caught, not crashed on.
func TestAnotherProgramIsSurvived(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ref := drawReference(t)
		survives(t, drawProgram(t, 2, 1), ref.past(len(ref.turns)), nil)
	})
}

func FuzzOpen(f *testing.F) {
	references := rapid.Custom(drawReference)
	var programs [][]statement
	for seed := range 16 {
		ref := references.Example(seed)
		programs = append(programs, ref.program)
		b := []byte{byte(seed)}
		for _, s := range ref.past(len(ref.turns)) {
			enc := s.Encode()
			b = append(binary.AppendUvarint(b, uint64(len(enc))), enc...)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		program := programs[int(b[0])%len(programs)]
		var past []*history.Segment
		for b = b[1:]; len(b) > 0; {
			n, k := binary.Uvarint(b)
			if k <= 0 || n > uint64(len(b)-k) {
				return
			}
			s, err := history.DecodeSegment(b[k : k+int(n)])
			if err != nil {
				return
			}
			past, b = append(past, s), b[k+int(n):]
		}
		survives(t, program, past, nil)
	})
}
