package api_test

import (
	"strings"
	"testing"
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
