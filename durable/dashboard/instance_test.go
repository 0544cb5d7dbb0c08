package dashboard_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/google/go-cmp/cmp"
)

func TestInstanceShowsItsPayloads(t *testing.T) {
	t.Parallel()
	in := instance("x", durable.Completed)
	in.Version = 2
	in.Input, in.Output, in.CustomStatus = json.RawMessage(`{"total":1299.50}`), json.RawMessage(`"<done>"`), json.RawMessage(`null`)
	in.Tags = map[string]string{"shop": "north", "area": "7"}
	page := get(t, &fake{instances: []durable.Instance{in}}, "/i/x")
	page.check(t, http.StatusOK, "x Completed", "ProcessOrder version 2", "created 3 h ago", "updated 1 min ago", "area : 7 shop : north",
		`Input {"total":1299.50}`, `Output "<done>"`, "There is no history.")
	for _, not := range []string{"<done>", "Custom status", "/raise"} {
		if strings.Contains(page.html, not) {
			t.Errorf("the page of a completed instance without a custom status has %q", not)
		}
	}
	if got, want := page.find(`<a href="([^"]*)">JSON`), []string{"/runtime/webhooks/durabletask/instances/x?showHistory=true&showHistoryOutput=true"}; !cmp.Equal(got, want) {
		t.Errorf("the JSON is at %q, want %q", got, want)
	}
}

func TestInstanceSaysWhy(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule string
		in   durable.Instance
		want string
	}{
		{"failed, with what is known of the failure",
			durable.Instance{Status: durable.Failed, Failure: &history.Failure{Kind: "Declined", Message: "card declined", Activity: "ChargeCard", Attempt: 3, Permanent: true,
				Causes: []history.Failure{{Message: "no funds", Causes: []history.Failure{{Message: "limit"}}}}}},
			"It failed: card declined (kind Declined, from ChargeCard, at attempt 3, not retried, as it is permanent). no funds. limit."},
		{"failed, with an output only", durable.Instance{Status: durable.Failed, Output: json.RawMessage(`"card declined"`)}, "It failed: card declined."},
		{"terminated", durable.Instance{Status: durable.Terminated, Output: json.RawMessage(`"out of stock"`)}, "It was terminated: out of stock."},
		{"terminated without a reason", durable.Instance{Status: durable.Terminated}, "It was terminated, and nobody said why."},
		{"suspended", durable.Instance{Status: durable.Suspended, SuspendReason: "stock taking"},
			"It is suspended: stock taking. It keeps every message until it is resumed."},
		{"suspended without a reason", durable.Instance{Status: durable.Suspended}, "It is suspended, and nobody said why."},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			tc.in.ID = "x"
			get(t, &fake{instances: []durable.Instance{tc.in}}, "/i/x").check(t, http.StatusOK, tc.want)
		})
	}
}

var declined = &history.Failure{Kind: "Declined", Message: "card declined", Activity: "ChargeCard", Attempt: 3}

