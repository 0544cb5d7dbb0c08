package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// Kin is the input of a child.
type Kin struct {
	Key, Does string
	Parent    string
	// Nonce is that of the parent's input.
	Nonce uint32
}

var (
	familyOrch  = durable.NewOrchestration[Plain, string]("Family")
	orphansOrch = durable.NewOrchestration[Plain, string]("Orphans")
	kinOrch     = durable.NewOrchestration[Kin, string]("Kin")
	note        = durable.NewEvent[string]("Note")
	errKin      = durable.ErrorKind("Kin")
)

const (
	// kinStays is how long a child sleeps that is there to be abandoned or terminated, and kinListens how long one waits for a note.
	kinStays   = 30 * time.Hour
	kinListens = 50 * time.Hour
	notes      = 3
)

// kin is a child's code.
func kin(ctx durable.Context, in Kin) (string, error) {
	switch in.Does {
	case "fail":
		return "", fmt.Errorf("%s fails: %w", in.Key, errKin)
	case "again":
		in.Does = "work"
		return "", kinOrch.ContinueAsNew(ctx, in)
	case "nest":
		return kinOrch.Call(ctx, Kin{Key: in.Key, Does: "work"})
	case "own":
		_, err := kinOrch.Call(ctx, Kin{Key: "f", Does: "work"}, durable.ID(ctx.InstanceID()+"-f"))
		return "", err
	case "stay":
		return in.Key, durable.Sleep(ctx, kinStays)
	case "listen":
		return listen(ctx, in)
	}
	return work.Call(ctx, Job{Key: in.Key, Fails: 1, Size: history.InlinePayload / 2 * len(in.Key)})
}

// listen tells the parent that it is there, and collects what the parent sends.
func listen(ctx durable.Context, in Kin) (string, error) {
	if err := note.Send(ctx, in.Parent, fmt.Sprintf("%d here", in.Nonce)); err != nil {
		return "", err
	}
	var got []string
	for len(got) < notes {
		v, err := note.Within(ctx, kinListens)
		if err != nil {
			got = append(got, "late")
			break
		}
		if of, what, _ := strings.Cut(v, " "); of == fmt.Sprint(in.Nonce) {
			got = append(got, what)
		}
	}
	slices.Sort(got)
	return strings.Join(got, ","), nil
}

// family has children of every kind: with ids of their own and without, that fail, continue as new, have children themselves, stay
// when it has ended, and one that it exchanges events with.
func family(ctx durable.Context, in Plain) (string, error) {
	ear := in.Instance + "-ear"
	calls := []*durable.Child[string]{
		kinOrch.Start(ctx, Kin{Key: "l", Does: "listen", Parent: in.Instance, Nonce: in.Nonce}, durable.ID(ear)),
		kinOrch.Start(ctx, Kin{Key: strings.Repeat("w", in.N), Does: "work"}),
		kinOrch.Start(ctx, Kin{Key: "f", Does: "fail"}, durable.ID(in.Instance+"-f")),
	}
	kinOrch.Start(ctx, Kin{Key: "s", Does: "stay"}, durable.ID(in.Instance+"-s"), durable.ParentClose(in.N%3))
	for until := ctx.Now().Add(2 * time.Hour); ; {
		v, err := note.Within(ctx, until.Sub(ctx.Now()))
		if err != nil || v == fmt.Sprintf("%d here", in.Nonce) {
			break
		}
	}
	for i := range notes {
		if err := note.Send(ctx, ear, fmt.Sprint(in.Nonce, " ", i)); err != nil {
			return "", err
		}
		if i == 1 {
			_, _ = work.Call(ctx, Job{Key: "between"})
		}
	}
	calls = append(calls, kinOrch.Start(ctx, Kin{Key: "a", Does: "again"}), kinOrch.Start(ctx, Kin{Key: "n", Does: "nest"}))
	var out []string
	for _, c := range calls {
		v, err := c.Await()
		var failed *durable.OrchestrationError
		if err != nil && !errors.As(err, &failed) {
			return "", err
		}
		if failed != nil {
			v = string(failed.Kind)
		}
		out = append(out, v)
	}
	if in.N == 4 {
		in.N, in.Nonce = 1, in.Nonce+1 // notes of before are not for it
		return "", familyOrch.ContinueAsNew(ctx, in)
	}
	return strings.Join(out, " "), nil
}

// orphans has children that it does not wait for, and ends with whichever message comes next.
func orphans(ctx durable.Context, in Plain) (string, error) {
	first, second := work.Start(ctx, Job{Key: "a"}), work.Start(ctx, Job{Key: "b"})
	durable.First(ctx, first, second)
	for i := range in.N {
		kinOrch.Start(ctx, Kin{Key: fmt.Sprint("o", i), Does: "work"}, durable.ParentClose(i%2))
	}
	a, _ := first.Await()
	b, _ := second.Await()
	return a + b, nil
}

