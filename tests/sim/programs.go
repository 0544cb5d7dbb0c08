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
)

// program is an orchestration to run, and what must come of it.
type program struct {
	name string
	// orchestration is the contract's name.
	orchestration string
	// input makes an input.
	input func(r *rand.Rand, instance string) any
	// event makes an external event that may help the instance on; nil when there is none.
	event func(r *rand.Rand) (name string, data any)
	// want checks the end of a life that was not terminated.
	want func(w *World, l *life) error
	// once: the id is never used again.
	once bool
	// rewound: whoever has failed is rewound.
	rewound bool
	// reset: it is reset at any of its operations.
	reset bool
	// prefix is what ids begin with, where the code asks for that.
	prefix string
	// kin: it has children, and may be terminated with them.
	kin bool
}

// Job is what an activity is to do.
type Job struct {
	Key string
	// Fails is how many attempts fail, Final whether the first failure is the last.
	Fails int
	Final bool
	// Size is how many bytes the result has.
	Size int
	// Broken fails all attempts until the instance was rewound so often.
	Broken uint32 `json:",omitempty"`
}

const attempts = 3

var (
	work    = durable.NewActivity[Job, string]("Work", durable.Retry{Attempts: attempts, Initial: time.Second, Factor: 8})
	patient = durable.NewActivity[Job, string]("Patient", durable.Retry{Attempts: attempts, Initial: time.Hour}, durable.Timeout(20*time.Minute))
	undo    = durable.NewActivity[Job, durable.None]("Undo")
	other   = durable.NewActivity[Job, string]("Other")
	goOn    = durable.NewEvent[int]("Go")

	treeOrch   = durable.NewOrchestration[Tree, string]("Tree")
	eventsOrch = durable.NewOrchestration[Plain, string]("Events")
	sagaOrch   = durable.NewOrchestration[Plain, string]("Saga")
	lateOrch   = durable.NewOrchestration[Plain, string]("Late")
	tardy      = durable.NewActivity[Job, string]("Tardy")
	buggyOrch  = durable.NewOrchestration[Plain, string]("Buggy")
)

// Plain is the input of the programs that are not trees.
type Plain struct {
	Instance string
	N        int
	// Nonce makes the inputs of racing starts differ.
	Nonce uint32
}

func plain(r *rand.Rand, instance string) any {
	return Plain{Instance: instance, N: 1 + r.IntN(4), Nonce: r.Uint32()}
}

func goEvent(r *rand.Rand) (string, any) { return pick(r, "Go", "go", "GO"), r.IntN(1000) }

// programs are what seeds choose from.
var programs = []*program{
	treeOf("sequence", func(g *grower) Node { return g.kids("seq", 3, "call") }),
	treeOf("fan", func(g *grower) Node { return g.fan(10 + g.r.IntN(21)) }),
	treeOf("coroutines", func(g *grower) Node { return g.kids("par", 3, "seq") }),
	treeOf("race", func(g *grower) Node { return g.kids("seq", 2, "race") }),
	treeOf("within", func(g *grower) Node { return g.kids("seq", 2, "wait", "call") }),
	treeOf("steps", func(g *grower) Node { return g.kids("seq", 4, "step", "step", "call", "status") }),
	treeOf("unawaited", func(g *grower) Node { return g.kids("seq", 3, "leave", "leave", "call") }),
	treeOf("timers", func(g *grower) Node { return g.kids("seq", 2, "sleep", "call") }),
	treeOf("anything", func(g *grower) Node { return g.node(3) }),
	treeOf("anything else", func(g *grower) Node { return g.kids("seq", 3) }),
	{name: "events", orchestration: "Events", input: plain, event: goEvent, want: wantEvents},
	{name: "saga", orchestration: "Saga", input: plain, want: wantSaga},
	{name: "buggy", orchestration: "Buggy", input: plain, event: goEvent, want: wantBuggy},
	{name: "late", orchestration: "Late", input: plain, event: goEvent, want: wantLate},
	{name: "bounds", orchestration: "Bounds", input: boundsInput, want: wantBounds},
	{name: "rounds", orchestration: "Rounds", input: roundsInput, event: goEvent, want: wantRounds},
	{name: "outside", orchestration: "Outside", input: outsideInput, want: wantOutside},
	{name: "orders", orchestration: "ProcessOrder", input: orderInput, event: approval, want: wantOrder, once: true, prefix: "order-"},

	// only where a plan names them, so that the others' seeds stay what they are
	{name: "family", orchestration: "Family", input: familyInput, want: wantFamily, kin: true},
	{name: "orphans", orchestration: "Orphans", input: familyInput, want: wantOrphans, kin: true},
	kinProgram,
	frail,
	{name: "once", orchestration: "Once", input: plain, want: wantOnce},
	made,
	edited,
	mended,
}

