package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Made programs that fail as long as something in them is broken, and are rewound until nothing is.

var errBroken = durable.ErrorKind("Broken")

var mended = &program{
	name: "mended", orchestration: "Made", want: wantMade, kin: true, rewound: true, event: made.event,
	input: func(r *rand.Rand, _ string) any {
		in := newMade(r)
		in.Frail = true
		for i := range in.Parts {
			in.Parts[i].wear(r)
		}
		return in
	},
}

// wear breaks some of the calls in a node.
func (n *Node) wear(r *rand.Rand) {
	if n.Do == "call" && n.job().result(attempts) != "" {
		n.Broken = pick[uint32](r, 0, 1, 1, 2)
	}
	for i := range n.Kids {
		n.Kids[i].wear(r)
	}
}

// breaks notes that the run has met what is broken: it is to fail, and to be rewound.
func (p *performer) breaks(n Node, err error) {
	var act *durable.ActivityError
	p.broken = p.broken || p.in.Frail && (n.Broken > 0 && errors.As(err, &act) || errors.Is(err, errBroken))
}

// mends is how often the instance was rewound that stands above a life and all that it was begun for: who is begun anew by a
// rewind has not been rewound itself.
func (c *check) mends(l *life) int {
	for up := c.parentOf(l); up != nil; up = c.parentOf(l) {
		l = up
	}
	return l.rewinds
}

// breaks reports whether an activity of a made program fails, which all of its attempts then do.
func (c *check) breaks(of opOf, j Job) bool {
	of.op.broke = of.op.broke || c.mends(of.life) < int(j.Broken)
	return of.op.broke
}

// unbegin has no step begun behind a cut.
func (l *life) unbegin(cut int) {
	maps.DeleteFunc(l.begun, func(_ string, n int) bool { return n >= cut })
}

// stands reports whether the code sees an event, or whether a rewind or a reset has done away with it.
func (l *life) stands(e *history.Event) bool {
	if l.rewinds == 0 {
		return true
	}
	o := l.ops[e.Op]
	return o != nil && (o.command == e || o.outcome == e)
}

// shown is when the code sees what came in a segment, in milliseconds: what came behind a cut comes again with the rewind.
func (l *life) shown(n int) int64 {
	at := l.segments[n].Time
	for _, seg := range l.segments[n:] {
		if (rewinds(seg) || resets(seg)) && int(seg.Events[0].Rewound.From) <= n {
			at = seg.Time
		}
	}
	return at.UnixMilli()
}

// recall counts what a rewind has kept: whoever asks for it again is not in the history.
func (j *judge) recall(l *life) {
	for name, o := range l.kept {
		if l.ops[name] == nil {
			j.spare[j.key(o.command)]++
		}
	}
}

// key names what a command asks for, as nodes do; "" is what has no name of its own.
func (j *judge) key(e *history.Event) string {
	var job Job
	switch e.Kind {
	case history.StepStarted, history.StepCompleted, history.StepFailed:
		if e.Name == inlined.Name() {
			return "" // whose record has no input
		}
		return e.Name
	case history.SubOrchestrationCreated:
		return e.Target.Instance
	case history.EventSent:
		if err := json.Unmarshal(e.Data.Bytes, &job.Key); err != nil {
			j.errs = append(j.errs, err)
		}
		return job.Key
	case history.TaskScheduled:
		if e.Name == "durable.http" {
			return requests(e.Data.Bytes)
		}
		if err := json.Unmarshal(e.Data.Bytes, &job); err != nil || job.Key == "" {
			j.errs = append(j.errs, fmt.Errorf("%s has an input that nobody gave: %w", describeEvent(e), err))
		}
	}
	return job.Key
}

// failed checks an end without a result. A root stays broken only where nobody could rewind it any more, and a child where
// nobody waited for it.
func (j *judge) failed(in Made) error {
	switch l := j.l; {
	case in.Fails && l.end.Failure.Kind == string(errMade):
		return nil // what it came to is lost
	case in.Frail && l.end.Failure.Kind == string(errBroken) && (l.parent != nil || l.sealed):
		for _, o := range l.ops {
			failed := o.outcome != nil && o.outcome.Failure != nil
			if failed && (o.broke || o.command.Kind == history.SubOrchestrationCreated && o.outcome.Failure.Kind == string(errBroken)) {
				return nil
			}
		}
		return errors.New("it says that something in it is broken, and nothing is")
	}
	return fmt.Errorf("it ended as %s: %+v", describeEvent(j.l.end), j.l.end.Failure)
}
