package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/google/go-cmp/cmp"
)

func hello() *fake {
	f := newFake(durable.Instance{ID: "x", Name: "Hello", Status: durable.Completed, Input: json.RawMessage(`"Tokyo"`), Output: json.RawMessage(`"Hello, Tokyo"`)})
	f.history["x"] = []durable.HistoryEvent{
		event(0, history.Event{Kind: history.ExecutionStarted, Name: "Hello", Data: payload(`"Tokyo"`)}),
		event(0, history.Event{Kind: history.TaskScheduled, Op: "1", Name: "Greet", Data: payload(`"Tokyo"`)}),
		event(time.Second, history.Event{Kind: history.TaskCompleted, Op: "1", Attempt: 1, Data: payload(`"Hello, Tokyo"`)}),
		event(time.Second, history.Event{Kind: history.CustomStatusSet, Data: payload(`"done"`)}),
		event(time.Second, history.Event{Kind: history.ExecutionCompleted, Data: payload(`"Hello, Tokyo"`)}),
	}
	return f
}

func TestHistoryOfAHello(t *testing.T) {
	t.Parallel()
	golden(t, serve(t, hello(), "GET", instances+"/x?showHistory=true", ""), "history")
	golden(t, serve(t, hello(), "GET", instances+"/x?SHOWHISTORY=True&showHistoryOutput=True", ""), "history-output")
	golden(t, serve(t, hello(), "GET", instances+"/x?showHistory=true&showInput=false", ""), "history-without-input")
	golden(t, serve(t, hello(), "GET", instances+"/x?showHistoryOutput=true", ""), "history-not-asked-for")
}

func TestHistoryOfAPendingInstanceIsEmpty(t *testing.T) {
	t.Parallel()
	f := newFake(durable.Instance{ID: "x", Name: "Hello", Status: durable.Pending})
	golden(t, serve(t, f, "GET", instances+"/x?showHistory=true", ""), "history-pending")
}

// shown is one event as the API shows it.
type shown = map[string]any

const (
	at0 = "2026-03-14T15:09:26.5358979Z"
	at1 = "2026-03-14T15:09:27.5358979Z"
	at2 = "2026-03-14T15:09:28.5358979Z"
)

var (
	due      = created.Add(24 * time.Hour)
	declined = &history.Failure{Kind: "Declined", Message: "card declined"}
)