var timelines = []struct {
	rule   string
	events []history.Event // one each 1.5 s
	want   []string        // the text of each entry
}{
	{"an activity and its outcome are one",
		[]history.Event{
			{Kind: history.ExecutionStarted, Name: "Hello", Data: payload(`"Tokyo"`)},
			{Kind: history.TaskScheduled, Op: "1", Name: "Greet", Data: payload(`"Tokyo"`)},
			{Kind: history.TaskCompleted, Op: "1", Attempt: 2, Data: payload(`"Hello, Tokyo"`)},
			{Kind: history.ExecutionCompleted, Data: payload(`"Hello, Tokyo"`)}},
		[]string{
			`Hello started +0 ms Input "Tokyo"`,
			`Activity Greet completed at attempt 2 took 1.5 s +3.0 s #1 Input "Tokyo" Result "Hello, Tokyo"`,
			`Hello completed +4.5 s Output "Hello, Tokyo"`}},
	{"an open activity says so",
		[]history.Event{{Kind: history.TaskScheduled, Op: "2.0.1", Name: "Greet", Data: payload("null")}},
		[]string{"Activity Greet was asked for no outcome yet +0 ms #2.0.1"}},
	{"a failure is a sentence",
		[]history.Event{{Kind: history.TaskScheduled, Op: "1", Name: "ChargeCard"}, {Kind: history.TaskFailed, Op: "1", Attempt: 3, Failure: declined}, {Kind: history.ExecutionFailed, Failure: declined}},
		[]string{
			"Activity ChargeCard failed at attempt 3 took 1.5 s +1.5 s #1 card declined (kind Declined).",
			"failed +3.0 s card declined (kind Declined, from ChargeCard, at attempt 3)."}},
	{"steps",
		[]history.Event{{Kind: history.StepCompleted, Op: "1", Name: "price", Data: payload("5")}, {Kind: history.StepFailed, Op: "2", Name: "ship", Failure: &history.Failure{Message: "closed!"}}},
		[]string{"Step price completed +0 ms #1 Result 5", "Step ship failed +1.5 s #2 closed!"}},
	{"timers",
		[]history.Event{
			{Kind: history.TimerCreated, Op: "1", At: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)},
			{Kind: history.TimerCreated, Op: "2"}, {Kind: history.TimerFired, Op: "2"},
			{Kind: history.TimerCreated, Op: "3"}, {Kind: history.TimerCanceled, Op: "3"}},
		[]string{
			"Timer, due 2026-03-14 15:09:26 no outcome yet +0 ms #1",
			"Timer fired took 1.5 s +3.0 s #2",
			"Timer was canceled took 1.5 s +6.0 s #3"}},
	{"events and the custom status",
		[]history.Event{{Kind: history.EventRaised, Name: "Approval", Data: payload("true")}, {Kind: history.CustomStatusSet, Data: payload(`"half"`)}},
		[]string{"Event Approval was raised +0 ms Data true", `The custom status was set +1.5 s Value "half"`}},
	{"a reset, and one that came to nothing",
		[]history.Event{
			{Kind: history.TaskScheduled, Op: "3", Name: "Greet", Data: payload("null")},
			{Kind: history.ExecutionReset, Op: "2", Reason: "it was wrong", Edit: history.EditResult, Data: payload("7"), Rewound: &history.Rewound{From: 2}},
			{Kind: history.ExecutionReset, Op: "start", Edit: history.EditInput, Data: payload("8"), Rewound: &history.Rewound{}},
			{Kind: history.ExecutionReset, Op: "4", Failure: &history.Failure{Message: "there is no operation 4"}}},
		[]string{
			"Activity Greet was asked for +0 ms #3",
			"It was reset to operation 2, with a result +1.5 s it was wrong. Result 7",
			"It was reset to its beginning, with an input +3.0 s Input 8",
			"A reset to operation 4 came to nothing +4.5 s there is no operation 4."}},
	{"management, and the worker's own",
		[]history.Event{
			{Kind: history.ExecutionSuspended, MessageID: "m", Reason: "stock taking"}, {Kind: history.ExecutionResumed, MessageID: "n"},
			{Kind: history.ExecutionSuspended, Build: "b1", Reason: "operation 1 is another one"}, {Kind: history.ExecutionTerminated, Reason: "gone"}},
		[]string{
			"It was suspended +0 ms stock taking.", "It was resumed +1.5 s",
			"The worker suspended it +3.0 s operation 1 is another one.", "It was terminated +4.5 s gone."}},
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	for _, tc := range timelines {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := &fake{instances: []durable.Instance{instance("x", durable.Running)}}
			began := time.Now()
			for i, e := range tc.events {
				f.history = append(f.history, durable.HistoryEvent{Event: e, Time: began.Add(time.Duration(i) * 1500 * time.Millisecond)})
			}
			var got []string
			for _, entry := range get(t, f, "/i/x").find(`(?s)<li class="[^"]*">(.*?)</li>`) {
				got = append(got, strings.TrimSpace(spaces.ReplaceAllString(tags.ReplaceAllString(entry, " "), " ")))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("timeline (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLongHistoriesAreCut(t *testing.T) {
	t.Parallel()
	f := &fake{instances: []durable.Instance{instance("x", durable.Running)}}
	for i := range 1200 {
		f.history = append(f.history, durable.HistoryEvent{Event: history.Event{Kind: history.EventRaised, Name: fmt.Sprint("E", i)}})
	}
	page := get(t, f, "/i/x")
	page.check(t, http.StatusOK, "The first 700 entries are left out.", "Event E1199 was raised", "Event E700 was raised")
	if strings.Contains(page.text, "Event E699 was raised") {
		t.Error("an entry that is said to be left out is there")
	}
}

func TestLargePayloadsAreCut(t *testing.T) {
	t.Parallel()
	in := instance("x", durable.Running)
	in.Input = json.RawMessage(`"` + strings.Repeat("é", 20<<10) + `"`)
	page := get(t, &fake{instances: []durable.Instance{in}}, "/i/x")
	page.check(t, http.StatusOK, "The first 16 KB of 41 are shown.")
	if n := strings.Count(page.html, "é"); n != 8<<10-1 || strings.ContainsRune(page.html, '\uFFFD') {
		t.Errorf("%d characters are shown, want all whole ones of 16 KB", n)
	}
}

func TestAnInstanceWithoutItsHistoryIsShown(t *testing.T) {
	t.Parallel()
	f := &fake{instances: []durable.Instance{instance("x", durable.Running)}, noHistory: errors.New("blob h/x is gone")}
	get(t, f, "/i/x").check(t, http.StatusOK, "x Running", "The history cannot be read: the backend says: blob h/x is gone.")
	f.noHistory = nil
	get(t, f, "/i/x").check(t, http.StatusOK, "Nothing has happened yet")
}
