package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/internal/code"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// rest checks the hub when nothing happens any more.
func (w *World) rest() {
	if w.failure != nil {
		return
	}
	if q, dead := w.memory.Queues(), w.dead.Queues(); q.Total()+dead.Total() > 0 {
		w.fail("messages are left in the queues: %+v, and in the dead-letter queues: %+v", q, dead)
	}
	w.restingPurges()
	w.restingTable()
	w.restingList()
	for _, key := range slices.Sorted(maps.Keys(w.check.starts)) {
		s := w.check.starts[key]
		l := w.check.life(s.instance, s.incarnation)
		if s.told == accepted && l == nil {
			w.fail("%s#%s was accepted and never began", s.instance, shortIncarnation(s.incarnation))
		}
	}
	for _, l := range w.check.order {
		w.restingLife(l)
	}
}

// restingTable compares what is stored with what was put.
func (w *World) restingTable() {
	segments := 0
	for _, item := range w.memory.Items() {
		if isDue(item.Key) {
			w.fail("the due row %s is left", item.Sort)
		}
		if at, ok := segmentOf(item.Key); ok {
			segments++
			n, l := at.number, w.check.generation(shortPartition(item.Partition), at.incarnation, at.generation)
			gone := l != nil && w.check.purges(l.instance) && item.Owner == purged
			if l == nil || n >= len(l.raw) || !gone && !bytes.Equal(l.raw[n], item.Value) {
				w.fail("segment %s is not what was committed", short(item.Key))
			}
		}
		if row := decodeRow(item); row != nil {
			w.restingRow(row)
		}
	}
	if segments != w.check.segments {
		w.fail("%d segments are stored, %d were committed", segments, w.check.segments)
	}
}

// restingList compares what a client can read with the histories.
func (w *World) restingList() {
	c := client.New(store.New(store.Config{Backend: w.inner, Now: func() time.Time { return w.now }}))
	page, err := c.List(context.Background(), durable.Query{})
	if err != nil {
		w.fail("the instances cannot be listed: %v", err)
	}
	seen := map[string]bool{}
	for _, in := range page.Instances {
		l := w.check.life(in.ID, in.Incarnation)
		if l == nil || l.end == nil || seen[in.ID] || !in.Status.Ended() || l.end.Kind == history.ExecutionCompleted && !bytes.Equal(in.Output, l.end.Data.Bytes) {
			w.fail("%s is listed as %s with output %s", in.ID, in.Status, in.Output)
		}
		seen[in.ID] = true
	}
	for _, l := range w.check.order {
		if l.next != nil || l.refused() {
			continue
		}
		if row, _ := w.plain.Row(context.Background(), l.instance); row != nil && row.Purged {
			continue
		}
		if !seen[l.instance] {
			w.fail("%s is not listed", l)
		}
	}
}

// restingRow compares a status row with the history.
func (w *World) restingRow(row *history.Row) {
	l := w.check.life(row.Instance, row.Incarnation)
	switch {
	case row.Purged && l != nil && w.check.purges(l.instance) && l.sealed:
	case l == nil:
		w.fail("%s is %s and never began", row.Instance, statusNames[row.Status])
		return
	case row.Status != l.status() || row.End == nil || row.End.Kind != l.end.Kind || !bytes.Equal(row.Custom.Bytes, l.custom):
		w.fail("the row of %s is %s with status %s, its history shows %s with %s", l, statusNames[row.Status], row.Custom.Bytes,
			statusNames[l.status()], l.custom)
	case l.sealed && !w.plan.Loses: // else its client has sealed it and died, and the queue has lost the start
		w.fail("the row of %s shows a life that is sealed", l)
	}
	for _, other := range w.check.order {
		if other.instance == l.instance && other.next == nil && other != l && other.incarnation >= l.incarnation && !other.refused() {
			w.fail("the row of %s hides %s", l, other)
		}
	}
}

// restingLife checks what a life has come to.
func (w *World) restingLife(l *life) {
	if l.end == nil || l.renewed() && l.next == nil {
		w.fail("%s never ends", l)
		return
	}
	if l.restingFamily(w); l.terminated() || l.refused() {
		return
	}
	lost := false // an attempt, so that nobody can say what the activity comes to
	for _, name := range slices.Sorted(maps.Keys(l.ops)) {
		o := l.ops[name]
		missed := w.plan.Loses && (l.sealed || l.next != nil) || // what nobody waited for was lost, and the life went on before anybody looked
			o.outcome != nil && o.unrun(o.outcome) || o.outcome == nil && o.command.Policy != nil && o.command.Policy.Deadline > 0
		if o.command.Kind == history.TaskScheduled && o.runs == 0 && !o.given && !o.waiting && !o.dead && !missed {
			w.fail("%s never ran for %s", describeEvent(o.command), l)
		}
		lost = lost || o.dead
	}
	if l.next == nil {
		if err := l.task.program.want(w, l); err != nil && !lost {
			w.fail("%s (%s): %v", l, l.task.program.name, err)
		}
	}
	w.replays(l)
}

