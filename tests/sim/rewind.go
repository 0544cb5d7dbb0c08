package sim

import (
	"bytes"
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

// What a rewind does is folded here from the record, independently of the worker and of replay: where it must cut, what must be
// asked for again, and what must not.

var frailOrch = durable.NewOrchestration[Tree, string]("Frail")

// frail is a program that fails, and is rewound until it does not.
var frail = &program{
	name: "frail", orchestration: "Frail", event: goEvent, want: wantFrail, rewound: true,
	input: func(r *rand.Rand, _ string) any {
		return Tree{Nonce: r.Uint32(), Root: (&grower{r: r}).frail("seq", 2)}
	},
}

// frail makes up nodes some of which are broken until they were rewound once, or twice.
func (g *grower) frail(do string, depth int) Node {
	out := Node{Do: do}
	for range 1 + g.r.IntN(4) {
		g.n++
		kid := Node{Do: pick(g.r, "call", "call", "call", "call", "step", "leave", "status", "sleep", "take")}
		if depth > 0 && chance(g.r, 0.4) {
			kid = g.frail(pick(g.r, "seq", "par", "par", "hasty", "try", "undo", "beside"), depth-1)
			if kid.Do == "seq" && g.n%2 == 0 {
				kid.Do = "child"
			}
		}
		kid.Key = fmt.Sprint(kid.Do[:1], g.n)
		switch kid.Do {
		case "call":
			kid.Broken, kid.Size = pick[uint32](g.r, 0, 0, 1, 1, 2), pick(g.r, 0, 0, 0, 0, 17<<10)
		case "sleep", "beside":
			kid.For = pick(g.r, 0, time.Second, 20*time.Second, 5*time.Minute, 3*time.Hour)
		}
		out.Kids = append(out.Kids, kid)
	}
	return out
}

func (w *World) frail(ctx durable.Context, t Tree) (string, error) { return w.strict(ctx, t.Root) }

// strict evaluates a node, and fails when anything in it does.
func (w *World) strict(ctx durable.Context, n Node) (string, error) {
	switch n.Do {
	case "call":
		return work.Call(ctx, n.job())
	case "step":
		return durable.Step(ctx, n.Key, func(context.Context) (string, error) { return n.Key, w.inStep(0) })
	case "leave":
		work.Start(ctx, n.job())
	case "status":
		ctx.SetStatus(n.Key)
	case "sleep":
		return n.Do, durable.Sleep(ctx, n.For)
	case "take":
		_, err := goOn.Next(ctx).Await()
		return n.Do, err
	case "try":
		_, _ = w.all(ctx, n.Kids)
	case "child":
		return frailOrch.Call(ctx, Tree{Root: Node{Do: "seq", Kids: n.Kids}})
	case "undo":
		out, err := w.all(ctx, n.Kids)
		if err != nil {
			_, undone := undo.Call(ctx, Job{Key: n.Key})
			return "", errors.Join(err, undone)
		}
		return out, nil
	case "beside":
		timer := durable.After(ctx, n.For)
		out, err := w.all(ctx, n.Kids)
		if err == nil {
			_, err = timer.Await()
		}
		return out, err
	case "par", "hasty":
		return w.abreast(ctx, n)
	default:
		return w.all(ctx, n.Kids)
	}
	return n.Do, nil
}

// all evaluates nodes one after the other, up to the first that fails.
func (w *World) all(ctx durable.Context, nodes []Node) (string, error) {
	var out strings.Builder
	for _, n := range nodes {
		v, err := w.strict(ctx, n)
		if err != nil {
			return "", err
		}
		out.WriteString(v)
	}
	return out.String(), nil
}

// abreast evaluates the kids at the same time. A hasty node does not wait for the others when one has failed.
func (w *World) abreast(ctx durable.Context, n Node) (string, error) {
	var futures []*durable.Future[string]
	for _, kid := range n.Kids {
		futures = append(futures, durable.Go(ctx, func(ctx durable.Context) (string, error) { return w.strict(ctx, kid) }))
	}
	var out strings.Builder
	var errs []error
	for _, f := range futures {
		v, err := f.Await()
		if err != nil && n.Do == "hasty" {
			return "", err
		}
		out.WriteString(v)
		errs = append(errs, err)
	}
	return out.String(), errors.Join(errs...)
}

// mended is what strict returns when nothing is broken.
func (n Node) mended() string {
	var out strings.Builder
	switch n.Do {
	case "call":
		return n.Key + strings.Repeat(".", n.Size)
	case "step":
		return n.Key
	case "seq", "par", "hasty", "undo", "beside", "child":
		for _, kid := range n.Kids {
			out.WriteString(kid.mended())
		}
	default:
		return n.Do
	}
	return out.String()
}

// wantFrail: only who was purged or replaced before somebody rewound it stays failed.
func wantFrail(_ *World, l *life) error {
	var t Tree
	if err := json.Unmarshal(l.start.Data.Bytes, &t); err != nil {
		return err
	}
	if l.sealed && l.end.Kind == history.ExecutionFailed {
		return nil
	}
	return l.wantOutput(t.Root.mended())
}

// broken reports whether the activity with this idempotency key is one that fails until it was rewound more often.
func (w *World) broken(key string, j Job) bool {
	of, ok := w.check.ops[key]
	if ok && of.life.start.Name == madeOrch.Name() {
		return w.check.breaks(of, j)
	}
	return ok && of.op.command.Epoch < j.Broken
}

// rewinds reports whether a segment is a rewind.
func rewinds(seg *history.Segment) bool {
	return len(seg.Events) > 0 && seg.Events[0].Kind == history.ExecutionRewound
}

// rewindable reports whether the life has failed, and may be rewound.
func (l *life) rewindable() bool {
	return l.end != nil && l.end.Kind == history.ExecutionFailed && !l.sealed && l.next == nil && l.status() == history.StatusFailed
}

// begins is where the turn of segment n begins.
func (l *life) begins(n int) int {
	for n > 0 && l.unfinished[n-1] && !resets(l.segments[n]) {
		n--
	}
	return n
}

// rewind folds a rewind.
func (l *life) rewind(seg *history.Segment) error {
	e := &seg.Events[0]
	if len(seg.Events) != 1 || !seg.More || e.Rewound == nil {
		return errors.New("it is not alone, or its turn does not go on")
	}
	cut := l.begins(l.ended)
	for _, o := range l.ops {
		if o.outcome != nil && o.outcome.Failure != nil {
			cut = min(cut, l.begins(o.settled))
		}
	}
	if int(e.Rewound.From) != cut {
		return fmt.Errorf("it cuts at segment %d, and what failed first came in at %d", e.Rewound.From, cut)
	}
	l.rewinds++
	l.unbegin(cut)
	l.again = map[string]*op{}
	if l.kept == nil {
		l.kept = map[string]*op{}
	}
	for name, o := range l.ops {
		done := o.outcome != nil && o.outcome.Failure == nil || o.command.Kind == history.EventSent
		timer := o.command.Kind == history.TimerCreated
		before := o.asked < cut
		switch {
		case before && (done || o.canceled && o.canceledIn < cut):
			o.canceled = o.canceled && o.canceledIn < cut // one that had fired unseen may be canceled once more
			continue
		case before:
			l.again[name] = o
		case done && !timer:
			l.kept[name] = o
		}
		o.gone = true
		delete(l.ops, name)
	}
	l.end, l.ended, l.suspended, l.byWorker = nil, 0, false, false
	return nil
}

// anew checks that an operation may be asked for in segment n, after rewinds, and returns when that was first done.
func (l *life) anew(n int, e *history.Event) (asked int, err error) {
	if e.Epoch != uint32(l.rewinds) {
		return n, fmt.Errorf("it is of epoch %d, after %d rewinds", e.Epoch, l.rewinds)
	}
	if o := l.again[e.Op]; o != nil {
		delete(l.again, e.Op)
		if o.command.Kind != e.Kind || o.command.Name != e.Name || !bytes.Equal(l.asks(e.Op, o), e.Data.Bytes) {
			return n, fmt.Errorf("it is asked for again as something else: %s", describeEvent(o.command))
		}
		return o.asked, nil
	}
	if e.Kind == history.StepStarted && l.given[e.Op] != nil {
		return n, errors.New("a reset has said its result, and it runs again")
	}
	if o := l.kept[e.Op]; o != nil && e.Kind == history.StepStarted && l.heldBack(o.settled) {
		return n, nil // asked for before the cut perhaps: the record does not say when a step was asked for
	}
	if o := l.kept[e.Op]; o != nil && o.command.Kind == e.Kind && o.command.Name == e.Name && bytes.Equal(o.command.Data.Bytes, e.Data.Bytes) {
		return n, errors.New("it had succeeded, and is asked for again")
	}
	return n, nil
}

// heldBack reports whether the instance was suspended before segment n.
func (l *life) heldBack(n int) bool {
	return slices.ContainsFunc(l.segments[:n+1], func(s *history.Segment) bool {
		return slices.ContainsFunc(s.Events, func(e history.Event) bool { return e.Kind == history.ExecutionSuspended })
	})
}

// rewinds makes up who has the instance rewound, and when. It has dice of its own, as purges have.
func (w *World) rewinds(id string, p *program, add func(*request)) {
	if !p.rewound {
		return
	}
	dice := rand.New(rand.NewPCG(w.plan.Seed, uint64(len(id))<<8|uint64(id[len(id)-1])|1<<32))
	for range dice.IntN(6) {
		most := pick(dice, time.Second, 30*time.Second, 5*time.Minute, 4*time.Hour)
		add(manage(id, durable.Rewind, epoch.Add(time.Duration(dice.Int64N(int64(most))))))
	}
}

// newest reports whether the row shows this life, and that it has failed.
func (w *World) newest(l *life) bool {
	row, err := w.plain.Row(context.Background(), l.instance)
	return err == nil && row != nil && !row.Purged && row.Incarnation == l.incarnation && row.Status == history.StatusFailed
}

// wantFrailKid: a child that nobody waits for any more may stay failed.
func wantFrailKid(w *World, l *life) error {
	if l.end.Kind == history.ExecutionFailed {
		return nil
	}
	return wantFrail(w, l)
}

// unanswered is what a child owes a parent that was rewound: to be rewound as well, to take note, or to say what it has come to.
func (c *check) unanswered(m *history.Message) string {
	p := m.Event.Start.Parent
	of := c.ops[store.OperationID(p.Instance, p.Incarnation, p.Generation, p.Op, p.Epoch)]
	l := c.life(m.Instance, m.Incarnation)
	if of.op == nil || of.op.outcome != nil || of.op.gone || of.life.end != nil || of.op.reported {
		return ""
	}
	if l != nil && l.parent != nil && l.parent.Epoch >= p.Epoch {
		return "" // whoever ends it tells
	}
	return "its parent waits, and was not answered"
}
