package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCountedLines(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]map[string]int{
		`{"time":"2026-01-01T00:00:00Z","level":"INFO","message":"requests","requestId":"a","requests":{"SQS.SendMessageBatch":2}}`: {"SQS.SendMessageBatch": 2},
		`{"level":"INFO","message":"requests"}`:                        {},
		`{"level":"INFO","message":"a mail is not sent","requests":1}`: nil,
		`{"level":"INFO","message":"a mail is not sent"}`:              nil,
		`START RequestId: a`:                                           nil,
	} {
		got, ok := counted(line)
		if ok != (want != nil) || len(want) > 0 && !cmp.Equal(got, want) {
			t.Errorf("%s: got %v, %v; want %v", line, got, ok, want)
		}
	}
}

var invocations = []metered{
	{"starter", time.Unix(10, 0), map[string]int{"DynamoDB.GetItem": 3}},
	{"orchestrator", time.Unix(20, 0), map[string]int{"DynamoDB.PutItem": 40, "SQS.SendMessageBatch": 10}},
	{"orchestrator", time.Unix(21, 0), map[string]int{"DynamoDB.PutItem": 40}},
	{"activity", time.Unix(22, 0), map[string]int{"SQS.SendMessageBatch": 30}},
	{"orchestrator", time.Unix(23, 0), map[string]int{"SQS.ReceiveMessage": 3}},
}

func TestTheTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table(&out, invocations)
	var got [][]string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Fields(line))
	}
	want := [][]string{
		{"starter", "orchestrator", "activity", "all"},
		{"DynamoDB.GetItem", "3", "0", "0", "3"},
		{"DynamoDB.PutItem", "0", "80", "0", "80"},
		{"SQS.ReceiveMessage", "0", "3", "0", "3"},
		{"SQS.SendMessageBatch", "0", "10", "30", "40"},
		{"invocations", "1", "3", "1", "5"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table differs (-want +got):\n%s", diff)
	}
}

func TestPerActivity(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	perActivity(&out, pick(invocations, func(m metered) bool { return m.role != "starter" && !m.sweep() }), 40)
	want := "DynamoDB.PutItem 2.00 SQS.SendMessageBatch 1.00 invocations 0.07"
	if got := strings.Join(strings.Fields(out.String()), " "); got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

func TestTheSpanOfAHistory(t *testing.T) {
	t.Parallel()
	at := func(s int64) event { return event{Timestamp: time.Unix(s, 0)} }
	begin, end := span([]event{at(5), at(3), at(9), at(7)})
	if begin.Unix() != 3 || end.Unix() != 9 {
		t.Errorf("got %v to %v", begin, end)
	}
}
