package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Made is the input of a program that its seed made up of all that orchestrations can do: perform runs it, and judge says what may
// have come of it. In contrast to Tree, whose result is the same whichever way its races go, it tells what it came to, node by node.
type Made struct {
	Nonce uint32
	// Parts are done one after the other, whatever each comes to; the last ones perhaps by later generations.
	Parts []Node
	// Done is what the parts came to that earlier generations have done, each of its version.
	Done []*Played `json:",omitempty"`
	// Version is that of the code that this run must have.
	Version uint32 `json:",omitempty"`
	// Any: it may be of any version.
	Any bool `json:",omitempty"`
	// Parent is the instance that is told, and Fails has the run fail when one of its parts has.
	Parent string `json:",omitempty"`
	Fails  bool   `json:",omitempty"`
	// Siblings is how many instances can be told.
	Siblings int `json:",omitempty"`
	// Frail has the run fail at the end of a part in which something was broken.
	Frail bool `json:",omitempty"`
}

// Played is what a node came to.
type Played struct {
	// V is what it returned, or what is said of it where perform runs it; N a number of the same kind.
	V string `json:",omitempty"`
	N int    `json:",omitempty"`
	// ID begins an id that a part has drawn before it began.
	ID string `json:",omitempty"`
	// Err has the kinds of its error, and Over why its scope was over when it began.
	Err  string `json:",omitempty"`
	Over string `json:",omitempty"`
	// From and To number the begins and ends of all nodes in the order in which they happened; To is 0 for one that nobody waited for.
	From, To int `json:",omitempty"`
	// At and Till are the times of both, in milliseconds.
	At, Till int64     `json:",omitempty"`
	Kids     []*Played `json:",omitempty"`
}

// idPart is how much of an id is kept: enough to tell it from the few others of a run.
const idPart = 13

var (
	madeOrch = durable.NewOrchestration[Made, []*Played]("Made", durable.CurrentVersion(2))
	tell     = durable.NewEvent[string]("Tell")
	inlined  = durable.NewActivity[Job, string]("Inlined")
	errMade  = durable.ErrorKind("Made")
)

// madeVersions are those that the code is bound for: 0 is what clients start, 2 what children are without an option.
const madeVersions = 3

// madeOf is a scenario of a given program.
func madeOf(name string, plan func(*Plan), parts ...Node) scenario {
	return scenario{name: name, long: true, plan: plan, act: func(s *stage) {
		g := &grower{}
		var key func([]Node) []Node
		key = func(nodes []Node) (out []Node) {
			for _, n := range nodes {
				n.Kids = key(n.Kids)
				out = append(out, g.keyed(n))
			}
			return out
		}
		s.start("i1", "made", Made{Parts: key(parts), Siblings: 1})
	}}
}

var made = &program{
	name: "made", orchestration: "Made", want: wantMade, kin: true,
	event: func(r *rand.Rand) (string, any) { return pick(r, "Go", "go", "GO"), r.IntN(1 << 30) },
	input: func(r *rand.Rand, _ string) any { return newMade(r) },
}

var (
	madeLeaves = []string{"call", "call", "call", "call", "leave", "sleep", "wait", "step", "check", "once", "inline", "status", "id", "tell", "hear", "hand", "all", "http", "http", "changed", "flow"}
	madeInner  = []string{"seq", "go", "group", "map", "map", "least", "first", "completed", "within", "within", "cancel", "cancel", "detached", "try", "saga", "retry", "later", "child", "child", "listen", "kept", "flow", "share"}
)

// toItself is the N of a tell to the instance that tells.
const toItself = 9

func newMade(r *rand.Rand) Made {
	g := &grower{r: r}
	in := Made{Nonce: r.Uint32(), Siblings: 2}
	for range pick(r, 1, 1, 1, 2, 3) {
		if len(in.Parts) > 0 && chance(r, 0.4) {
			in.Parts = append(in.Parts, Node{Do: "renew", N: r.IntN(madeVersions + 1), Final: chance(r, 0.2)})
		}
		in.Parts = append(in.Parts, g.madeNode(pick(r, madeInner...), 2))
	}
	return in
}

func (g *grower) anyMade(depth int) Node {
	if depth > 0 && chance(g.r, 0.5) {
		return g.madeNode(pick(g.r, madeInner...), depth)
	}
	return g.madeNode(pick(g.r, madeLeaves...), depth)
}

