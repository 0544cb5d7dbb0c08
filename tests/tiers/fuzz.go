package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// executions is how many inputs each fuzz target is tried with: a number and no time, so that a slow machine tries as many.
const executions = "2000x"

var target = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// fuzz runs every fuzz target of the module, one by one: go test takes no more at a time.
func fuzz() error {
	// A target's arguments beside the new inputs are those that are saved in testdata, which every go test runs.
	out, err := exec.Command("go", "list", "-f", "{{$d := .Dir}}{{$p := .ImportPath}}{{range .TestGoFiles}}{{$p}} {{$d}}/{{.}}\n{{end}}{{range .XTestGoFiles}}{{$p}} {{$d}}/{{.}}\n{{end}}", "./...").Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		pkg, file, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, found := range target.FindAllSubmatch(source, -1) {
			if err := fuzzOne(pkg, filepath.Dir(file), string(found[1])); err != nil {
				return err
			}
			n++
		}
	}
	fmt.Printf("%d fuzz targets, %s each\n", n, executions)
	return nil
}

func fuzzOne(pkg, dir, name string) error {
	if corpus, err := os.ReadDir(filepath.Join(dir, "testdata", "fuzz", name)); err != nil || len(corpus) == 0 {
		return fmt.Errorf("%s of %s has no corpus: save inputs that matter in testdata/fuzz/%s", name, pkg, name)
	}
	var all bytes.Buffer
	cmd := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+name+"$", "-fuzztime", executions, pkg)
	cmd.Stdout, cmd.Stderr = &all, &all
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s of %s: %w\n%s", name, pkg, err, all.Bytes())
	}
	return nil
}
