package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
)

// startAndEnd starts x with the query and lets it end as in says after some time; zero is never. It returns the answer
// and how long it took.
func startAndEnd(t *testing.T, query string, after time.Duration, in durable.Instance) (*httptest.ResponseRecorder, *fake, time.Duration) {
	t.Helper()
	f := newFake()
	in.ID = "x"
	if after > 0 {
		time.AfterFunc(after, func() { f.put(in) })
	}
	began := time.Now()
	w := serveWith(t, api.Config{Client: f, Hub: "Orders", MaxWait: 25 * time.Second}, "POST", start+"Hello/x?"+query, "")
	return w, f, time.Since(began)
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	completed := durable.Instance{Status: durable.Completed, Output: json.RawMessage(`{"ok":true}`)}
	failed := durable.Instance{Status: durable.Failed, Output: json.RawMessage(`"declined"`)}
	for _, tc := range []struct {
		rule, query string
		after       time.Duration
		end         durable.Instance
		status      int
		body        string
		took        time.Duration
		gets        int // polls leave the input out, so a status is read once more
	}{
		{"no timeout does not wait", "pollingInterval=1", 0, completed, 202, "", 0, 0},
		{"completed is 200 with the bare output", "timeout=10", 2500 * time.Millisecond, completed, 200, `{"ok":true}`, 3 * time.Second, 4},
		{"no output is null", "timeout=10", time.Millisecond, durable.Instance{Status: durable.Completed}, 200, "null", time.Second, 2},
		{"the interval is the client's", "timeout=10&pollingInterval=0.5", 700 * time.Millisecond, completed, 200, `{"ok":true}`, time.Second, 3},
		{"an interval of zero is no flood", "timeout=10&pollingInterval=0", 250 * time.Millisecond, completed, 200, `{"ok":true}`, 300 * time.Millisecond, 4},
		{"failed is its status", "timeout=10", time.Millisecond, failed, 200, "", time.Second, 3},
		{"failed is 500 when asked for", "timeout=10&returnInternalServerErrorOnFailure=true", time.Millisecond, failed, 500, "", time.Second, 3},
		{"terminated is its status", "timeout=10", time.Millisecond, durable.Instance{Status: durable.Terminated}, 200, "", time.Second, 3},
		{"the end of the time is check-status", "timeout=2.5", 0, completed, 202, "", 2500 * time.Millisecond, 4},
		{"a timeout under the default interval", "timeout=0.25", 0, completed, 202, "", 250 * time.Millisecond, 2},
		{"a timeout of zero looks once", "timeout=0", 0, completed, 202, "", 0, 1},
		{"suspended is not the end", "timeout=3", time.Millisecond, durable.Instance{Status: durable.Suspended}, 202, "", 3 * time.Second, 4},
		{"a timeout that is none is ignored", "timeout=soon", 0, completed, 202, "", 0, 0},
		{"a negative timeout is ignored", "timeout=-1", 0, completed, 202, "", 0, 0},
		{"MaxWait bounds the timeout", "timeout=1e300&pollingInterval=60", 0, completed, 202, "", 25 * time.Second, 2},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, f, took := startAndEnd(t, tc.query, tc.after, tc.end)
				if w.Code != tc.status || tc.body != "" && w.Body.String() != tc.body {
					t.Errorf("status %d with %s, want %d with %s", w.Code, w.Body, tc.status, tc.body)
				}
				if took != tc.took || f.gets != tc.gets {
					t.Errorf("waited %v with %d reads, want %v with %d", took, f.gets, tc.took, tc.gets)
				}
			})
		})
	}
}

func TestWaitingEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, err := api.New(api.Config{Client: newFake(), Hub: "Orders"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		began := time.Now()
		r := httptest.NewRequest(http.MethodPost, start+"Hello/x?timeout=60", nil).WithContext(ctx)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if took := time.Since(began); took != 1500*time.Millisecond {
			t.Errorf("waited %v for a request that ended after 1.5s", took)
		}
		if w.Code != http.StatusAccepted || w.Header().Get("Location") == "" {
			t.Errorf("the end of the request is answered with %d %s, want 202 with the links", w.Code, w.Body)
		}
	})
}