// madeNode makes a node up. Each has a key of its own, which begins with no other's and a dot.
func (g *grower) madeNode(do string, depth int) Node {
	g.n++
	switch do {
	case "listen":
		return g.listen()
	case "flow":
		return g.flow(depth)
	case "kept":
		return g.kept()
	}
	n := Node{Do: do, Key: fmt.Sprint(do[:1], g.n)}
	r := g.r
	some := func(least, more int) {
		for range least + r.IntN(more+1) {
			n.Kids = append(n.Kids, g.anyMade(depth-1))
		}
	}
	switch do {
	case "call", "step", "check", "once", "inline", "hand":
		n.Fails, n.Size = pick(r, 0, 0, 0, 0, 1, 2, attempts), pick(r, 0, 0, 0, 0, 0, history.InlinePayload+1)
		n.Final = n.Fails == attempts && chance(r, 0.5) // one that takes too long is made again, so that fewer would not be sure
	case "sleep", "wait", "hear":
		n.For = shortly(r)
	case "tell":
		n.N = r.IntN(4)
	case "http":
		n.N, n.M, n.Fails, n.For, n.Final = r.IntN(4), r.IntN(4), pick(r, 0, 0, 1, 2, 3), shortly(r), chance(r, 0.3)
	case "all":
		n.N, n.Fails = 1+r.IntN(4), pick(r, 0, 0, attempts)
	case "seq", "go", "group", "saga", "later", "try":
		some(1, 2)
		n.Final = do == "saga" && chance(r, 0.5)
	case "map", "least", "share":
		some(2, 3)
		n.N, n.M = r.IntN(4), r.IntN(len(n.Kids))
		if do == "least" {
			n.M = max(n.M, 1)
		}
	case "first", "completed":
		some(2, 1)
		n.N = r.IntN(len(n.Kids) + 1)
	case "cancel":
		some(2, 0)
	case "within":
		some(1, 0)
		n.For = shortly(r)
	case "detached":
		some(1, 0)
	case "retry":
		n.N, n.M, n.For = r.IntN(3), 1+r.IntN(3), pick(r, 0, time.Second, 5*time.Minute)
	case "child":
		some(1, 1)
		n.N, n.M, n.Final = r.IntN(3), r.IntN(madeVersions+1), chance(r, 0.3)
		n.Fails = r.IntN(3) / 2 // nobody waits for it
	}
	return n
}

// keyed gives a node a key of its own.
func (g *grower) keyed(n Node) Node {
	g.n++
	n.Key = fmt.Sprint(n.Do[:1], g.n)
	return n
}

// listen has somebody give up to wait for an event, which then comes, and is waited for again.
func (g *grower) listen() Node {
	hear := func(d time.Duration) Node { return g.keyed(Node{Do: "hear", For: d}) }
	gives := hear(time.Second)
	if chance(g.r, 0.5) {
		gives = g.keyed(Node{Do: "cancel", Kids: []Node{hear(3 * time.Hour), g.keyed(Node{Do: "call"})}})
	}
	tells, sleeps := g.keyed(Node{Do: "tell", N: toItself}), g.keyed(Node{Do: "sleep", For: 5 * time.Minute})
	return g.keyed(Node{Do: "seq", Kids: []Node{gives, tells, sleeps, hear(time.Hour)}})
}

// flow takes some events as they come, of those that are there as well as of those that come while it waits.
func (g *grower) flow(depth int) Node {
	n := g.keyed(Node{Do: "flow", For: shortly(g.r), N: 1 + g.r.IntN(3)})
	if depth < 1 {
		return n
	}
	told := func() Node { return g.keyed(Node{Do: "tell", N: toItself}) }
	parts := []Node{told(), told(), g.keyed(Node{Do: "sleep", For: shortly(g.r)}), n, g.keyed(Node{Do: "hear", For: time.Hour})}
	return g.keyed(Node{Do: pick(g.r, "seq", "seq", "go"), Kids: parts[g.r.IntN(3):]})
}

// kept has a scope end when something in it has its outcome, at which nobody has looked.
func (g *grower) kept() Node {
	sleeps := g.keyed(Node{Do: "sleep", For: 3 * time.Hour})
	later := g.keyed(Node{Do: "later", Kids: []Node{sleeps}})
	return g.keyed(Node{Do: "within", For: 20 * time.Minute, Kids: []Node{later}})
}

func shortly(r *rand.Rand) time.Duration {
	return pick(r, 0, time.Second, 3*time.Second, 20*time.Second, 5*time.Minute, 3*time.Hour)
}
