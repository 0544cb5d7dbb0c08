package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/google/go-cmp/cmp"
)

func TestListQuery(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, query string
		want        durable.Query
	}{
		{"nothing selects everything", "", durable.Query{}},
		{"instanceIdPrefix", "InstanceIdPrefix=order+4", durable.Query{IDPrefix: "order 4"}},
		{"times", "createdTimeFrom=2026-01-01T00:00:00Z&createdTimeTo=2026-01-02T00:00:00",
			durable.Query{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}},
		{"a comma list of statuses", "runtimeStatus=Running,Failed", durable.Query{Statuses: []durable.Status{durable.Running, durable.Failed}}},
		{"repeated statuses", "runtimeStatus=Running&runtimeStatus=Failed,pending",
			durable.Query{Statuses: []durable.Status{durable.Running, durable.Failed, durable.Pending}}},
		{"unknown statuses are dropped", "runtimeStatus=Sleeping,Running", durable.Query{Statuses: []durable.Status{durable.Running}}},
		{"only unknown statuses select everything", "runtimeStatus=Sleeping", durable.Query{}},
		{"top", "top=7", durable.Query{Limit: 7}},
		{"a top that is none is ignored", "top=many", durable.Query{}},
		{"a negative top is ignored", "top=-7", durable.Query{}},
		{"name", "name=Hello&name=ProcessOrder", durable.Query{Names: []string{"Hello", "ProcessOrder"}}},
		{"tags", "tag=team=blue&tag=note%3Da=b&Tag=none&tag==x", durable.Query{Tags: map[string]string{"team": "blue", "note": "a=b"}}},
		{"customStatus", "customStatus=half+way", durable.Query{CustomStatus: "half way"}},
		{"q", "q=Ada", durable.Query{Text: "Ada"}},
		{"taskHub, connection and code are accepted", "taskHub=H&connection=C&code=k", durable.Query{}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			if w := serve(t, f, "GET", instances+"?"+tc.query, ""); w.Code != http.StatusOK || w.Body.String() != "[]" {
				t.Errorf("status %d with %s, want 200 with []", w.Code, w.Body)
			}
			if diff := cmp.Diff([]durable.Query{tc.want}, f.queries); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.page = durable.Page{
		Instances: []durable.Instance{
			{ID: "b", Name: "Hello", Status: durable.Running, Input: json.RawMessage("1"), Created: created, Updated: created},
			{ID: "a", Name: "Hello", Status: durable.Completed, Output: json.RawMessage(`"done"`), Created: created, Updated: created},
		},
		Continue: "after 注文\n42",
	}
	w := serve(t, f, "GET", instances+"?showInput=false", "")
	golden(t, w, "list")
	token := w.Header().Get("x-ms-continuation-token")

	f.page = durable.Page{}
	w = serve(t, f, "GET", instances, "", "X-MS-Continuation-Token", token)
	if got := f.queries[1].Continue; got != "after 注文\n42" {
		t.Errorf("the second page continues %q", got)
	}
	if got, there := w.Header()["X-Ms-Continuation-Token"]; there {
		t.Errorf("the last page has the continuation token %q", got)
	}
	golden(t, serve(t, f, "GET", instances, "", "x-ms-continuation-token", "no token!"), "list-bad-token")
}

func TestListRefusesTokensOfOthers(t *testing.T) {
	t.Parallel()
	for rule, token := range map[string]string{
		"not base64url":                         "no token!",
		"padded":                                "eA==",
		"bits that a token does not set":        "zzz",
		"a place that the client does not know": "eA",
	} {
		f := newFake()
		if token == "eA" {
			f.err = fmt.Errorf("list: %w", durable.ErrInvalid)
		}
		w := serve(t, f, "GET", instances, "", "x-ms-continuation-token", token)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "ExceptionMessage") {
			t.Errorf("%s: status %d: %s", rule, w.Code, w.Body)
		}
		if asked := len(f.queries) > 0; asked != (f.err != nil) {
			t.Errorf("%s: the client was asked: %t", rule, asked)
		}
	}
}
