package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/api"
)

// documentFile is the description as people read it, and as a change of it shows in a review.
const documentFile = "../../docs/openapi.json"

type operation struct {
	Summary, OperationID string
	Parameters           []struct {
		Name, In, Description string
		Required              bool
		Schema                map[string]any
	}
	RequestBody struct {
		Content map[string]struct{ Schema map[string]any }
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema map[string]any }
	}
}

func described(t *testing.T) (doc struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]any }
}, text []byte) {
	t.Helper()
	a, err := api.New(api.Config{Client: newFake(), Hub: "TestHub"})
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for _, path := range []string{"/openapi.json", api.Base + "/openapi.json", api.Base + "/OpenAPI.json"} {
		w := httptest.NewRecorder()
		a.With(nil).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if first == "" {
			first = w.Body.String()
		}
		if w.Code != 200 || w.Body.String() != first || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			t.Fatalf("%s is answered %d %s", path, w.Code, w.Body)
		}
	}
	if err := json.Unmarshal([]byte(first), &doc); err != nil {
		t.Fatal(err)
	}
	return doc, []byte(first)
}

func TestTheDescriptionIsTheOneWrittenDown(t *testing.T) {
	t.Parallel()
	_, text := described(t)
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	if *update {
		if err := os.WriteFile(documentFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("the API's description has changed: type go test ./durable/api -update, and look at docs/openapi.json in the commit (-written +now):\n%s", diff)
	}
}

func TestTheDescriptionIsWhole(t *testing.T) {
	t.Parallel()
	doc, text := described(t)
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("it is of OpenAPI %s", doc.OpenAPI)
	}
	for _, m := range regexp.MustCompile(`"\$ref":"#/components/schemas/(\w+)"`).FindAllSubmatch(text, -1) {
		if doc.Components.Schemas[string(m[1])] == nil {
			t.Errorf("there is no schema %s", m[1])
		}
	}
	ids := map[string]string{}
	for path, verbs := range doc.Paths {
		for verb, op := range verbs {
			what := verb + " " + path
			if op.Summary == "" || op.OperationID == "" || ids[op.OperationID] != "" {
				t.Errorf("%s has the summary %q, and the id %s, as %s", what, op.Summary, op.OperationID, ids[op.OperationID])
			}
			ids[op.OperationID] = what
			inPath := 0
			for _, p := range op.Parameters {
				if p.In == "path" {
					inPath++
				} else if p.Description == "" || p.Schema == nil {
					t.Errorf("%s: the parameter %s is not described", what, p.Name)
				}
				if p.Required != (p.In == "path" || verb == "delete" && p.Name == "createdTimeFrom") {
					t.Errorf("%s: the parameter %s: required %v", what, p.Name, p.Required)
				}
			}
			if want := strings.Count(path, "{"); inPath != want {
				t.Errorf("%s has %d parameters in its path, want %d", what, inPath, want)
			}
			if len(op.Responses) < 3 {
				t.Errorf("%s has the responses %v", what, op.Responses)
			}
		}
	}
}

// TestEveryRouteIsDescribed sends a request to each described route, and none is unknown; and what the package's page lists is described.
func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	doc, _ := described(t)
	fill := strings.NewReplacer("{name}", "Hello", "{id}", "x", "{event}", "Go", "{token}", "t", "{key}", "k")
	for path, verbs := range doc.Paths {
		for verb, op := range verbs {
			h, _, _ := guarded(t)
			w := send(h, strings.ToUpper(verb), fill.Replace(path), "", "all")
			if w.Code == 404 && w.Body.Len() == 0 || w.Code == 405 {
				t.Errorf("%s %s is answered %d", verb, path, w.Code)
			}
			answer, ok := op.Responses[fmt.Sprint(w.Code)]
			if !ok {
				t.Errorf("%s %s is answered %d, which is not described", verb, path, w.Code)
			}
			mediaType, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
			if _, ok := answer.Content[mediaType]; mediaType != "" && !ok {
				t.Errorf("%s %s is answered %d with %s, which is not described", verb, path, w.Code, mediaType)
			}
		}
	}
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^//\t(GET|POST|DELETE) +(/[^ \[\n]+)(\[.*\])?`).FindAllStringSubmatch(string(source), -1) {
		path := strings.Replace(m[2], "{eventName}", "{event}", 1)
		if _, ok := doc.Paths[api.Base+path][strings.ToLower(m[1])]; !ok && path != "/openapi.json" { // it does not describe itself
			t.Errorf("doc.go lists %s %s, which is not described", m[1], path)
		}
	}
}