// replays runs the code of the last build over the history, which must say the same again.
func (w *World) replays(l *life) {
	run := w.code(l.start.Name, l.start.Version)
	segments := l.segments
	if l.sealed {
		segments = segments[:len(segments)-1]
	}
	opt := replay.Options{Instance: l.instance, Incarnation: l.incarnation, Generation: uint64(l.generation), Inputs: replay.CheckStrict}
	t := replay.Open(run, segments, opt)
	d := t.Deliver(nil, segments[len(segments)-1].Time)
	t.Close()
	if d.Err != nil || !d.Ended || len(d.Commands)+len(d.Steps) > 0 {
		w.fail("%s replays to something else: ended %v, %d commands, %d steps, %v", l, d.Ended, len(d.Commands), len(d.Steps), d.Err)
		return
	}
	if slices.ContainsFunc(segments, func(s *history.Segment) bool {
		return slices.ContainsFunc(s.Events, func(e history.Event) bool { return e.Kind == history.ExecutionSuspended })
	}) {
		w.replaysTurn(l, segments, lastTurn(segments), len(segments), run, opt) // others ran another build's code, or were interrupted
		return
	}
	if strings.Contains(string(l.start.Data.Bytes), `"Do":"changed"`) {
		return // the last build takes the new side of what an earlier one has passed
	}
	for first := 0; first < len(segments); {
		next := first + 1
		for next < len(segments) && segments[next-1].More {
			next++
		}
		w.replaysTurn(l, segments, first, next, run, opt)
		first = next
	}
}

// lastTurn is where the last turn begins.
func lastTurn(segments []*history.Segment) int {
	first := len(segments) - 1
	for first > 0 && segments[first-1].More {
		first--
	}
	return first
}

// replaysTurn runs a turn again from its inputs, after a replay of all before it: it must ask for the same, and end the
// same. Most turns ran on a warm copy, so this is what shows that such a copy does nothing else than a replay.
func (w *World) replaysTurn(l *life, segments []*history.Segment, first, next int, run replay.Code, opt replay.Options) {
	var inputs []history.Event
	var want []string
	if rewinds(segments[first]) || resets(segments[first]) {
		first++ // its turn is run over it
	}
	for _, seg := range segments[first:next] {
		for _, e := range seg.Events {
			switch {
			case e.Kind == history.StepStarted || e.Kind == history.StepCompleted || e.Kind == history.StepFailed:
				return // whose outcome came in the middle
			case e.Kind == history.ExecutionTerminated:
				return // and what the code had asked for was not wanted any more
			case e.Kind.IsInput():
				inputs = append(inputs, e)
			default:
				want = append(want, inFull(e))
			}
		}
	}
	t := replay.Open(run, segments[:first], opt)
	d := t.Deliver(inputs, segments[first].Time)
	t.Close()
	if d.Err != nil || len(d.Commands) != len(want) {
		w.fail("turn %d of %s runs otherwise: %d commands instead of %d, %v", first, l, len(d.Commands), len(want), d.Err)
		return
	}
	for i := range want {
		if got := inFull(d.Commands[i]); got != want[i] {
			w.fail("turn %d of %s runs otherwise: %s instead of %s", first, l, got, want[i])
		}
	}
}

// inFull is an event as text, wherever its payload is.
func inFull(e history.Event) string {
	e.Data.Blob, e.Data.Size = "", 0
	if e.Target != nil { // the life of a child gets its name with the segment
		e.Target = &history.Target{Instance: e.Target.Instance}
	}
	b, err := json.Marshal(e)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// code is the body of an orchestration in the last build.
func (w *World) code(name string, version uint32) replay.Code {
	a := &actor{w: w, name: "replay", build: lastBuild}
	for _, h := range w.handlers(a) {
		if h.Kind == code.Orchestration && h.Name == name && h.Version == version {
			return h.Run
		}
	}
	panic(fmt.Sprintf("sim: no orchestration %s", name))
}
