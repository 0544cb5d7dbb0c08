//go:build template

package template_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type resource struct {
	name       string
	Type       string
	Condition  string
	Properties any
	Metadata   map[string]any
	Deletion   string `json:"DeletionPolicy"`
	Replacing  string `json:"UpdateReplacePolicy"`
}

// of returns the resources of a type, by name.
func (s *stack) of(kind string) []resource {
	var found []resource
	for _, r := range s.resources {
		if r.Type == kind {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b resource) int { return strings.Compare(a.name, b.name) })
	return found
}

// one returns a resource that must be there.
func (s *stack) one(t *testing.T, name string) resource {
	t.Helper()
	r, ok := s.resources[name]
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	return r
}

// get follows a path of keys into the properties; nil when there is nothing.
func (r resource) get(path ...string) any { return dig(r.Properties, path...) }

func dig(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// list is v as a list: CloudFormation takes one thing for a list of one.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// names are strings of a list, with ${ and } around references left out.
func names(v any) []string {
	var out []string
	for _, e := range list(v) {
		s, _ := e.(string)
		out = append(out, strings.NewReplacer("${", "", "}", "", ".Arn", "").Replace(s))
	}
	return out
}

// same compares two values.
func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it differs (-want +got):\n%s", diff)
	}
}