// drawn is how many of the programs any seed may have.
const drawn = 18

func programNamed(name string) *program {
	return programs[slices.IndexFunc(programs, func(p *program) bool { return p.name == name })]
}

// handlers are the bodies of the actor's build.
func (w *World) handlers(a *actor) []durable.Handler {
	handlers := append([]durable.Handler{
		work.Bind(a.work),
		patient.Bind(a.work),
		other.Bind(a.work),
		undo.Bind(func(ctx context.Context, j Job) (durable.None, error) {
			_, err := a.work(ctx, j)
			return durable.None{}, err
		}),
		treeOrch.Bind(w.tree),
		frailOrch.Bind(w.frail),
		eventsOrch.Bind(events),
		sagaOrch.Bind(saga),
		roundsOrch.Bind(rounds),
		onceOrch.Bind(w.once),
		editedOrch.Bind(w.edited),
		familyOrch.Bind(family),
		orphansOrch.Bind(orphans),
		kinOrch.Bind(kin),
		buggyOrch.Bind(func(ctx durable.Context, in Plain) (string, error) { return w.buggy(ctx, in, a.build) }),
	}, slices.Concat(w.boundedHandlers(a), w.outsideHandlers(a), a.orderHandlers())...)
	for version := range uint32(madeVersions) {
		handlers = append(handlers, madeOrch.Version(version).Bind(w.perform(version, a.build)))
	}
	handlers = append(handlers, durable.BindHTTP(a.serve))
	if a.build > 1 {
		handlers = append(handlers, tardy.Bind(a.work), lateOrch.Bind(late))
	}
	return handlers
}

// work is the body of every activity: what it returns is decided by its input and its attempt.
func (a *actor) work(ctx context.Context, j Job) (string, error) {
	a.ran(ctx)
	if chance(a.w.rng, 0.3) && !a.pause() {
		return "", errDead
	}
	if a.w.broken(durable.IdempotencyKey(ctx), j) {
		return "", durable.Permanent(fmt.Errorf("%s is broken", j.Key))
	}
	if durable.Attempt(ctx) <= j.Fails {
		err := fmt.Errorf("%s does not work", j.Key)
		if j.Final {
			err = durable.Permanent(err)
		}
		return "", err
	}
	return j.Key + strings.Repeat(".", j.Size), nil
}

// ran notes that the body of an activity runs.
func (a *actor) ran(ctx context.Context) {
	if a.dead {
		return
	}
	key := durable.IdempotencyKey(ctx)
	of, ok := a.w.check.ops[key]
	if !ok {
		a.w.fail("%s runs an activity that no history asks for", a)
		return
	}
	of.op.runs++
	a.w.check.ranBounded(a, of)
	a.w.trace.add(a, "runs %s of %s, attempt %d", describeEvent(of.op.command), of.life, durable.Attempt(ctx))
}

// result is what a job comes to, "" for a failure.
func (j Job) result(last int) string {
	if j.Fails > 0 && j.Final || j.Fails >= last {
		return ""
	}
	return j.Key + strings.Repeat(".", j.Size)
}

func events(ctx durable.Context, in Plain) (string, error) {
	if _, err := work.Call(ctx, Job{Key: "first"}); err != nil {
		return "", err
	}
	var out []string
	for range in.N {
		v, err := goOn.Next(ctx).Await()
		if err != nil {
			return "", err
		}
		out = append(out, fmt.Sprint(v))
	}
	return strings.Join(out, ","), nil
}