var shownEvents = []struct {
	rule   string
	events []history.Event // one a second
	want   []shown
}{
	{"an activity that is still open stands for itself",
		[]history.Event{{Kind: history.TaskScheduled, Op: "1", Name: "Greet", Data: payload("1")}},
		[]shown{{"EventType": "TaskScheduled", "Timestamp": at0, "FunctionName": "Greet", "Input": 1.0}}},
	{"outcomes find their operation",
		[]history.Event{
			{Kind: history.TaskScheduled, Op: "1", Name: "A"}, {Kind: history.TaskScheduled, Op: "2", Name: "B"},
			{Kind: history.TaskCompleted, Op: "2", Data: payload("2")}},
		[]shown{
			{"EventType": "TaskScheduled", "Timestamp": at0, "FunctionName": "A", "Input": nil},
			{"EventType": "TaskCompleted", "Timestamp": at2, "ScheduledTime": at1, "FunctionName": "B", "Input": nil, "Result": 2.0}}},
	{"a rewound operation is another one",
		[]history.Event{
			{Kind: history.TaskScheduled, Op: "1", Name: "A"}, {Kind: history.TaskScheduled, Op: "1", Epoch: 1, Name: "A"},
			{Kind: history.TaskCompleted, Op: "1", Epoch: 1}},
		[]shown{
			{"EventType": "TaskScheduled", "Timestamp": at0, "FunctionName": "A", "Input": nil},
			{"EventType": "TaskCompleted", "Timestamp": at2, "ScheduledTime": at1, "FunctionName": "A", "Input": nil, "Result": nil}}},
	{"a failed activity says why",
		[]history.Event{{Kind: history.TaskScheduled, Op: "1", Name: "A"}, {Kind: history.TaskFailed, Op: "1", Failure: declined}},
		[]shown{{"EventType": "TaskFailed", "Timestamp": at1, "ScheduledTime": at0, "FunctionName": "A", "Input": nil, "Reason": "card declined"}}},
	{"steps are tasks",
		[]history.Event{{Kind: history.StepCompleted, Op: "1", Name: "price", Data: payload("5")}, {Kind: history.StepFailed, Op: "2", Name: "ship", Failure: declined}},
		[]shown{
			{"EventType": "TaskCompleted", "Timestamp": at0, "FunctionName": "price", "Result": 5.0},
			{"EventType": "TaskFailed", "Timestamp": at1, "FunctionName": "ship", "Reason": "card declined"}}},
	{"a timer has its time",
		[]history.Event{{Kind: history.TimerCreated, Op: "1", At: due}, {Kind: history.TimerFired, Op: "1"}},
		[]shown{{"EventType": "TimerFired", "Timestamp": at1, "ScheduledTime": at0, "FireAt": "2026-03-15T15:09:26.5358979Z"}}},
	{"a canceled timer is not shown",
		[]history.Event{{Kind: history.TimerCreated, Op: "1", At: due}, {Kind: history.TimerCanceled, Op: "1"}}, nil},
	{"an open timer is shown",
		[]history.Event{{Kind: history.TimerCreated, Op: "1", At: due}},
		[]shown{{"EventType": "TimerCreated", "Timestamp": at0, "FireAt": "2026-03-15T15:09:26.5358979Z"}}},
	{"sub-orchestrations have Durable Functions' names",
		[]history.Event{{Kind: history.SubOrchestrationCreated, Op: "1", Name: "Child"}, {Kind: history.SubOrchestrationFailed, Op: "1", Failure: declined}},
		[]shown{{"EventType": "SubOrchestrationInstanceFailed", "Timestamp": at1, "ScheduledTime": at0, "FunctionName": "Child", "Input": nil, "Reason": "card declined"}}},
	{"events have a name and an input",
		[]history.Event{{Kind: history.EventRaised, Name: "Approval", Data: payload("true")}},
		[]shown{{"EventType": "EventRaised", "Timestamp": at0, "Name": "Approval", "Input": true}}},
	{"management has a reason",
		[]history.Event{{Kind: history.ExecutionSuspended, Reason: "stock taking"}, {Kind: history.ExecutionResumed, Reason: "done"}, {Kind: history.ExecutionTerminated, Reason: "gone"}},
		[]shown{
			{"EventType": "ExecutionSuspended", "Timestamp": at0, "Reason": "stock taking"},
			{"EventType": "ExecutionResumed", "Timestamp": at1, "Reason": "done"},
			{"EventType": "ExecutionTerminated", "Timestamp": at2, "Reason": "gone"}}},
	{"a reset has its operation and what it replaces, or why it came to nothing",
		[]history.Event{
			{Kind: history.ExecutionReset, Op: "2", Reason: "it was wrong", Edit: history.EditResult, Data: payload("7"), Rewound: &history.Rewound{From: 2}},
			{Kind: history.ExecutionReset, Op: "start", Edit: history.EditInput, Data: payload("8"), Rewound: &history.Rewound{}},
			{Kind: history.ExecutionReset, Op: "4", Failure: &history.Failure{Message: "there is no operation 4"}}},
		[]shown{
			{"EventType": "ExecutionReset", "Timestamp": at0, "Name": "2", "Reason": "it was wrong", "Result": 7.0},
			{"EventType": "ExecutionReset", "Timestamp": at1, "Name": "start", "Input": 8.0},
			{"EventType": "ExecutionReset", "Timestamp": at2, "Name": "4", "Reason": "It came to nothing: there is no operation 4"}}},
	{"suspended by the worker has its reason",
		[]history.Event{{Kind: history.ExecutionSuspended, Build: "b1", Reason: "operation 1 is another one"}},
		[]shown{{"EventType": "ExecutionSuspended", "Timestamp": at0, "Reason": "operation 1 is another one"}}},
	{"a failed execution is completed with the status Failed",
		[]history.Event{{Kind: history.ExecutionFailed, Failure: declined}},
		[]shown{{"EventType": "ExecutionCompleted", "Timestamp": at0, "OrchestrationStatus": "Failed", "Result": "card declined"}}},
	{"operations are numbered anew in each generation",
		[]history.Event{{Kind: history.TaskScheduled, Op: "1", Name: "A"}, {Kind: history.GenerationStarted, Name: "Hello"}, {Kind: history.StepCompleted, Op: "1", Name: "B"}},
		[]shown{
			{"EventType": "TaskScheduled", "Timestamp": at0, "FunctionName": "A", "Input": nil},
			{"EventType": "ExecutionStarted", "Timestamp": at1, "FunctionName": "Hello", "Input": nil},
			{"EventType": "TaskCompleted", "Timestamp": at2, "FunctionName": "B", "Result": nil}}},
	{"what Durable Functions has nothing like is not shown",
		[]history.Event{{Kind: history.CustomStatusSet}, {Kind: history.Sealed}, {Kind: history.ChangeMarked}}, nil},
}

func TestHistoryEvents(t *testing.T) {
	t.Parallel()
	for _, tc := range shownEvents {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := newFake(durable.Instance{ID: "x", Status: durable.Running})
			for i, e := range tc.events {
				f.history["x"] = append(f.history["x"], event(time.Duration(i)*time.Second, e))
			}
			w := serve(t, f, "GET", instances+"/x?showHistory=true&showHistoryOutput=true", "")
			var got struct{ HistoryEvents []shown }
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]shown{}, tc.want...), got.HistoryEvents); diff != "" {
				t.Errorf("historyEvents (-want +got):\n%s", diff)
			}
		})
	}
}
