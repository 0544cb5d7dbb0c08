package sim_test

import (
	"bytes"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestMutantsCompile tells whoever changes the engine at once: a mutant that is no program would be noticed by the tier of
// mutations only, a quarter of an hour later.
func TestMutantsCompile(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", ".")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[name] = file
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(name string) (io.ReadCloser, error) { return os.Open(exports[name]) })
	parsed := map[string]*ast.File{}
	for _, m := range allMutants() {
		changed := map[string][]byte{}
		for _, e := range m.edits() {
			if changed[e.file] == nil {
				b, err := os.ReadFile(filepath.Join("../..", e.file))
				if err != nil {
					t.Fatal(err)
				}
				changed[e.file] = b
			}
			changed[e.file] = bytes.Replace(changed[e.file], []byte(e.old), []byte(e.new), 1)
		}
		for file := range changed {
			dir := path.Dir(file)
			names, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
			if err != nil {
				t.Fatal(err)
			}
			var files []*ast.File
			for _, name := range names {
				rel := path.Join(dir, filepath.Base(name))
				if strings.HasSuffix(name, "_test.go") {
					continue
				}
				f := parsed[rel]
				if b, ok := changed[rel]; ok {
					if f, err = parser.ParseFile(fset, rel, b, parser.SkipObjectResolution); err != nil {
						t.Errorf("%s: %v", m.name, err)
						continue
					}
				} else if f == nil {
					if f, err = parser.ParseFile(fset, name, nil, parser.SkipObjectResolution); err != nil {
						t.Fatal(err)
					}
					parsed[rel] = f
				}
				files = append(files, f)
			}
			if _, err := (&types.Config{Importer: imports}).Check(path.Join("github.com/durable-lambda/durable-lambda", dir), fset, files, nil); err != nil {
				t.Errorf("%s: %v", m.name, err)
			}
		}
	}
}
