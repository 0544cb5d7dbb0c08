package api_test

import (
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
)

func TestRestart(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, path string
		status     int
		body       string
		asked      *durable.RestartRequest
	}{
		{"with a new id", "completed/restart", 202, `"id":"made-up"`, &durable.RestartRequest{Instance: "completed", NewID: true}},
		{"with a new id beside what runs", "running/restart", 202, `"id":"made-up"`, &durable.RestartRequest{Instance: "running", NewID: true}},
		{"with the same id", "failed/Restart?restartWithNewInstanceId=False", 202, `"id":"failed"`, &durable.RestartRequest{Instance: "failed"}},
		{"with the same id while it runs", "running/restart?restartWithNewInstanceId=false", 409, "has not ended", nil},
		{"unknown", "unknown/restart", 404, "no instance with this id", nil},
		{"no id that an instance has", "@entity/restart", 404, "no instance with this id", nil},
		{"waiting for nothing", "completed/restart?timeout=0", 202, `"id":"made-up"`, &durable.RestartRequest{Instance: "completed", NewID: true}},
		{"an interval longer than the time-out", "completed/restart?timeout=1&pollingInterval=2", 400, "pollingInterval", nil},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := everyStatus()
			w := serve(t, f, "POST", instances+"/"+tc.path, "")
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.body) {
				t.Errorf("status %d with %s, want %d with %s", w.Code, w.Body, tc.status, tc.body)
			}
			if tc.status == 202 && w.Header().Get("Location") == "" {
				t.Error("there is no Location")
			}
			if tc.asked == nil && len(f.restarts) > 0 && tc.status == 400 || tc.asked != nil && (len(f.restarts) != 1 || f.restarts[0] != *tc.asked) {
				t.Errorf("asked for %v, want %v", f.restarts, tc.asked)
			}
		})
	}
}

func TestRestartAnswersWithTheOutputOfTheNewRun(t *testing.T) {
	t.Parallel()
	f := everyStatus()
	f.put(durable.Instance{ID: "made-up", Status: durable.Completed, Output: []byte(`"again"`)})
	f.restarted = "made-up"
	if w := serve(t, f, "POST", instances+"/completed/restart?timeout=5", ""); w.Code != 200 || w.Body.String() != `"again"` {
		t.Errorf("status %d with %s", w.Code, w.Body)
	}
}