func wantOrphans(_ *World, l *life) error { return l.wantOutput("ab") }

func familyInput(r *rand.Rand, instance string) any {
	return Plain{Instance: instance, N: 1 + r.IntN(4), Nonce: r.Uint32()}
}

// wantFamily: it returns what its children have come to.
func wantFamily(_ *World, l *life) error {
	var want []string
	for _, at := range l.children() {
		if at.op.command.Name != kinOrch.Name() || strings.HasSuffix(at.op.command.Target.Instance, "-s") {
			continue
		}
		e := at.op.outcome
		switch {
		case e == nil:
			return fmt.Errorf("%s has no outcome", describeEvent(at.op.command))
		case e.Failure != nil:
			want = append(want, e.Failure.Kind)
		default:
			var v string
			if err := json.Unmarshal(e.Data.Bytes, &v); err != nil {
				return err
			}
			want = append(want, v)
		}
	}
	return l.wantOutput(strings.Join(want, " "))
}

// wantKin: a child does what its input says.
func wantKin(w *World, l *life) error {
	var in Kin
	if err := json.Unmarshal(l.start.Data.Bytes, &in); err != nil {
		return err
	}
	switch in.Does {
	case "fail":
		if l.end.Kind != history.ExecutionFailed || l.end.Failure.Kind != string(errKin) {
			return fmt.Errorf("it ended as %s", describeEvent(l.end))
		}
		return nil
	case "own":
		if l.end.Kind != history.ExecutionFailed || l.end.Failure.Kind != string(durable.InstanceExists) {
			return fmt.Errorf("it ended as %s", describeEvent(l.end))
		}
		return nil
	case "stay":
		return l.wantOutput(in.Key)
	case "nest":
		if at := l.children()[0].op.outcome; at == nil || at.Failure != nil {
			return nil // as the child's own want says
		}
		return l.wantOutput((Job{Key: in.Key, Size: history.InlinePayload / 2}).result(attempts))
	case "listen":
		if err := l.wantOutput("0,1,2"); err != nil && w.check.parentOf(l).attentive(l.segments[0].Time.Add(kinListens-longestStall)) && !w.plan.Loses {
			return err
		}
		return nil
	}
	return l.wantOutput((Job{Key: in.Key, Size: history.InlinePayload / 2 * len(in.Key)}).result(attempts))
}

// attentive reports whether a parent has heard the child, and then sent all that it would, before a time.
func (l *life) attentive(until time.Time) bool {
	if l == nil || l.end == nil || l.terminated() {
		return false
	}
	for _, seg := range l.segments {
		if seg.Time.After(until) && slices.ContainsFunc(seg.Events, func(e history.Event) bool { return e.Kind == history.EventSent }) {
			return false
		}
		if slices.ContainsFunc(seg.Events, func(e history.Event) bool {
			return e.Kind == history.ExecutionSuspended || e.Kind == history.TimerFired
		}) {
			return false
		}
	}
	return true
}

// children are the operations that ask for them, in order.
func (l *life) children() []opOf {
	var out []opOf
	for _, o := range l.ops {
		if o.command.Kind == history.SubOrchestrationCreated {
			out = append(out, opOf{l, o})
		}
	}
	slices.SortFunc(out, func(a, b opOf) int { return history.CompareOps(a.op.command.Op, b.op.command.Op) })
	return out
}

// kid is the program of a child.
func kid(m *history.Message) *program {
	if m.Event.Name == frailOrch.Name() {
		return &program{name: "frail kid", orchestration: m.Event.Name, event: goEvent, want: wantFrailKid}
	}
	if m.Event.Name == madeOrch.Name() {
		return &program{name: "made kid", orchestration: m.Event.Name, event: made.event, want: wantMade}
	}
	return kinProgram
}

// kinProgram is that of the lives that an orchestration has asked for.
var kinProgram = &program{name: "kin", orchestration: "Kin", want: wantKin}

// parentOf is the generation that asked for a child; nil when the life is none.
func (c *check) parentOf(l *life) *life {
	p := l.parent
	if p == nil {
		return nil
	}
	return c.generation(p.Instance, p.Incarnation, int(p.Generation))
}

// refused reports whether it is the life of a child whose id was taken.
func (l *life) refused() bool { return l.end != nil && l.end.Kind == history.StartRefused }

