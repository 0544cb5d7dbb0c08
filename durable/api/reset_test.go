package api_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
)

func TestReset(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, path, body string
		err              error
		status           int
		says             string
		want             *durable.ResetRequest
	}{
		{rule: "again", path: "completed/reset", body: `{"operation":"2.0.1"}`, status: 202,
			want: &durable.ResetRequest{Instance: "completed", Operation: "2.0.1"}},
		{rule: "with a result", path: "running/Reset", body: `{"operation":"2","result":{"a":1},"reason":"it was wrong"}`, status: 202,
			want: &durable.ResetRequest{Instance: "running", Operation: "2", Result: []byte(`{"a":1}`), Reason: "it was wrong"}},
		{rule: "with null as the result", path: "failed/reset", body: `{"operation":"2","result":null}`, status: 202,
			want: &durable.ResetRequest{Instance: "failed", Operation: "2", Result: []byte(`null`)}},
		{rule: "with an input", path: "suspended/reset", body: `{"operation":"start","input":[]}`, status: 202,
			want: &durable.ResetRequest{Instance: "suspended", Operation: "start", Input: []byte(`[]`)}},
		{rule: "without a body", path: "running/reset", status: 400, says: `Send {\"operation\":`},
		{rule: "without an operation", path: "running/reset", body: `{"result":1}`, status: 400, says: "does not say what to reset"},
		{rule: "with a typing error", path: "running/reset", body: `{"operation":"2","results":1}`, status: 400, says: `unknown field \"results\"`},
		{rule: "no object", path: "running/reset", body: `"2"`, status: 400, says: "does not say what to reset"},
		{rule: "no text", path: "running/reset", body: `{"operation":2}`, status: 400, says: "body.operation must be"},
		{rule: "no JSON", path: "running/reset", body: `{"operation":`, status: 400, says: "not valid JSON"},
		{rule: "unknown", path: "unknown/reset", body: `{"operation":"2"}`, status: 404, says: "no instance with this id"},
		{rule: "no id that an instance has", path: "@entity/reset", body: `{"operation":"2"}`, status: 404, says: "no instance with this id"},
		{rule: "what cannot be", path: "running/reset", body: `{"operation":"7"}`, status: 409, says: "there is no operation 7",
			err:  fmt.Errorf("%w: %w", durable.ErrNotResettable, errors.New("there is no operation 7")),
			want: &durable.ResetRequest{Instance: "running", Operation: "7"}},
		{rule: "what can never be", path: "running/reset", body: `{"operation":"x"}`, status: 400, says: "not valid", err: durable.ErrInvalid,
			want: &durable.ResetRequest{Instance: "running", Operation: "x"}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := everyStatus()
			f.err = tc.err
			w := serve(t, f, "POST", instances+"/"+tc.path, tc.body)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.says) || tc.status == 202 && w.Body.Len() > 0 {
				t.Errorf("status %d with %s, want %d with %s", w.Code, w.Body, tc.status, tc.says)
			}
			var want []durable.ResetRequest
			if tc.want != nil {
				want = append(want, *tc.want)
			}
			if diff := cmp.Diff(want, f.resets); diff != "" {
				t.Errorf("the resets differ (-want +got):\n%s", diff)
			}
		})
	}
}
