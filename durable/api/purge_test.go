package api_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
)

func TestPurge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, id string
		status   int
		body     string
	}{
		{"completed", "completed", 200, `{"instancesDeleted":1}`},
		{"failed", "failed", 200, `{"instancesDeleted":1}`},
		{"terminated", "terminated", 200, `{"instancesDeleted":1}`},
		{"running", "running", 412, "has not ended"},
		{"suspended", "suspended", 412, "has not ended"},
		{"unknown", "unknown", 404, "no instance with this id"},
		{"no id that an instance has", "@entity", 404, "no instance with this id"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := everyStatus()
			w := serve(t, f, "DELETE", instances+"/"+tc.id, "")
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.body) {
				t.Errorf("status %d with %s, want %d with %s", w.Code, w.Body, tc.status, tc.body)
			}
			if purged := len(f.purged) == 1 && f.purged[0] == tc.id; purged != (tc.status == 200) {
				t.Errorf("purged are %q", f.purged)
			}
		})
	}
}

func TestPurgeWhere(t *testing.T) {
	t.Parallel()
	const from = "createdTimeFrom=2026-01-01T00:00:00Z"
	then := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		rule, query string
		gone        durable.Purged
		err         error
		status      int
		body        string
		asked       *durable.Query
	}{
		{"some", from, durable.Purged{Instances: 3}, nil, 200, `{"instancesDeleted":3}`, &durable.Query{From: then}},
		{"none", from, durable.Purged{}, nil, 404, "no instance to purge", &durable.Query{From: then}},
		{"none so far", from, durable.Purged{Continue: "x"}, nil, 200, `{"instancesDeleted":0}`, &durable.Query{From: then}},
		{"all that selects", from + "&createdTimeTo=&runtimeStatus=Failed,,Completed&name=Hello&tag=a=b&q=z&customStatus=c&instanceIdPrefix=p",
			durable.Purged{Instances: 1}, nil, 200, `{"instancesDeleted":1}`, &durable.Query{From: then, Statuses: []durable.Status{durable.Failed, durable.Completed},
				Names: []string{"Hello"}, Tags: map[string]string{"a": "b"}, Text: "z", CustomStatus: "c", IDPrefix: "p"}},
		{"no createdTimeFrom", "createdTimeTo=2026-01-02T00:00:00Z", durable.Purged{}, nil, 400, "createdTimeFrom=2026", nil},
		{"a createdTimeFrom that is no time", "createdTimeFrom=yesterday", durable.Purged{}, nil, 400, "createdTimeFrom=2026", nil},
		{"a tag that is none", from + "&tag=blue", durable.Purged{}, nil, 400, "tag=key=value", nil},
		{"a createdTimeTo that is no time", from + "&createdTimeTo=2026-01-02", durable.Purged{}, nil, 400, "createdTimeTo=2026", nil},
		{"a status that is none", from + "&runtimeStatus=Failed,Complted", durable.Purged{}, nil, 400, "Complted", nil},
		{"an error", from, durable.Purged{Instances: 3}, errors.New("on fire"), 500, "on fire", &durable.Query{From: then}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.gone, f.err = tc.gone, tc.err
			w := serve(t, f, "DELETE", instances+"?"+tc.query, "")
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.body) {
				t.Errorf("status %d with %s, want %d with %s", w.Code, w.Body, tc.status, tc.body)
			}
			var asked *durable.Query
			if len(f.purges) == 1 {
				asked = &f.purges[0].Where
			}
			if diff := cmp.Diff(tc.asked, asked); diff != "" {
				t.Errorf("asked for: -want +got:\n%s", diff)
			}
		})
	}
}

func TestPurgeWhereGoesOn(t *testing.T) {
	t.Parallel()
	const query = instances + "?createdTimeFrom=2026-01-01T00:00:00Z"
	f := newFake()
	f.gone = durable.Purged{Instances: 500, Continue: "after 注文"}
	w := serveWith(t, api.Config{Client: f, Hub: "Orders", MaxWait: 5 * time.Second}, "DELETE", query, "")
	token := w.Header().Get("x-ms-continuation-token")
	if w.Code != 200 || token == "" {
		t.Fatalf("status %d, token %q", w.Code, token)
	}
	f.gone = durable.Purged{}
	if w = serve(t, f, "DELETE", query, "", "x-ms-continuation-token", token); w.Code != 200 || w.Header().Get("x-ms-continuation-token") != "" {
		t.Errorf("status %d with %s and a token %q, want 200 without", w.Code, w.Body, w.Header().Get("x-ms-continuation-token"))
	}
	if got := fmt.Sprintf("%v %v %s", f.purges[0].Budget, f.purges[1].Budget, f.purges[1].Where.Continue); got != "5s 20s after 注文" {
		t.Errorf("the budgets, and where it goes on: %s", got)
	}
	if w = serve(t, f, "DELETE", query, "", "x-ms-continuation-token", "!"); w.Code != 400 || len(f.purges) != 2 {
		t.Errorf("status %d for what is no token, after %d purges", w.Code, len(f.purges))
	}
}
