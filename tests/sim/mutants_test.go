package sim_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	mutate      = flag.Int("mutants", 0, "break the engine in each known way, and look for it with that many seeds")
	mutateNamed = flag.String("mutant", "", "only those whose name contains this")
	harmless    = flag.Bool("harmless", false, "look for those as well that are argued to be harmless: no outcome of that is a failure")
	learn       = flag.Bool("learn", false, "write down which seed has met each mutant")
)

// metFile has, for each mutant that a seed meets, such a seed: it is tried first. Where the code has changed so that it does not meet it
// any more, the others are tried from the first on, which takes longer; -learn writes the file anew.
const metFile = "testdata/mutants.txt"

// met reads metFile.
func met(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(metFile)
	if err != nil {
		t.Fatal(err)
	}
	seeds := map[string]int{}
	for line := range strings.Lines(string(text)) {
		seed, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if seeds[name], err = strconv.Atoi(seed); err != nil {
			t.Fatalf("%s: %q: %v", metFile, line, err)
		}
	}
	return seeds
}

// harmlessSeeds is how many seeds a mutant gets that is argued to be harmless.
const harmlessSeeds = 100

// mutant is one rule of the protocol left out, or several where each makes up for the others.
type mutant struct {
	name, file, old, new string
	// and are more places to change.
	and []edit
	// crash is the scenario, crashed everywhere, that notices what seeds meet too seldom.
	crash string
	// survives says why no seed, or hardly one, can catch it.
	survives string
}

// edit changes a file. The old text must occur once in it.
type edit struct{ file, old, new string }

func (m mutant) edits() []edit { return append([]edit{{m.file, m.old, m.new}}, m.and...) }

// allMutants are those of every list.
func allMutants() []mutant { return slices.Concat(mutants, madeMutants, familyMutants, resetMutants) }

// TestMutants shows that the simulator can fail.
func TestMutants(t *testing.T) {
	if *mutate == 0 {
		t.Skip("not run here: a build with all mutants in it; the tier mutations runs it, make sim-mutations")
	}
	all := allMutants()
	binary := build(t, all)
	if out, err := simulation(t, binary, 0, "-test.run=^TestSim$", "-seeds=500").CombinedOutput(); err != nil {
		t.Fatalf("it fails with no mutant at all:\n%s", out)
	}
	before, now := met(t), map[string]int{}
	var lock sync.Mutex
	t.Cleanup(func() {
		if !*learn {
			return
		}
		var text strings.Builder
		for _, name := range slices.Sorted(maps.Keys(now)) {
			fmt.Fprintln(&text, now[name], name)
		}
		write(t, metFile, []byte(text.String()))
	})
	for i, m := range all {
		if !strings.Contains(m.name, *mutateNamed) {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			if m.survives != "" && !*harmless && !*learn {
				t.Logf("%s: not looked for: %s", m.name, m.survives)
				return
			}
			if m.crash != "" {
				why := m.crashed(t, binary, i+1)
				if t.Logf("%s: %s, %s", m.name, m.crash, why); why == "" {
					t.Error("no crash notices")
				}
				return
			}
			first, why := m.run(t, binary, i+1, before[m.name])
			switch {
			case first > 0:
				lock.Lock()
				now[m.name] = first
				lock.Unlock()
				t.Logf("%s: seed %d (%v): %s", m.name, first, time.Since(begin).Round(100*time.Millisecond), why)
			case m.survives != "":
				t.Logf("%s: not caught: %s", m.name, m.survives)
			default:
				t.Errorf("%s: %d seeds do not notice", m.name, *mutate)
			}
		})
	}
}

// TestMutantsAreOfThisCode tells whoever changes the engine which mutants to change with it.
func TestMutantsAreOfThisCode(t *testing.T) {
	t.Parallel()
	for _, m := range allMutants() {
		for _, e := range m.edits() {
			b, err := os.ReadFile(filepath.Join("../..", e.file))
			if n := strings.Count(string(b), e.old); err != nil || n != 1 {
				t.Errorf("%s: %s has %d times, not once (%v)\n%s", m.name, e.file, n, err, e.old)
			}
		}
	}
}

// TestShrinking shows that a small program is found for a rule that is left out.
func TestShrinking(t *testing.T) {
	if *mutate == 0 || *mutateNamed != "" {
		t.Skip("not run here: a build of its own; the tier mutations runs it, make sim-mutations")
	}
	m := mutants[slices.IndexFunc(mutants, func(m mutant) bool { return m.name == "consumed messages owe nothing" })]
	out, _ := simulation(t, build(t, []mutant{m}), 1, "-test.run=^TestSim$", "-failures=1").CombinedOutput()
	_, found, ok := strings.Cut(string(out), "the smallest program found: ")
	if nodes := strings.Count(found, `"Do":`); !ok || nodes == 0 || nodes > 3 {
		t.Errorf("the smallest program has %d nodes:\n%s", nodes, out)
	}
	program, _, _ := strings.Cut(found, `"Plan"`)
	t.Log(program)
}

var failed = regexp.MustCompile(`seed (\d+) failed: (.*)`)

// simulation is a run of a build with one of its mutants, or with none: 0.
func simulation(t *testing.T, binary string, mutant int, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"-test.timeout=10m"}, args...)...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", mutantEnv, mutant))
	return cmd
}

// run returns a seed that fails, the one to try or else the first, and why; 0 when none does.
func (m mutant) run(t *testing.T, binary string, number, try int) (seed int, why string) {
	t.Helper()
	seeds := *mutate
	if m.survives != "" {
		seeds = min(seeds, harmlessSeeds)
	}
	cmd := simulation(t, binary, number, "-test.run=^TestSim$", fmt.Sprint("-seeds=", seeds), "-failures=1", "-shrink=false", fmt.Sprint("-try=", try))
	cmd.Env = append(cmd.Env, "GOMAXPROCS=1") // one after the other, so that the seed named is the first
	out, err := cmd.CombinedOutput()
	if err == nil {
		return 0, ""
	}
	found := failed.FindStringSubmatch(string(out))
	if found == nil {
		t.Fatalf("it does not run:\n%s", out)
	}
	seed, _ = strconv.Atoi(found[1])
	return seed, found[2]
}

// crashed returns what TestCrashEverywhere finds in the mutant's scenario.
func (m mutant) crashed(t *testing.T, binary string, number int) string {
	t.Helper()
	out, _ := simulation(t, binary, number, "-test.run=^TestCrashEverywhere$/^scenarios$/^"+strings.ReplaceAll(m.crash, " ", "_")+"$").CombinedOutput()
	return string(regexp.MustCompile(`crashes at .*|step \d+: .*`).Find(out))
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