// askedFor checks the start of a child: a history has asked for it, with that input.
func (c *check) askedFor(a *actor, m *history.Message) {
	p := m.Event.Start.Parent
	of, ok := c.ops[store.OperationID(p.Instance, p.Incarnation, p.Generation, p.Op, p.Epoch)]
	if !ok || of.op.command.Kind != history.SubOrchestrationCreated || of.op.command.Target.Instance != m.Instance || of.op.command.Target.Incarnation != m.Incarnation {
		c.w.fail("%s starts %s for %s, which has not asked for it", a, m.Instance, p.Instance)
		return
	}
	of.op.sent++
	if data := m.Event.Data; c.w.plain.Hydrate(context.Background(), &data) != nil || string(data.Bytes) != string(of.op.command.Data.Bytes) {
		c.w.fail("%s starts %s with another input than %s asked for", a, m.Instance, of.life)
	}
}

// came checks an outcome of a child: it is what its life has come to.
func (c *check) came(a *actor, l *life, e *history.Event) {
	target := l.ops[e.Op].command.Target
	child := c.life(target.Instance, target.Incarnation)
	if child == nil || child.end == nil || child.renewed() {
		c.w.fail("%s has %s consume %s, and the child has not come to that", a, l, describeEvent(e))
		return
	}
	end := child.end
	ok := false
	switch end.Kind {
	case history.ExecutionCompleted:
		ok = e.Kind == history.SubOrchestrationCompleted && string(e.Data.Bytes) == string(end.Data.Bytes)
	case history.ExecutionFailed, history.StartRefused:
		ok = e.Failure != nil && e.Failure.Kind == end.Failure.Kind && e.Failure.Message == end.Failure.Message
	case history.ExecutionTerminated:
		ok = e.Failure != nil && e.Failure.Kind == string(durable.InstanceTerminated)
	}
	if !ok {
		c.w.fail("%s has %s consume %s; its child has ended as %s", a, l, describeEvent(e), describeEvent(end))
	}
}

// told notes that a child's outcome is on its way.
func (c *check) toldParent(a *actor, m *history.Message) {
	of, ok := c.ops[m.ID]
	if !ok || of.op.command.Kind != history.SubOrchestrationCreated || of.op.command.Op != m.Event.Op {
		c.w.fail("%s sends %s to %s, which has not asked for it", a, describeEvent(&m.Event), m.Instance)
		return
	}
	of.op.reported = true
}

// parted checks what terminates a child: its parent has ended, and wants that. Or what rewinds it: its parent was rewound.
func (c *check) parted(a *actor, m *history.Message) {
	p := m.Event.Start.Parent
	of, ok := c.ops[store.OperationID(p.Instance, p.Incarnation, p.Generation, p.Op, p.Epoch)]
	if m.Event.Kind == history.ExecutionRewound {
		if !ok || !of.op.goesOn || of.op.command.Target.Incarnation != m.Incarnation {
			c.w.fail("%s rewinds %s, and its parent does not want it", a, m.Instance)
			return
		}
		of.op.urged++
		return
	}
	if ok && of.op.ending && of.op.command.Target.Incarnation == m.Incarnation {
		of.op.parted++ // by a reset
		return
	}
	if !ok || of.life.end == nil || of.op.command.Close != history.Terminate && !of.life.end.Recursive || of.op.command.Target.Incarnation != m.Incarnation {
		c.w.fail("%s terminates %s, and its parent does not want it", a, m.Instance)
		return
	}
	of.op.parted++
}

// unwanted reports whether an operation asks for a child that is to end with its parent.
func (l *life) unwanted(o *op) bool {
	return l.end != nil && o.outcome == nil && (o.command.Close == history.Terminate || l.end.Recursive)
}

// untold is what the end of a life owes its parent, or its children.
func (l *life) untold(c *check) string {
	if l.end.Kind != history.ContinuedAsNew && c.parentOf(l) != nil {
		p := l.parent
		if of := c.ops[store.OperationID(p.Instance, p.Incarnation, p.Generation, p.Op, p.Epoch)]; of.op != nil && !of.op.reported {
			return "what it has come to, for its parent,"
		}
	}
	for _, of := range l.children() {
		if l.unwanted(of.op) && of.op.parted == 0 {
			return "the end of the child " + of.op.command.Target.Instance
		}
	}
	return ""
}

// restingFamily checks that children have gone with parents that wanted it.
func (l *life) restingFamily(w *World) {
	for _, of := range l.children() {
		t := of.op.command.Target
		child := w.check.life(t.Instance, t.Incarnation)
		switch {
		case l.start.Name == madeOrch.Name(): // whose children end soon, and whose workers stand still for longer
		case !l.unwanted(of.op) || child == nil || child.refused() || child.end == nil || child.terminated():
		case w.plan.Loses && child.segments[0].Time.After(l.segments[l.ended].Time.Add(time.Hour)): // its start was lost, and sent again with the terminate, which it may outrun
		case child.segments[child.ended].Time.After(l.segments[l.ended].Time.Add(20 * time.Hour)):
			w.fail("%s goes on when %s has ended, and was to end with it", child, l)
		}
	}
}
