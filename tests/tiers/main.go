// Command tiers runs the tests tier by tier and ends with a table of what ran, and what did not and why.
//
// With CI=true a tier that did not run is a failure.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// tier is one kind of tests.
type tier struct {
	name, what string
	// packages of go test; those that begin with ! are left out.
	packages []string
	args     []string
	// missing says what this machine lacks for the tier; empty when it has everything.
	missing func() string
}

func tiers(seeds int) []tier {
	return []tier{
		{name: "unit", what: "unit, property, golden, architecture",
			packages: []string{"./...", "!/durable/backend/", "!/tests/sim", "!/tests/chaos"}},
		{name: "backend", what: "conformance of memory and Pebble, crashes", packages: []string{"./durable/backend/..."}},
		{name: "sim", what: fmt.Sprintf("simulation, %d seeds", seeds), packages: []string{"./tests/sim"},
			args: []string{"-timeout", "30m", "-args", fmt.Sprintf("-seeds=%d", seeds)}},
		{name: "chaos", what: "the server killed under load", packages: []string{"./tests/chaos"}, args: []string{"-count=1"}},
	}
}

type result struct {
	tier
	outcome string
	took    time.Duration
}

func main() {
	only := flag.String("only", "", "comma-separated tiers to run; all without it")
	seeds := flag.Int("seeds", 4000, "seeds of the simulation")
	flag.Parse()
	var results []result
	bad := false
	for _, t := range tiers(*seeds) {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), t.name) {
			results = append(results, result{tier: t, outcome: "not run: not asked for"})
			continue
		}
		if t.missing != nil && t.missing() != "" {
			results = append(results, result{tier: t, outcome: "not run: " + t.missing()})
			bad = bad || os.Getenv("CI") == "true"
			continue
		}
		r := run(t)
		bad = bad || r.outcome != "ok"
		results = append(results, r)
	}
	table(results)
	if bad {
		os.Exit(1)
	}
}

func run(t tier) result {
	fmt.Printf("── %s: %s\n", t.name, t.what)
	begin := time.Now()
	packages, err := expand(t.packages)
	if err == nil {
		args := []string{"test"}
		flags, rest := t.args, []string(nil)
		if i := slices.Index(t.args, "-args"); i >= 0 {
			flags, rest = t.args[:i], t.args[i:]
		}
		args = append(append(append(args, flags...), packages...), rest...)
		cmd := exec.Command("go", args...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		err = cmd.Run()
	}
	r := result{tier: t, outcome: "ok", took: time.Since(begin)}
	if err != nil {
		r.outcome = "FAILED: " + err.Error()
	}
	return r
}

// expand lists packages, without those that are to be left out.
func expand(patterns []string) ([]string, error) {
	var with, without []string
	for _, p := range patterns {
		if rest, not := strings.CutPrefix(p, "!"); not {
			without = append(without, rest)
		} else {
			with = append(with, p)
		}
	}
	out, err := exec.Command("go", append([]string{"list"}, with...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	packages := strings.Fields(string(out))
	return slices.DeleteFunc(packages, func(p string) bool {
		return slices.ContainsFunc(without, func(w string) bool { return strings.Contains(p, w) })
	}), nil
}

func table(results []result) {
	fmt.Println()
	for _, r := range results {
		took := ""
		if r.took > 0 {
			took = r.took.Round(100 * time.Millisecond).String()
		}
		fmt.Printf("  %-8s %-44s %8s  %s\n", r.name, r.what, took, r.outcome)
	}
	fmt.Println()
}
