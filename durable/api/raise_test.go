package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/google/go-cmp/cmp"
)

func TestRaise(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, path, contentType, body string
		want                          durable.EventRequest
	}{
		{"the body is the data, as received", "running/raiseEvent/Approval", "application/json", `{"ok": true}`,
			durable.EventRequest{Instance: "running", Name: "Approval", Data: json.RawMessage(`{"ok": true}`)}},
		{"a charset is fine", "running/raiseEvent/Approval", "Application/JSON; charset=utf-8", "1",
			durable.EventRequest{Instance: "running", Name: "Approval", Data: json.RawMessage("1")}},
		{"an empty body is null, whatever its type", "running/raiseEvent/Approval", "text/plain", "",
			durable.EventRequest{Instance: "running", Name: "Approval"}},
		{"no content type for no body", "running/raiseEvent/Approval", "", "", durable.EventRequest{Instance: "running", Name: "Approval"}},
		{"the empty string of the Node client is kept", "running/raiseEvent/Approval", "application/json", `""`,
			durable.EventRequest{Instance: "running", Name: "Approval", Data: json.RawMessage(`""`)}},
		{"pending accepts", "pending/raiseEvent/a%2Fb+c", "application/json", "1",
			durable.EventRequest{Instance: "pending", Name: "a/b+c", Data: json.RawMessage("1")}},
		{"suspended accepts", "suspended/raiseEvent/Approval", "application/json", "1",
			durable.EventRequest{Instance: "suspended", Name: "Approval", Data: json.RawMessage("1")}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := everyStatus()
			w := serve(t, f, "POST", instances+"/"+tc.path, tc.body, "Content-Type", tc.contentType)
			if w.Code != http.StatusAccepted || w.Body.Len() > 0 {
				t.Fatalf("status %d with %q, want 202 without a body", w.Code, w.Body)
			}
			if diff := cmp.Diff([]durable.EventRequest{tc.want}, f.events); diff != "" {
				t.Errorf("raised (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRaiseRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, id, contentType, body string
		status                      int
	}{
		{"unknown comes first", "unknown", "text/plain", "{", 404},
		{"ended comes second", "completed", "text/plain", "{", 410},
		{"failed has ended", "failed", "application/json", "1", 410},
		{"terminated has ended", "terminated", "application/json", "1", 410},
		{"canceled has ended", "canceled", "application/json", "1", 410},
		{"a wrong content type", "running", "text/plain", "1", 400},
		{"no content type", "running", "", "1", 400},
		{"a content type that only ends in json", "running", "application/problem+json", "1", 400},
		{"invalid JSON", "running", "application/json", "{", 400},
		{"a body over 4 MiB", "running", "application/json", `"` + strings.Repeat("x", 4<<20) + `"`, 413},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := everyStatus()
			w := serve(t, f, "POST", instances+"/"+tc.id+"/raiseEvent/Approval", tc.body, "Content-Type", tc.contentType)
			if w.Code != tc.status {
				t.Errorf("status %d, want %d: %s", w.Code, tc.status, w.Body)
			}
			if len(f.events) > 0 {
				t.Errorf("raised %v all the same", f.events)
			}
		})
	}
}

// everyStatus has one instance of each status, its id the status in lower case.
func everyStatus() *fake {
	f := newFake()
	for _, s := range []durable.Status{
		durable.Pending, durable.Running, durable.Suspended, durable.ContinuedAsNew,
		durable.Completed, durable.Failed, durable.Canceled, durable.Terminated,
	} {
		f.put(durable.Instance{ID: strings.ToLower(string(s)), Status: s})
	}
	return f
}
