package api_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

const instances = "/runtime/webhooks/durabletask/instances"

func TestStatusCodes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status     durable.Status
		query      string
		code       int
		location   string
		retryAfter string
	}{
		{durable.Pending, "", 202, base + "/instances/x", "5"},
		{durable.Running, "?Code=k&showinput=False", 202, base + "/instances/x?Code=k&showinput=False", "5"},
		{durable.Running, "?a=売 b", 202, base + "/instances/x?a=%E5%A3%B2%20b", "5"},
		{durable.ContinuedAsNew, "", 202, base + "/instances/x", "5"},
		{durable.Suspended, "", 202, base + "/instances/x", "5"},
		{durable.Completed, "", 200, "", ""},
		{durable.Terminated, "", 200, "", ""},
		{durable.Canceled, "", 200, "", ""},
		{durable.Failed, "", 200, "", ""},
		{durable.Failed, "?returnInternalServerErrorOnFailure=True", 500, "", ""},
		{durable.Completed, "?returnInternalServerErrorOnFailure=true", 200, "", ""},
	} {
		t.Run(string(tc.status)+tc.query, func(t *testing.T) {
			t.Parallel()
			f := newFake(durable.Instance{ID: "x", Status: tc.status})
			w := serve(t, f, "GET", instances+"/x"+tc.query, "")
			if w.Code != tc.code {
				t.Errorf("status %d, want %d", w.Code, tc.code)
			}
			if got := w.Header().Get("Location"); got != tc.location {
				t.Errorf("Location %q, want %q", got, tc.location)
			}
			if got := w.Header().Get("Retry-After"); got != tc.retryAfter {
				t.Errorf("Retry-After %q, want %q", got, tc.retryAfter)
			}
		})
	}
}

func TestStatusObject(t *testing.T) {
	t.Parallel()
	failure := &history.Failure{
		Kind: "Declined", Message: "card <4> & co declined", Activity: "ChargeCard", Attempt: 3, Permanent: true,
		Causes: []history.Failure{{Message: "no funds"}, {Kind: "Audit", Message: "logged"}}, Properties: map[string]string{"code": "51"},
	}
	f := newFake(
		durable.Instance{ID: "bare", Name: "Hello", Status: durable.Pending},
		durable.Instance{ID: "failed", Name: "Hello", Status: durable.Failed, Output: json.RawMessage(`"card declined"`), Failure: failure},
		durable.Instance{
			ID: "full 注文", Name: "Hello", Version: 2, Status: durable.Suspended, Input: json.RawMessage(`{"n":1.0,"html":"<b>&"}`),
			CustomStatus: json.RawMessage(`"half-way"`), SuspendReason: "stock taking", Tags: map[string]string{"shop": "north"},
			Created: created.In(time.FixedZone("", 3600)), Updated: created.Add(time.Hour),
		},
		durable.Instance{ID: "odd", Name: "Hello", Status: durable.Terminated, Output: json.RawMessage(`not JSON`)},
	)
	golden(t, serve(t, f, "GET", instances+"/bare", ""), "status-bare")
	golden(t, serve(t, f, "GET", instances+"/failed", ""), "status-failed")
	golden(t, serve(t, f, "GET", instances+"/full%20%E6%B3%A8%E6%96%87", ""), "status-full")
	golden(t, serve(t, f, "GET", instances+"/full%20%E6%B3%A8%E6%96%87?showInput=false", ""), "status-without-input")
	golden(t, serve(t, f, "GET", instances+"/odd", ""), "status-output-not-json")
	golden(t, serve(t, f, "GET", instances+"/unknown", ""), "status-unknown")
}

func TestStatusOfABrokenBackend(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.err = errors.New("get: table orders: throttled")
	golden(t, serve(t, f, "GET", instances+"/x", ""), "backend-error")
}
