package api_test

import (
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	t.Parallel()
	const path = api.Base + "/activities/to-ken_1/"
	for _, tc := range []struct {
		rule, path, body string
		err              error
		status           int
		says             string
		want             *durable.ReportRequest
	}{
		{rule: "a result", path: path + "complete", body: `{"a":1}`, status: 202,
			want: &durable.ReportRequest{Token: "to-ken_1", What: durable.ReportResult, Data: []byte(`{"a":1}`)}},
		{rule: "no result is null", path: path + "complete", status: 202, want: &durable.ReportRequest{Token: "to-ken_1", What: durable.ReportResult}},
		{rule: "a failure", path: path + "fail", body: `{"message":"no","kind":"Declined","permanent":true}`, status: 202,
			want: &durable.ReportRequest{Token: "to-ken_1", What: durable.ReportFailure,
				Failure: &history.Failure{Kind: "Declined", Message: "no", Permanent: true}}},
		{rule: "a failure that says nothing", path: path + "fail", body: `{}`, status: 400, says: "does not say why"},
		{rule: "a failure that is no object", path: path + "fail", body: `"no"`, status: 400, says: "does not say why"},
		{rule: "a failure without a body", path: path + "fail", status: 400, says: "does not say why"},
		{rule: "a heartbeat", path: path + "heartbeat", body: `7`, status: 202,
			want: &durable.ReportRequest{Token: "to-ken_1", What: durable.ReportHeartbeat, Data: []byte(`7`)}},
		{rule: "a heartbeat without details", path: path + "heartbeat", status: 202, want: &durable.ReportRequest{Token: "to-ken_1", What: durable.ReportHeartbeat}},
		{rule: "literals in any case", path: strings.Replace(path, "activities", "Activities", 1) + "Complete", status: 202,
			want: &durable.ReportRequest{Token: "to-ken_1", What: durable.ReportResult}},
		{rule: "no JSON", path: path + "complete", body: `{"a":`, status: 400, says: "not valid JSON"},
		{rule: "too late", path: path + "complete", err: durable.ErrNotPending, status: 410, says: "Nobody waits", want: &durable.ReportRequest{Token: "to-ken_1", What: durable.ReportResult}},
		{rule: "ended", path: path + "complete", err: durable.ErrEnded, status: 410, says: "has ended", want: &durable.ReportRequest{Token: "to-ken_1", What: durable.ReportResult}},
		{rule: "no token", path: path + "complete", err: durable.ErrInvalid, status: 400, says: "not valid", want: &durable.ReportRequest{Token: "to-ken_1", What: durable.ReportResult}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.err = tc.err
			w := serve(t, f, "POST", tc.path, tc.body)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.says) || tc.status == 202 && w.Body.Len() > 0 {
				t.Errorf("status %d with %s, want %d with %s", w.Code, w.Body, tc.status, tc.says)
			}
			var want []durable.ReportRequest
			if tc.want != nil {
				want = append(want, *tc.want)
			}
			if diff := cmp.Diff(want, f.reports); diff != "" {
				t.Errorf("the reports differ (-want +got):\n%s", diff)
			}
		})
	}
}
