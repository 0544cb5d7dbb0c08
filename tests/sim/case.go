package sim

import (
	"fmt"
	"math/rand/v2"
)

// Case is a run of programs that nobody made up by chance: one for each instance, under a plan. Seed decides the rest.
type Case struct {
	Seed     uint64
	Programs []Node
	Plan     Plan
}

// Run runs the case.
func (c Case) Run(traced bool) Result {
	c.Plan.Seed, c.Plan.Instances = c.Seed, len(c.Programs)
	w := newWorld(c.Plan, rand.New(rand.NewPCG(c.Seed, 0xca5e)), traced)
	return w.run(func() {
		w.cast(func(i int) *program {
			p := *programNamed("anything")
			p.name = "a given tree"
			p.input = func(r *rand.Rand, _ string) any { return Tree{Nonce: r.Uint32(), Root: c.Programs[i]} }
			return &p
		})
	})
}

// number gives each node that does something a key of its own.
func (n *Node) number(next *int) {
	if len(n.Kids) == 0 {
		*next++
		n.Key = fmt.Sprint(n.Do[:1], *next)
	}
	for i := range n.Kids {
		n.Kids[i].number(next)
	}
}
