package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// Tree is a program that its seed made up: the input of one orchestration that can do everything.
type Tree struct {
	Nonce uint32
	Root  Node
}

// Node is one thing to do. What it returns is decided by the node alone, whichever way a race in it goes.
type Node struct {
	// Do is call, patient, hand, fan, leave, seq, par, race, sleep, wait, step or status.
	Do    string
	Key   string        `json:",omitempty"`
	N     int           `json:",omitempty"`
	M     int           `json:",omitempty"`
	Fails int           `json:",omitempty"`
	Final bool          `json:",omitempty"`
	Size  int           `json:",omitempty"`
	For   time.Duration `json:",omitempty"`
	Kids  []Node        `json:",omitempty"`
	// Broken fails until the instance was rewound so often. Programs that may fail have try, undo, beside, hasty and take, too; what made ones have performer.node says.
	Broken uint32 `json:",omitempty"`
}

// grower makes up trees.
type grower struct {
	r *rand.Rand
	n int
}

func treeOf(name string, grow func(*grower) Node) *program {
	return &program{
		name: name, orchestration: "Tree", event: goEvent, want: wantTree,
		input: func(r *rand.Rand, _ string) any { return Tree{Nonce: r.Uint32(), Root: grow(&grower{r: r})} },
	}
}

var (
	leaves = []string{"call", "call", "call", "patient", "leave", "sleep", "wait", "step", "status", "fan"}
	inner  = []string{"seq", "seq", "par", "race"}
)

func (g *grower) node(depth int) Node {
	if depth > 0 && chance(g.r, 0.6) {
		return g.make(pick(g.r, inner...), depth)
	}
	return g.make(pick(g.r, leaves...), depth)
}

// kids has the children that are named, in a random order of any depth, up to n in all.
func (g *grower) kids(do string, n int, named ...string) Node {
	out := Node{Do: do}
	for i := range n {
		if i < len(named) || len(named) == 1 {
			out.Kids = append(out.Kids, g.make(named[i%len(named)], 1))
		} else {
			out.Kids = append(out.Kids, g.node(2))
		}
	}
	g.r.Shuffle(len(out.Kids), func(i, j int) { out.Kids[i], out.Kids[j] = out.Kids[j], out.Kids[i] })
	return out
}

func (g *grower) fan(n int) Node {
	g.n++
	return Node{Do: "fan", Key: fmt.Sprint("f", g.n), N: n, Fails: g.r.IntN(attempts + 1)}
}

func (g *grower) make(do string, depth int) Node {
	g.n++
	key := fmt.Sprint(do[:1], g.n)
	switch do {
	case "seq", "par":
		out := Node{Do: do}
		for range 1 + g.r.IntN(3) {
			out.Kids = append(out.Kids, g.node(depth-1))
		}
		return out
	case "race":
		return Node{Do: do, Kids: []Node{g.node(depth - 1), g.node(depth - 1)}}
	case "fan":
		return g.fan(2 + g.r.IntN(5))
	case "sleep", "wait":
		return Node{Do: do, For: pick(g.r, 0, time.Second, 20*time.Second, 5*time.Minute, 3*time.Hour, 50*time.Hour)}
	}
	return Node{Do: do, Key: key, Fails: pick(g.r, 0, 0, 0, 1, 2, attempts), Final: chance(g.r, 0.2), Size: pick(g.r, 0, 0, 0, 0, 17<<10)}
}

func (n Node) job() Job {
	return Job{Key: n.Key, Fails: n.Fails, Final: n.Final, Size: n.Size, Broken: n.Broken}
}

func (w *World) tree(ctx durable.Context, t Tree) (string, error) { return w.eval(ctx, t.Root), nil }

func (w *World) eval(ctx durable.Context, n Node) string {
	switch n.Do {
	case "call":
		v, _ := work.Call(ctx, n.job())
		return v
	case "patient":
		v, _ := patient.Call(ctx, n.job())
		return v
	case "hand":
		v, _ := handed.Call(ctx, n.job())
		return v
	case "leave":
		work.Start(ctx, n.job())
	case "status":
		ctx.SetStatus(n.Key)
	case "sleep":
		_ = durable.Sleep(ctx, n.For)
	case "wait":
		_, _ = goOn.Within(ctx, n.For)
	case "step":
		v, _ := durable.Step(ctx, n.Key, func(context.Context) (string, error) { return n.Key, w.inStep(n.Fails) })
		return v
	case "fan":
		var futures []*durable.Future[string]
		for i := range n.N {
			futures = append(futures, work.Start(ctx, n.member(i)))
		}
		values, _ := durable.All(ctx, futures...)
		return strings.Join(values, "")
	default:
		return w.evalKids(ctx, n)
	}
	return n.Do
}

// member is one job of a fan: some of them fail.
func (n Node) member(i int) Job {
	j := Job{Key: fmt.Sprint(n.Key, "-", i)}
	if i%5 == 1 {
		j.Fails = n.Fails
	}
	return j
}

func (w *World) evalKids(ctx durable.Context, n Node) string {
	var out strings.Builder
	var futures []*durable.Future[string]
	for _, kid := range n.Kids {
		if n.Do == "seq" {
			out.WriteString(w.eval(ctx, kid))
			continue
		}
		futures = append(futures, durable.Go(ctx, func(ctx durable.Context) (string, error) { return w.eval(ctx, kid), nil }))
	}
	if n.Do == "race" {
		durable.First(ctx, futures[0], futures[1])
		return n.Do
	}
	for _, f := range futures {
		v, _ := f.Await()
		out.WriteString(v)
	}
	return out.String()
}

var errStep = errors.New("the step does not work")

// inStep is what happens while a step runs: time goes by, and others go on.
func (w *World) inStep(fails int) error {
	a := w.current
	if chance(w.rng, 0.3) && !a.dead {
		w.now = w.now.Add(time.Duration(w.rng.IntN(2500)) * time.Millisecond)
	}
	if chance(w.rng, 0.3) && !a.pause() {
		return errDead
	}
	if fails > 0 {
		return errStep
	}
	return nil
}

// want is what eval returns.
func (n Node) want() string {
	var out strings.Builder
	switch n.Do {
	case "call", "patient", "hand":
		return n.job().result(attempts)
	case "step":
		if n.Fails == 0 {
			return n.Key
		}
	case "fan":
		for i := range n.N {
			out.WriteString(n.member(i).result(attempts))
		}
	case "seq", "par":
		for _, kid := range n.Kids {
			out.WriteString(kid.want())
		}
	default:
		return n.Do
	}
	return out.String()
}

func wantTree(_ *World, l *life) error {
	var t Tree
	if err := json.Unmarshal(l.start.Data.Bytes, &t); err != nil {
		return err
	}
	return l.wantOutput(t.Root.want())
}
