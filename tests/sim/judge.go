package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// judge says of a made program whether what its nodes say they came to can be, by the public contract alone and what the history
// shows to have been asked for. Where a race decides, each way is allowed, but a way once taken has to be told of by all alike: who
// was given up must have had somebody to give it up, who was not asked for must not be in the history.
type judge struct {
	w *World
	l *life
	// asked is how often the history has a command or a step of each key; left is what no node has accounted for yet.
	asked map[string]int
	known map[string]bool
	// spare is what rewinds have kept, and may have been had without being asked for.
	spare map[string]int
	// events are the values that came and that no node has taken, came is when each did first, and late when nodes gave up waiting.
	events map[string]int
	came   map[string]int64
	late   map[string]int64
	undone []string
	ids    map[string]bool
	// settled is when the history had the outcome of each key's command.
	settled map[string]int64
	// timers is how many were asked for, less those that nodes account for.
	timers int
	// left: something was left to itself, whatever it does. held: not everything was seen when it came.
	left, held bool
	errs       []error
}

// wantMade checks a made program, of whatever generation it ended.
func wantMade(w *World, l *life) error {
	j := &judge{w: w, l: l, asked: map[string]int{}, spare: map[string]int{}, known: map[string]bool{}, events: map[string]int{},
		came: map[string]int64{}, late: map[string]int64{}, ids: map[string]bool{}, settled: map[string]int64{}}
	var in Made
	if err := json.Unmarshal(l.generations()[0].start.Data.Bytes, &in); err != nil {
		return err
	}
	for _, g := range l.generations() {
		for _, o := range g.ops {
			if o.dead {
				return nil // nobody can say what an activity comes to of which an attempt was lost
			}
		}
		j.read(g)
	}
	if l.end.Kind != history.ExecutionCompleted {
		return j.failed(in)
	}
	var out []*Played
	if err := json.Unmarshal(l.end.Data.Bytes, &out); err != nil {
		return err
	}
	if len(out) < len(in.Done) {
		return fmt.Errorf("it has lost what was done before it was started again")
	}
	out = out[len(in.Done):]
	parts := slices.DeleteFunc(slices.Clone(in.Parts), func(n Node) bool { return n.Do == "renew" })
	if len(out) != len(parts) {
		return fmt.Errorf("%d parts of %d were done", len(out), len(parts))
	}
	j.held = j.held || slices.ContainsFunc(in.Parts, func(n Node) bool { return n.Do == "renew" && n.Final })
	failed := false
	for i, o := range out {
		if j.ids[o.ID] || len(o.ID) != idPart {
			j.wrong(parts[i], o, "the id it drew is not new")
		}
		j.ids[o.ID] = true
		j.node(parts[i], o, nil)
		failed = failed || o.Err != ""
	}
	if failed && in.Fails {
		j.wrong(in.Parts[0], out[0], "it completed, and was to fail")
	}
	for _, key := range slices.Sorted(maps.Keys(j.asked)) {
		if !j.known[key] {
			j.errs = append(j.errs, fmt.Errorf("%s was asked for %d times, and nothing tells of it", key, j.asked[key]))
		}
	}
	return errors.Join(append(j.errs, j.ended()...)...)
}

// read counts what a generation has asked for, and what came.
func (j *judge) read(l *life) {
	j.recall(l)
	for n, seg := range l.segments {
		for i := range seg.Events {
			e := &seg.Events[i]
			switch e.Kind {
			case history.TaskScheduled, history.StepCompleted, history.StepFailed, history.TimerCreated, history.SubOrchestrationCreated, history.EventSent:
				if l.stands(e) {
					j.ask(l, e)
				}
			case history.ExecutionSuspended:
				j.held = true
			case history.EventRaised:
				key := strings.ToLower(e.Name) + " " + strings.TrimSpace(string(e.Data.Bytes))
				if l.prev == nil || !l.prev.carries(e.MessageID) {
					j.events[key]++
				}
				if _, again := j.came[key]; again {
					j.came[key] = 1 << 62 // which of them was taken does not show
				} else {
					j.came[key] = l.shown(n)
				}
			}
		}
	}
}

// ask counts what the code has asked for.
func (j *judge) ask(l *life, e *history.Event) {
	if e.Kind == history.TimerCreated {
		j.timers++
		return
	}
	key := j.key(e)
	if key == "" {
		return
	}
	j.asked[key]++
	if o := l.ops[e.Op]; e.Kind == history.TaskScheduled && o != nil && o.outcome != nil {
		j.settled[key] = l.shown(o.settled)
	}
	if e.Name == undo.Name() {
		j.undone = append(j.undone, key)
	}
}

