package arch_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	limitsSource = "../../durable/history/limits.go"
	limitsFile   = "../../docs/limits.md"
)

// TestLimitsAreTheOnesWrittenDown keeps docs/limits.md the same as the limits that the code has, with their comments.
func TestLimitsAreTheOnesWrittenDown(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, limitsSource, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# Limits\n\nWhat an instance may hold. The table is written by `make api` from `durable/history/limits.go`, and checked.\n\n" +
		"| limit | value | of what |\n|---|---|---|\n")
	n := 0
	for _, d := range file.Decls {
		d, ok := d.(*ast.GenDecl)
		if !ok || d.Tok != token.CONST {
			continue
		}
		for _, s := range d.Specs {
			s := s.(*ast.ValueSpec)
			what := strings.TrimSpace(s.Comment.Text())
			if what == "" {
				t.Errorf("%s has no comment: say of what it is, and where it comes from", s.Names[0].Name)
			}
			v, err := types.Eval(fset, nil, token.NoPos, types.ExprString(s.Values[0]))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Names[0].Name, v.Value.ExactString(), what)
			n++
		}
	}
	if n < 10 {
		t.Errorf("%d limits were found: this test sees nothing", n)
	}
	if *update {
		if err := os.WriteFile(limitsFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(limitsFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("the limits have changed: type make api (-written +now):\n%s", diff)
	}
}
