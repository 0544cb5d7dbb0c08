package sim

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var shrink = flag.Bool("shrink", true, "look for a small program that fails as well")

const (
	// patience is how long a small program is looked for.
	patience = 20 * time.Second
	// tries is how many seeds each program is run with: which of them fails is chance, and changes with the program.
	tries = 25
)

var leafNames = []string{"call", "step", "leave", "status", "sleep", "wait", "patient", "fan"}

// nodesOf draws programs; the first of everything is the simplest, which is what rapid shrinks to.
func nodesOf(depth int) *rapid.Generator[Node] {
	return rapid.Custom(func(t *rapid.T) Node {
		if depth > 0 && rapid.Bool().Draw(t, "inner") {
			n := Node{Do: rapid.SampledFrom([]string{"seq", "par", "race"}).Draw(t, "do")}
			most := 3
			if n.Do == "race" {
				most = 2
			}
			n.Kids = rapid.SliceOfN(nodesOf(depth-1), max(1, most-1), most).Draw(t, "kids")
			if n.Do == "race" && len(n.Kids) < 2 {
				n.Kids = append(n.Kids, Node{Do: "call"})
			}
			return n
		}
		n := Node{Do: rapid.SampledFrom(leafNames).Draw(t, "do")}
		switch n.Do {
		case "sleep", "wait":
			n.For = rapid.SampledFrom([]time.Duration{0, time.Second, 20 * time.Second, 5 * time.Minute, 3 * time.Hour}).Draw(t, "for")
		case "fan":
			n.N, n.Fails = rapid.IntRange(2, 6).Draw(t, "n"), rapid.IntRange(0, attempts).Draw(t, "fails")
		case "call", "patient", "step":
			n.Fails = rapid.SampledFrom([]int{0, 0, 0, 1, attempts}).Draw(t, "fails")
			n.Size = rapid.SampledFrom([]int{0, 0, 0, 17 << 10}).Draw(t, "size")
		}
		return n
	})
}

func programsOf(most int) *rapid.Generator[[]Node] {
	return rapid.Map(rapid.SliceOfN(nodesOf(2), 1, max(1, most)), func(nodes []Node) []Node {
		next := 0
		for i := range nodes {
			nodes[i].number(&next)
		}
		return nodes
	})
}

// TestRandomPrograms runs programs that rapid makes up, each against what it should come to.
func TestRandomPrograms(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64Range(1, 1<<32).Draw(t, "seed")
		plan := Run(seed, false).Plan
		c := Case{Seed: seed, Plan: plan, Programs: programsOf(plan.Instances).Draw(t, "programs")}
		for range 3 {
			if r := c.Run(false); r.Err != nil {
				t.Fatalf("%v\n%s", r.Err, c)
			}
			c.Seed++
		}
	})
}

// String is the case as JSON, as -program reads it.
func (c Case) String() string {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func readCase(t *testing.T, name string) (c Case) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// shrunk looks for the smallest program that fails under a plan, and says how to run it.
func shrunk(t *testing.T, plan Plan) string {
	t.Helper()
	if !*shrink || *seed != 0 || *file != "" {
		return ""
	}
	best, why := smallest(plan)
	if why == nil {
		return fmt.Sprintf("no tree was found in %v that fails under this plan as well", patience)
	}
	f, err := os.CreateTemp("", "program-*.json")
	if err == nil {
		_, err = f.WriteString(best.String())
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Error(err)
	}
	return fmt.Sprintf("the smallest program found: %v\n%s\nagain: go test ./tests/sim -run TestSim -v -program %s", why, best, f.Name())
}

// smallest has rapid find and shrink a program, and what of the plan it takes to fail.
func smallest(plan Plan) (best Case, why error) {
	_ = flag.Set("rapid.nofailfile", "true")
	end := time.Now().Add(patience)
	done := make(chan bool)
	go func() { // rapid ends the goroutine of a test that fails
		defer close(done)
		rapid.Check(&quiet{}, func(t *rapid.T) {
			c := Case{Plan: plan.part(t), Programs: programsOf(plan.Instances).Draw(t, "programs")}
			first := rapid.Uint64Range(1, 1<<20).Draw(t, "seed")
			for c.Seed = first; c.Seed < first+tries && time.Now().Before(end); c.Seed++ {
				if r := c.Run(false); r.Err != nil {
					best, why = c, r.Err
					t.FailNow()
				}
			}
		})
	}()
	<-done
	return best, why
}

// part is the plan without some of what goes wrong in it.
func (p Plan) part(t *rapid.T) Plan {
	keep := func(what string) bool { return rapid.SampledFrom([]bool{false, true, true, true}).Draw(t, what) }
	for f, rate := range p.Rates {
		if rate > 0 && !keep(fault(f).String()) {
			p.Rates[f] = 0
		}
	}
	for _, f := range []struct {
		what string
		drop func()
	}{
		{"skew", func() { p.Skew = 0 }}, {"hasty", func() { p.Hasty = false }}, {"hand on", func() { p.HandOn = 0 }},
		{"dead letters", func() { p.MaxReceives = 0 }}, {"look-ahead", func() { p.LookAhead = 0 }}, {"deploys", func() { p.Deploys = false }},
		{"redrive", func() { p.Redrive = false }}, {"contended", func() { p.Contended = false }}, {"managed", func() { p.Managed = false }},
		{"unordered", func() { p.Unordered = false }}, {"warm", func() { p.Warm = 0 }}, {"folds", func() { p.FoldBytes = 0 }},
		{"in flight", func() { p.InFlight = 0 }}, {"segments", func() { p.SegmentCommands, p.SegmentBytes = 0, 0 }},
		{"due rows", func() { p.DirectDelay = 0 }},
	} {
		if !keep(f.what) {
			f.drop()
		}
	}
	return p
}

// quiet is a test whose failure is not one.
type quiet struct{ failed bool }

func (*quiet) Helper()                 {}
func (*quiet) Name() string            { return "shrink" }
func (*quiet) Logf(string, ...any)     {}
func (*quiet) Log(...any)              {}
func (*quiet) Skipf(string, ...any)    {}
func (*quiet) Skip(...any)             {}
func (*quiet) SkipNow()                { runtime.Goexit() }
func (q *quiet) Errorf(string, ...any) { q.failed = true }
func (q *quiet) Error(...any)          { q.failed = true }
func (q *quiet) Fatalf(string, ...any) { q.FailNow() }
func (q *quiet) Fatal(...any)          { q.FailNow() }
func (q *quiet) Fail()                 { q.failed = true }
func (q *quiet) Failed() bool          { return q.failed }
func (q *quiet) FailNow()              { q.failed = true; runtime.Goexit() }