// ended checks what the end of the code leaves: children that it was to wait for have ended, no timer runs that nobody waits for,
// and no event is left that somebody waited for.
func (j *judge) ended() (errs []error) {
	if j.timers > 0 {
		errs = append(errs, fmt.Errorf("%d timers were asked for that no node tells of", j.timers))
	}
	for key, n := range j.events {
		name, _, _ := strings.Cut(key, " ")
		if n > 0 && j.came[key] < j.late[name] && !j.left && !j.held {
			errs = append(errs, fmt.Errorf("%s came at %d, and nobody had it who waited up to %d", key, j.came[key], j.late[name]))
		}
	}
	for _, g := range j.l.generations() {
		for _, o := range g.ops {
			if o.command.Kind == history.TimerCreated && o.command.Op != history.StartOp && o.outcome == nil && !o.canceled && !j.left {
				errs = append(errs, fmt.Errorf("%s runs, and nobody waits for it", describeEvent(o.command)))
			}
		}
		for _, of := range g.children() {
			var in Made
			if json.Unmarshal(of.op.command.Data.Bytes, &in) == nil && of.op.outcome == nil && j.waits(in) {
				errs = append(errs, fmt.Errorf("it ended before %s had, which it was to wait for", of.op.command.Target.Instance))
			}
		}
	}
	return errs
}

// waits reports whether a child of that input is to be waited for in the end.
func (j *judge) waits(kid Made) bool {
	var in Made
	_ = json.Unmarshal(j.l.generations()[0].start.Data.Bytes, &in)
	var find func(nodes []Node) bool
	find = func(nodes []Node) bool {
		return slices.ContainsFunc(nodes, func(n Node) bool {
			if n.Do == "child" {
				return n.N == int(durable.WaitForChild) && n.Kids[0].Key == kid.Parts[0].Key
			}
			return find(n.Kids)
		})
	}
	return find(in.Parts)
}

func (j *judge) wrong(n Node, o *Played, format string, args ...any) {
	j.errs = append(j.errs, fmt.Errorf("%s %s, which came to %+v: %s", n.Do, n.Key, *o, fmt.Sprintf(format, args...)))
}

// times checks how often something was asked for.
func (j *judge) times(n Node, o *Played, key string, least, most int) {
	j.known[key] = true
	if got := j.asked[key]; got+j.spare[key] < least || got > most {
		j.wrong(n, o, "%s was asked for %d times, want %d to %d", key, got, least, most)
	}
}

// clocks accounts for the timers that a node may have asked for.
func (j *judge) clocks(n Node, o *Played) {
	switch {
	case o.Over != "":
	case n.Do == "http":
		j.timers -= n.N
		if n.Final {
			j.timers--
		}
	case n.Do == "sleep", n.Do == "wait", n.Do == "hear", (n.Do == "within" || n.Do == "flow") && n.For > 0:
		j.timers--
	case n.Do == "retry":
		j.timers -= len(o.Kids)
	}
}

// maybe is for what may have been done, or in part: nobody waited for it.
func (j *judge) maybe(n Node, o *Played) {
	if n.Do != "child" {
		for i, kid := range n.Kids {
			var k *Played
			if o != nil && i < len(o.Kids) {
				k = o.Kids[i]
			}
			j.maybe(kid, k)
		}
	}
	most := 1
	if o == nil || o.From == 0 {
		most, o = 0, &Played{}
	} else {
		j.left = true
		j.clocks(n, o)
	}
	for _, key := range n.keys(o) {
		j.times(n, o, key, 0, most)
	}
}

// given is the part of an error that comes from a scope that was over.
func given(kinds string) []string {
	return slices.DeleteFunc(strings.Split(kinds, "+"), func(k string) bool { return k != "timeout" && k != "canceled" })
}

// gaveUp reports whether the end of a scope is all that is wrong.
func (o *Played) gaveUp() bool { return o.Err == "timeout" || o.Err == "canceled" }

// node checks one node. The scope that it was in may be over for one of these causes before it came to its end.
func (j *judge) node(n Node, o *Played, causes []string) {
	if o.To == 0 {
		j.wrong(n, o, "it was waited for, and has not come to its end")
		return
	}
	if o.From >= o.To || o.At > o.Till {
		j.wrong(n, o, "it ended before it began")
	}
	for _, cause := range append(given(o.Err), given(o.Over)...) {
		if !slices.Contains(causes, cause) {
			j.wrong(n, o, "nobody gave it up for %s, but for %v", cause, causes)
		}
	}
	j.clocks(n, o)
	if strings.HasPrefix(o.Err, "unexpected") {
		j.wrong(n, o, "no such error is known")
	}
	switch {
	case n.Do == "retry":
		j.retried(n, o)
	case n.Do == "http":
		j.served(n, o)
	case n.Do == "flow":
		j.flowed(n, o)
	case n.Do == "changed":
		j.changed(n, o)
	case len(n.Kids) == 0:
		j.leaf(n, o)
	default:
		j.inner(n, o, causes)
	}
}
