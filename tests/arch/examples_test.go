package arch_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unshown are what no example needs to show, each with the reason; of a type, its values and methods too.
var unshown = map[string]string{
	"ActivityInfo":                 "for who writes a shell, or a test of a body",
	"WithActivityInfo":             "for who writes a shell, or a test of a body",
	"Status":                       "examples print it",
	"Instance":                     "what Client.Get returns",
	"HistoryEvent":                 "what Client.History returns",
	"InstanceRef":                  "what Client.Start returns, and Submit wraps",
	"Page":                         "what Client.List returns",
	"Purged":                       "what Client.PurgeWhere returns",
	"Report":                       "what Complete, Fail and Heartbeat of an activity send",
	"ReportRequest":                "what Complete, Fail and Heartbeat of an activity send",
	"EventRequest":                 "what Event.Raise sends",
	"StartRequest":                 "what Orchestration.Submit sends",
	"InstanceID":                   "an accessor",
	"Result":                       "what Map returns",
	"DropEvents":                   "ContinueAsNew without what was shown of it",
	"Activity.Name":                "an accessor",
	"Event.Name":                   "an accessor",
	"Orchestration.Name":           "an accessor",
	"Orchestration.CurrentVersion": "an accessor; the option of that name is shown",
	"Orchestration.CheckInput":     "for who writes a server that takes inputs",
	"Orchestration.DecodeInput":    "for who writes a server that takes inputs",
	"Reuse.Allows":                 "for who writes a Client",
	"ReuseEnded":                   "what holds without an option",
	"RefuseStart":                  "what holds without an option",
	"ReplaceExisting":              "waits for the end of another instance, while an example's clock stands",
	"HTTPToken":                    "its header is what the server gets, and an example has no server",
	"Context.Unwinding":            "is true where code is about to vanish, which prints nothing",
	"ResetRequest":                 "package client's tests show what an instance is reset to",
}

// TestEveryConceptHasAnExample goes red when a function, an option, or a method of package durable is in no example that go test runs.
func TestEveryConceptHasAnExample(t *testing.T) {
	t.Parallel()
	used := shown(t)
	_, p := parse(t, "durable", parser.ParseComments|parser.SkipObjectResolution)
	for _, name := range concepts(p) {
		reason, excepted := unshown[name]
		written := used[name]
		if _, method, ok := strings.Cut(name, "."); ok {
			written = used["."+method]
		}
		switch {
		case !written && !excepted:
			t.Errorf("durable.%s is in no example: write one in durable/example_*_test.go, with its output", name)
		case written && excepted:
			t.Errorf("durable.%s is in an example: it is no exception any more (%s)", name, reason)
		}
	}
}

// concepts are the functions and options of a package, the structs that callers fill in or read, and the methods of types as
// Type.Method. Errors to compare with are no concepts of their own.
func concepts(p *doc.Package) (names []string) {
	add := func(of string, funcs []*doc.Func, values ...[]*doc.Value) {
		for _, f := range funcs {
			if !wellKnown[f.Name] {
				names = append(names, of+f.Name)
			}
		}
		for _, group := range values {
			for _, v := range group {
				for _, name := range v.Names {
					if ast.IsExported(name) && !strings.HasPrefix(name, "Err") {
						names = append(names, name)
					}
				}
			}
		}
	}
	add("", p.Funcs, p.Vars)
	for _, typ := range p.Types {
		if s, ok := typ.Decl.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType); ok && slices.ContainsFunc(s.Fields.List, exported) {
			names = append(names, typ.Name)
		}
		if unshown[typ.Name] == "" {
			add("", typ.Funcs, typ.Consts, typ.Vars)
			add(typ.Name+".", typ.Methods)
		}
	}
	return names
}

func exported(f *ast.Field) bool {
	return slices.ContainsFunc(f.Names, func(n *ast.Ident) bool { return n.IsExported() })
}

// shown are the names that examples of package durable with an output write behind durable. or, of a method, behind a dot.
func shown(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../../durable/example*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	used := map[string]bool{}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range doc.Examples(f) {
			if e.Output == "" {
				t.Errorf("Example%s has no output: go test does not run it", e.Name)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "durable" {
					used[s.Sel.Name] = true
				} else {
					used["."+s.Sel.Name] = true
				}
			}
			return true
		})
	}
	return used
}
