package sim_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mutantEnv names the mutant, of those that are built into the simulation, that runs; none when it is not set.
const mutantEnv = "DURABLE_MUTANT"

// selector is the package that knows which mutant runs. It exists in the build only.
const selector = `// Package mutant says which mutant runs.
package mutant

import (
	"os"
	"strconv"
)

// Runs is its number, from 1.
var Runs, _ = strconv.Atoi(os.Getenv("` + mutantEnv + `"))
`

// build compiles the simulation with all the mutants in it, and returns its name; mutant i is the one that mutantEnv calls i+1.
// A build for each would take ten times as long as looking for it does.
//
// Each function that a mutant changes is there twice, as it is and as the mutant has it, and begins by asking which is wanted: in the
// line of its opening brace, so that the lines keep their numbers.
func build(t *testing.T, all []mutant) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*source{}
	for i, m := range all {
		for file, text := range m.texts(t, root) {
			if files[file] == nil {
				files[file] = read(t, filepath.Join(root, file))
			}
			if err := files[file].add(i+1, text); err != nil {
				t.Fatalf("%s: %s: %v", m.name, file, err)
			}
		}
	}
	dir := t.TempDir()
	replace := map[string]string{filepath.Join(root, "internal/mutant/mutant.go"): filepath.Join(dir, "mutant.go")}
	write(t, filepath.Join(dir, "mutant.go"), []byte(selector))
	for i, file := range slices.Sorted(maps.Keys(files)) {
		name := filepath.Join(dir, strconv.Itoa(i)+".go")
		write(t, name, []byte(files[file].text()))
		replace[filepath.Join(root, file)] = name
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), list)
	binary := filepath.Join(dir, "sim.test")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary, "-vet=off", "-ldflags=-s -w", "-overlay", filepath.Join(dir, "overlay.json"), ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the mutants are no program: %v\n%s", err, out)
	}
	return binary
}

// texts are the files that a mutant changes, as it has them.
func (m mutant) texts(t *testing.T, root string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, e := range m.edits() {
		if texts[e.file] == "" {
			b, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				t.Fatal(err)
			}
			texts[e.file] = string(b)
		}
		if strings.Count(texts[e.file], e.old) != 1 {
			t.Fatalf("%s: %s has not once\n%s", m.name, e.file, e.old)
		}
		texts[e.file] = strings.Replace(texts[e.file], e.old, e.new, 1)
	}
	return texts
}

// source is a file of the engine, and what mutants make of its functions.
type source struct {
	old      string
	file     *ast.File
	fset     *token.FileSet
	ask      map[*ast.FuncDecl][]int // the mutants that have a function of their own
	variants []string
}

func read(t *testing.T, name string) *source {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s := &source{old: string(b), fset: token.NewFileSet(), ask: map[*ast.FuncDecl][]int{}}
	if s.file, err = parser.ParseFile(s.fset, name, b, parser.SkipObjectResolution); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *source) at(p token.Pos) int { return s.fset.Position(p).Offset }

// add takes the functions of a mutant that differ.
func (s *source) add(mutant int, text string) error {
	file, err := parser.ParseFile(s.fset, "", text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if len(file.Decls) != len(s.file.Decls) {
		return fmt.Errorf("it has %d declarations, not %d: change what is in a function", len(file.Decls), len(s.file.Decls))
	}
	for i, d := range file.Decls {
		was := s.file.Decls[i]
		if s.old[s.at(was.Pos()):s.at(was.End())] == text[s.at(d.Pos()):s.at(d.End())] {
			continue
		}
		f, ok := d.(*ast.FuncDecl)
		old, also := was.(*ast.FuncDecl)
		if !ok || !also || s.old[s.at(was.Pos()):s.at(old.Body.Pos())] != text[s.at(d.Pos()):s.at(f.Body.Pos())] {
			return fmt.Errorf("%q is not within a function", text[s.at(d.Pos()):s.at(d.End())])
		}
		s.ask[old] = append(s.ask[old], mutant)
		s.variants = append(s.variants, text[s.at(f.Pos()):s.at(f.Name.Pos())]+variant(mutant, f)+text[s.at(f.Name.End()):s.at(f.End())])
	}
	return nil
}

// variant is the name of a mutant's function.
func variant(mutant int, f *ast.FuncDecl) string {
	return fmt.Sprintf("mutant%d_%s", mutant, f.Name.Name)
}

// text is the file with all in it.
func (s *source) text() string {
	var b strings.Builder
	done := s.at(s.file.Name.End())
	b.WriteString(s.old[:done] + `; import "github.com/durable-lambda/durable-lambda/internal/mutant"`)
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || s.ask[f] == nil {
			continue
		}
		brace := s.at(f.Body.Lbrace) + 1
		b.WriteString(s.old[done:brace] + " switch mutant.Runs {")
		for _, mutant := range s.ask[f] {
			fmt.Fprintf(&b, " case %d: ", mutant)
			if f.Type.Results == nil {
				fmt.Fprintf(&b, "%s; return;", call(variant(mutant, f), f))
			} else {
				fmt.Fprintf(&b, "return %s;", call(variant(mutant, f), f))
			}
		}
		b.WriteString(" };")
		done = brace
	}
	b.WriteString(s.old[done:])
	for _, v := range s.variants {
		b.WriteString("\n" + v + "\n")
	}
	return b.String()
}

// call is a call of another function with the arguments of this one.
func call(name string, f *ast.FuncDecl) string {
	if f.Recv != nil {
		name = f.Recv.List[0].Names[0].Name + "." + name
	}
	if f.Type.TypeParams != nil {
		name += "[" + strings.Join(names(f.Type.TypeParams), ", ") + "]"
	}
	args := strings.Join(names(f.Type.Params), ", ")
	if l := f.Type.Params.List; len(l) > 0 {
		if _, variadic := l[len(l)-1].Type.(*ast.Ellipsis); variadic {
			args += "..."
		}
	}
	return name + "(" + args + ")"
}

func names(fields *ast.FieldList) []string {
	var all []string
	for _, f := range fields.List {
		for _, n := range f.Names {
			all = append(all, n.Name)
		}
	}
	return all
}
