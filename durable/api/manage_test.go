package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/google/go-cmp/cmp"
)

func TestManage(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, path string
		status     int
		command    durable.Command
		reason     string
	}{
		{"terminate", "running/terminate?reason=out+of+stock", 202, durable.Terminate, "out of stock"},
		{"terminate with children", "running/terminate?recursive=true", 202, durable.Terminate, ""},
		{"terminate without a reason", "running/terminate", 202, durable.Terminate, ""},
		{"terminate suspended", "suspended/terminate", 202, durable.Terminate, ""},
		{"terminate pending", "pending/terminate", 202, durable.Terminate, ""},
		{"terminate unknown", "unknown/terminate", 404, 0, ""},
		{"terminate ended", "completed/terminate", 410, 0, ""},
		{"suspend", "running/suspend?reason=100%", 202, durable.Suspend, "100%"},
		{"suspend suspended", "suspended/suspend", 409, 0, ""},
		{"suspend unknown", "unknown/suspend", 404, 0, ""},
		{"suspend ended", "failed/suspend", 410, 0, ""},
		{"resume", "suspended/resume?reason=go", 202, durable.Resume, "go"},
		{"resume running", "running/resume", 409, 0, ""},
		{"resume unknown", "unknown/resume", 404, 0, ""},
		{"resume ended", "terminated/resume", 410, 0, ""},
		{"rewind", "failed/rewind?reason=paid+by+now", 202, durable.Rewind, "paid by now"},
		{"rewind unknown", "unknown/rewind", 404, 0, ""},
		{"rewind what no instance can be called", "a%23b/rewind", 404, 0, ""},
		{"rewind running", "running/rewind", 412, 0, ""},
		{"rewind completed", "completed/rewind", 412, 0, ""},
		{"rewind terminated", "terminated/rewind", 412, 0, ""},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := everyStatus()
			w := serve(t, f, "POST", instances+"/"+tc.path, "whatever")
			if w.Code != tc.status {
				t.Fatalf("status %d, want %d: %s", w.Code, tc.status, w.Body)
			}
			if accepted := tc.status == http.StatusAccepted; accepted != (w.Body.Len() == 0) {
				t.Errorf("status %d with the body %q", w.Code, w.Body)
			}
			if text := new(string); tc.status >= 400 && strings.Contains(tc.path, "/rewind") && (json.Unmarshal(w.Body.Bytes(), text) != nil || *text == "") {
				t.Errorf("the body is %s, want a JSON string with the reason", w.Body)
			}
			var want []durable.ManageRequest
			if tc.command != 0 {
				id, _, _ := strings.Cut(tc.path, "/")
				want = []durable.ManageRequest{{Instance: id, Command: tc.command, Reason: tc.reason, Recursive: strings.Contains(tc.path, "recursive=true")}}
			}
			if diff := cmp.Diff(want, f.commands); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}
