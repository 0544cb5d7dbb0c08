package arch_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/api.txt")

// public are the packages that users import, in the order in which they meet them.
var public = []string{"durable", "durable/durabletest", "durable/schedule", "durable/client", "durable/client/httpclient", "durable/dev", "durable/awslambda", "durable/worker", "durable/web",
	"durable/api", "durable/access", "durable/links", "durable/dashboard", "durable/doctor", "durable/mail", "durable/mail/ses", "durable/backend", "durable/codec", "durable/codec/aesgcm"}

const apiFile = "../../docs/api.txt"

// TestAPIIsTheOneWrittenDown makes every change of what users can call visible in a review.
func TestAPIIsTheOneWrittenDown(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	for _, name := range public {
		declare(t, &b, name)
	}
	if *update {
		if err := os.WriteFile(apiFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(apiFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("what users can call has changed: type make api, and look at docs/api.txt in the commit (-written +now):\n%s", diff)
	}
}

// parse reads a package as it is built without tags.
func parse(t *testing.T, name string, mode parser.Mode) (*token.FileSet, *doc.Package) {
	t.Helper()
	dir := filepath.Join("../..", name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		if ok, err := build.Default.MatchFile(dir, e.Name()); err != nil || !ok {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.Join(dir, e.Name()), nil, mode)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	p, err := doc.NewFromFiles(fset, files, module+name)
	if err != nil {
		t.Fatal(err)
	}
	return fset, p
}

// declare writes the exported declarations of a package, without comments.
func declare(t *testing.T, b *bytes.Buffer, name string) {
	fset, p := parse(t, name, parser.SkipObjectResolution)
	fmt.Fprintf(b, "package %s // import %q\n\n", p.Name, module+name)
	show := func(d ast.Decl) {
		if err := (&printer.Config{Mode: printer.UseSpaces, Tabwidth: 4}).Fprint(b, fset, d); err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n\n")
	}
	values := func(all []*doc.Value) {
		for _, v := range all {
			show(v.Decl)
		}
	}
	funcs := func(all []*doc.Func) {
		for _, f := range all {
			f.Decl.Body = nil
			show(f.Decl)
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs(p.Funcs)
	for _, typ := range p.Types {
		show(typ.Decl)
		values(typ.Consts)
		values(typ.Vars)
		funcs(typ.Funcs)
		funcs(typ.Methods)
	}
}

func TestWhatUsersCallIsDocumented(t *testing.T) {
	t.Parallel()
	for _, name := range public {
		_, p := parse(t, name, parser.ParseComments|parser.SkipObjectResolution)
		if p.Doc == "" {
			t.Errorf("package %s has no doc comment", name)
		}
		for _, what := range undocumented(p) {
			t.Errorf("%s.%s has no doc comment: say what it does, and what whoever calls it can rely on", name, what)
		}
	}
}

// undocumented are the exported names without a comment of their own, or of the group that they are declared in.
func undocumented(p *doc.Package) (out []string) {
	values := func(all []*doc.Value) {
		for _, v := range all {
			for _, s := range v.Decl.Specs {
				if s, ok := s.(*ast.ValueSpec); ok && v.Doc == "" && s.Doc == nil && s.Comment == nil {
					for _, n := range s.Names {
						if n.IsExported() {
							out = append(out, n.Name)
						}
					}
				}
			}
		}
	}
	funcs := func(of string, all []*doc.Func) {
		for _, f := range all {
			if f.Doc == "" && !wellKnown[f.Name] {
				out = append(out, of+f.Name)
			}
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs("", p.Funcs)
	for _, typ := range p.Types {
		if typ.Doc == "" {
			out = append(out, typ.Name)
		}
		values(typ.Consts)
		values(typ.Vars)
		funcs("", typ.Funcs)
		funcs(typ.Name+".", typ.Methods)
	}
	return out
}

// wellKnown are methods of interfaces of the standard library, whose contract is theirs.
var wellKnown = map[string]bool{"Error": true, "String": true, "Unwrap": true, "ServeHTTP": true}
