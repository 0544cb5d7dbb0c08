// Command tiers runs the tests tier by tier and ends with a table of what ran, and what did not and why.
//
// With CI=true a tier that did not run is a failure.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tier is one kind of tests.
type tier struct {
	name, what string
	// packages of go test; those that begin with ! are left out.
	packages []string
	args     []string
	// do is what the tier does instead of one go test.
	do func() error
	// missing prints what this machine lacks for the tier, and nothing when it has everything; nil: the tier needs only Go.
	missing *exec.Cmd
	// localstack says that the tier needs one, which is started when the first such tier begins, and stopped in the end.
	localstack bool
}

func tiers(seeds int) []tier {
	return []tier{
		{name: "unit", what: "unit, property, golden, architecture",
			packages: []string{"./...", "!/durable/backend/", "!/tests/sim", "!/tests/chaos", "!/tests/conformance"}},
		{name: "backend", what: "conformance of memory and Pebble, crashes", packages: []string{"./durable/backend/..."}},
		{name: "fuzz", what: "every fuzz target, " + executions + " inputs each", do: fuzz},
		{name: "sim", what: fmt.Sprintf("simulation, %d seeds", seeds), packages: []string{"./tests/sim"},
			args: []string{"-timeout", "30m", "-v", "-args", fmt.Sprintf("-seeds=%d", seeds)}},
		{name: "mutations", what: "TestMutants, TestShrinking: rules left out", packages: []string{"./tests/sim"},
			args: []string{"-timeout", "30m", "-v", "-run", "^(TestMutants|TestShrinking)$", "-parallel", "2", "-args", "-mutants=5000"}},
		{name: "conformance", what: "sentences on memory and Pebble, in five modes", do: conformance},
		{name: "chaos", what: "the server killed under load", packages: []string{"./tests/chaos"}, args: []string{"-count=1"}},
		{name: "bench", what: "allocations, growth, and who replays beside", do: benchmarks},
		{name: "template", what: "the SAM template: lint, rules, permissions, sizes", packages: []string{"./tests/template", "./tests/cold"},
			args: []string{"-tags=template", "-count=1"}, missing: exec.Command("infra/missing")},
		{name: "clients", what: "Azure's clients, answers against OpenAPI", packages: []string{"./tests/clients"},
			args: []string{"-tags=clients", "-count=1"}, missing: exec.Command("tests/clients/missing")},
		{name: "aws", what: "conformance on AWS but for two sentences, SES", packages: []string{"./durable/backend/aws", "./durable/mail/ses", "./cmd/durable", "./tests/conformance"},
			args: []string{"-tags=aws", "-count=1", "-parallel=8"}, missing: exec.Command("localstack/missing"), localstack: true},
		{name: "e2e", what: "the deployed template, end to end", packages: []string{"./tests/e2e"},
			args: []string{"-tags=e2e", "-count=1", "-timeout=20m"}, missing: exec.Command("localstack/missing"), localstack: true},
	}
}

type result struct {
	tier
	outcome string
	took    time.Duration
	unasked bool
}

func main() {
	only := flag.String("only", "", "comma-separated tiers to run; all without it")
	seeds := flag.Int("seeds", 20000, "seeds of the simulation")
	flag.Parse()
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cloud := &localstack{}
	var results []result
	if unknown := unknownTier(*only, tiers(*seeds)); unknown != "" {
		fmt.Fprintf(os.Stderr, "tiers: there is no tier %q: leave -only out to see them all\n", unknown)
		os.Exit(2)
	}
	for _, t := range tiers(*seeds) {
		if interrupted.Err() != nil {
			break
		}
		results = append(results, attempt(t, *only, cloud))
	}
	cloud.down()
	table(results)
	if interrupted.Err() != nil || slices.ContainsFunc(results, result.bad) {
		os.Exit(1)
	}
}

// unknownTier is the first name of a list that no tier has.
func unknownTier(only string, all []tier) string {
	for name := range strings.SplitSeq(only, ",") {
		if name != "" && !slices.ContainsFunc(all, func(t tier) bool { return t.name == name }) {
			return name
		}
	}
	return ""
}

// attempt runs a tier if it is asked for and can be run here.
func attempt(t tier, only string, cloud *localstack) result {
	if only != "" && !slices.Contains(strings.Split(only, ","), t.name) {
		return result{tier: t, outcome: "not run: not asked for", unasked: true}
	}
	if why := t.lacks(); why != "" {
		return result{tier: t, outcome: "not run: " + why}
	}
	if t.localstack {
		if err := cloud.up(); err != nil {
			return result{tier: t, outcome: "FAILED: LocalStack does not start: " + err.Error()}
		}
	}
	return run(t)
}

// bad reports whether a result makes the whole a failure. In CI that is so of a tier that could not be run, too.
func (r result) bad() bool {
	return r.outcome != "ok" && !r.unasked && (strings.HasPrefix(r.outcome, "FAILED") || os.Getenv("CI") == "true")
}

// lacks says what the machine lacks, in a line.
func (t tier) lacks() string {
	if t.missing == nil {
		return ""
	}
	out, err := t.missing.CombinedOutput()
	if why := strings.Join(strings.Fields(string(out)), " "); why != "" || err == nil {
		return why
	}
	return err.Error()
}

func run(t tier) result {
	fmt.Printf("── %s: %s\n", t.name, t.what)
	begin := time.Now()
	do := t.do
	if do == nil {
		do = t.test
	}
	r := result{tier: t, outcome: "ok"}
	if err := do(); err != nil {
		r.outcome = "FAILED: " + err.Error()
	}
	r.took = time.Since(begin)
	return r
}

// test runs the tier's packages in one go test.
func (t tier) test() error {
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
	return err
}

// conformance runs in the package's own folder, where go test shows what a test prints that passes: the table.
func conformance() error {
	cmd := exec.Command("go", "test", "-count=1", "-args", "-table")
	cmd.Dir = "tests/conformance"
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// benchmarks checks what of the benchmarks does not depend on the machine. Their module is not the product's.
func benchmarks() error {
	for _, c := range []struct {
		dir  string
		args []string
	}{{"bench", []string{"go", "vet", "./..."}}, {"bench", []string{"go", "test", "./..."}}, {".", []string{"make", "--no-print-directory", "bench-check"}}} {
		cmd := exec.Command(c.args[0], c.args[1:]...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	return nil
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
	if !strings.Contains(strings.Join(with, " "), "...") {
		return with, nil // whose files may all have a build tag, so that go list would find nothing
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
		fmt.Printf("  %-11s %-44s %8s  %s\n", r.name, r.what, took, r.outcome)
	}
	fmt.Println()
}