func wantEvents(_ *World, l *life) error {
	var in Plain
	if err := json.Unmarshal(l.start.Data.Bytes, &in); err != nil {
		return err
	}
	var want []string
	for _, e := range l.raised {
		if strings.EqualFold(e.Name, "go") && len(want) < in.N {
			want = append(want, strings.TrimSpace(string(e.Data.Bytes)))
		}
	}
	return l.wantOutput(strings.Join(want, ","))
}

// wantOutput checks that the life completed with a string.
func (l *life) wantOutput(want string) error {
	if l.end.Kind != history.ExecutionCompleted {
		return fmt.Errorf("it failed: %+v", l.end.Failure)
	}
	var got string
	if err := json.Unmarshal(l.end.Data.Bytes, &got); err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("its output is %q, want %q", got, want)
	}
	return nil
}

var errSaga = durable.ErrorKind("SagaFailed")

func saga(ctx durable.Context, in Plain) (_ string, err error) {
	s := durable.NewSaga(ctx)
	defer s.End(&err)
	for i := range in.N {
		key := fmt.Sprint("book", i)
		undo.Compensate(s, Job{Key: key})
		if _, err := work.Call(ctx, Job{Key: key, Fails: (i + 1) / in.N, Final: true}); err != nil {
			return "", errors.Join(errSaga, err)
		}
	}
	return "done", nil
}

// wantSaga: the last booking fails, and all are undone in reverse order.
func wantSaga(_ *World, l *life) error {
	var in Plain
	if err := json.Unmarshal(l.start.Data.Bytes, &in); err != nil {
		return err
	}
	if l.end.Kind != history.ExecutionFailed || l.end.Failure.Kind != string(errSaga) {
		return fmt.Errorf("it ended as %s, not by the saga's failure", l.end.Kind)
	}
	var got, want []string
	for _, seg := range l.segments {
		for _, e := range seg.Events {
			if e.Kind == history.TaskScheduled && e.Name == undo.Name() {
				var j Job
				if err := json.Unmarshal(e.Data.Bytes, &j); err != nil {
					return err
				}
				got = append(got, j.Key)
			}
		}
	}
	for i := in.N - 1; i >= 0; i-- {
		want = append(want, fmt.Sprint("book", i))
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("it undid %v, want %v", got, want)
	}
	return nil
}

// buggy panics in build 1 after its first call, and does something else before it panics in build 2. Turns that one build
// begins and another goes on with are long ones.
func (w *World) buggy(ctx durable.Context, in Plain, build int) (string, error) {
	a, err := work.Call(ctx, Job{Key: "a", Fails: 1})
	if err != nil {
		return "", err
	}
	ctx.SetStatus(in.N)
	for i := range in.N {
		work.Start(ctx, Job{Key: fmt.Sprint("aside", i)})
	}
	if _, err := durable.Step(ctx, "look", func(context.Context) (string, error) { return "", w.inStep(0) }); err != nil {
		return "", err
	}
	if build == 1 && in.N%2 == 0 {
		panic("bug of build 1")
	}
	if build == 2 {
		other.Start(ctx, Job{Key: "wrong"})
		panic("bug of build 2")
	}
	for i := range in.N {
		work.Start(ctx, Job{Key: fmt.Sprint("beside", i)})
	}
	b, err := patient.Call(ctx, Job{Key: "b", Fails: in.N % 2})
	if err != nil {
		return "", err
	}
	if build == 1 {
		var none map[string]int
		none[b]++
	}
	return a + b, nil
}

// late is in no build before the second, and so is its activity.
func late(ctx durable.Context, in Plain) (string, error) {
	out, err := tardy.Call(ctx, Job{Key: "late"})
	if errors.Is(err, durable.ActivityNotRegistered) {
		return "never", nil
	}
	return out, err
}

func wantLate(_ *World, l *life) error {
	if l.wantOutput("late") != nil && l.ops["0"].waiting {
		return l.wantOutput("never")
	}
	return l.wantOutput("late")
}

func wantBuggy(_ *World, l *life) error { return l.wantOutput("ab") }
