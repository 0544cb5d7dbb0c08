package sim_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	mutate      = flag.Int("mutants", 0, "break the engine in each known way, and look for it with that many seeds")
	mutateNamed = flag.String("mutant", "", "only those whose name contains this")
)

// mutant is one rule of the protocol left out. The old text must occur once in the file.
type mutant struct {
	name, file, old, new string
	// survives says why hardly a seed, or none, can catch it.
	survives string
}

// TestMutants shows that the simulator can fail. The mutated files are laid over the module for one build at a time;
// nothing is written into it.
func TestMutants(t *testing.T) {
	if *mutate == 0 {
		t.Skip("a build for each mutant: run with -mutants SEEDS")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		if !strings.Contains(m.name, *mutateNamed) {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			first := m.run(t, root)
			switch {
			case first != "":
				t.Log(first)
			case m.survives != "":
				t.Logf("not caught: %s", m.survives)
			default:
				t.Errorf("%d seeds do not notice", *mutate)
			}
		})
	}
}

var failed = regexp.MustCompile(`seed (\d+) failed: (.*)`)

// run returns the lowest seed that fails, and why; empty when none does.
func (m mutant) run(t *testing.T, root string) string {
	t.Helper()
	file := filepath.Join(root, m.file)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(b), m.old) != 1 {
		t.Fatalf("%s has not once\n%s", m.file, m.old)
	}
	dir := t.TempDir()
	mutated := filepath.Join(dir, "mutated.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{file: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"mutated.go": []byte(strings.Replace(string(b), m.old, m.new, 1)), "overlay.json": overlay} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-overlay", filepath.Join(dir, "overlay.json"),
		"-run", "^TestSim$", ".", "-seeds", strconv.Itoa(*mutate))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	lowest, why := -1, ""
	for _, found := range failed.FindAllStringSubmatch(string(out), -1) {
		if n, _ := strconv.Atoi(found[1]); lowest < 0 || n < lowest {
			lowest, why = n, found[2]
		}
	}
	if lowest < 0 {
		t.Fatalf("it does not run:\n%s", out)
	}
	return "seed " + strconv.Itoa(lowest) + ": " + why
}
