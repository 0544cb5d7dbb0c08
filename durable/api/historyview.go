package api

import (
	"encoding/json"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// historyEvent is an event as Durable Functions shows it. Members that do not apply are left out.
type historyEvent struct {
	EventType           string
	Timestamp           string
	FunctionName        string          `json:",omitempty"`
	ScheduledTime       string          `json:",omitempty"`
	Result              json.RawMessage `json:",omitempty"`
	Input               json.RawMessage `json:",omitempty"`
	Reason              string          `json:",omitempty"`
	FireAt              string          `json:",omitempty"`
	Name                string          `json:",omitempty"`
	OrchestrationStatus durable.Status  `json:",omitempty"`
}

// view collects what is shown of a history.
type view struct {
	showInput, showOutput bool
	events                []historyEvent
	// open is where the operations without an outcome are among the events.
	open map[string]int
}

// historyView shows one event for each outcome: what asked for it is folded into it, as Durable Functions does, and
// stands for itself only while there is none.
func historyView(events []durable.HistoryEvent, showInput, showOutput bool) []historyEvent {
	v := view{showInput: showInput, showOutput: showOutput, open: map[string]int{}}
	for _, e := range events {
		v.add(e)
	}
	shown := make([]historyEvent, 0, len(v.events))
	for _, e := range v.events {
		if e.EventType != "" {
			shown = append(shown, e)
		}
	}
	return shown
}

func (v *view) add(e durable.HistoryEvent) {
	switch e.Kind {
	case history.ExecutionStarted, history.GenerationStarted:
		clear(v.open) // operations are numbered from the start again
		v.show(e, historyEvent{EventType: "ExecutionStarted", FunctionName: e.Name, Input: v.input(e)})
	case history.TaskScheduled:
		v.ask(e, historyEvent{EventType: "TaskScheduled", FunctionName: e.Name, Input: v.input(e)})
	case history.SubOrchestrationCreated:
		v.ask(e, historyEvent{EventType: "SubOrchestrationInstanceCreated", FunctionName: e.Name, Input: v.input(e)})
	case history.TimerCreated:
		v.ask(e, historyEvent{EventType: "TimerCreated", FireAt: formatEventTime(e.At)})
	case history.TimerCanceled:
		v.takeOpen(e)
	case history.TaskCompleted, history.StepCompleted:
		v.complete(e, "TaskCompleted")
	case history.TaskFailed, history.StepFailed:
		v.complete(e, "TaskFailed")
	case history.SubOrchestrationCompleted:
		v.complete(e, "SubOrchestrationInstanceCompleted")
	case history.SubOrchestrationFailed:
		v.complete(e, "SubOrchestrationInstanceFailed")
	case history.TimerFired:
		v.complete(e, "TimerFired")
	case history.EventRaised:
		v.show(e, historyEvent{EventType: "EventRaised", Name: e.Name, Input: v.input(e)})
	case history.EventSent:
		v.show(e, historyEvent{EventType: "EventSent", Name: e.Name, Input: v.input(e)})
	default:
		v.addExecution(e)
	}
}

// addExecution adds what happens to the instance as a whole. Kinds that Durable Functions has nothing like are not shown.
func (v *view) addExecution(e durable.HistoryEvent) {
	switch e.Kind {
	case history.ExecutionSuspended:
		v.show(e, historyEvent{EventType: "ExecutionSuspended", Reason: e.Reason})
	case history.ExecutionResumed:
		v.show(e, historyEvent{EventType: "ExecutionResumed", Reason: e.Reason})
	case history.ExecutionTerminated:
		v.show(e, historyEvent{EventType: "ExecutionTerminated", Reason: e.Reason})
	case history.ExecutionRewound:
		v.show(e, historyEvent{EventType: "ExecutionRewound", Reason: e.Reason})
	case history.ExecutionReset:
		v.show(e, v.reset(e))
	case history.ContinuedAsNew:
		v.show(e, historyEvent{EventType: "ContinueAsNew", Result: v.result(e), OrchestrationStatus: durable.ContinuedAsNew})
	case history.ExecutionCompleted:
		v.show(e, historyEvent{EventType: "ExecutionCompleted", Result: v.result(e), OrchestrationStatus: durable.Completed})
	case history.ExecutionFailed:
		v.show(e, historyEvent{EventType: "ExecutionCompleted", Result: v.result(e), OrchestrationStatus: durable.Failed})
	}
}

// reset shows to which operation the instance went back, and with what: a result or an input. Durable Functions has nothing like it.
func (v *view) reset(e durable.HistoryEvent) historyEvent {
	shown := historyEvent{EventType: "ExecutionReset", Name: e.Op, Reason: e.Reason}
	if e.Rewound == nil && e.Failure != nil {
		shown.Reason = "It came to nothing: " + e.Failure.Message
		return shown
	}
	switch e.Edit {
	case history.EditResult:
		shown.Result = v.result(e)
	case history.EditInput:
		shown.Input = v.input(e)
	}
	return shown
}

func (v *view) show(e durable.HistoryEvent, shown historyEvent) {
	shown.Timestamp = formatEventTime(e.Time)
	v.events = append(v.events, shown)
}

// ask shows what asks for an outcome, until that is there.
func (v *view) ask(e durable.HistoryEvent, shown historyEvent) {
	v.open[e.Op] = len(v.events)
	v.show(e, shown)
}

// complete shows an outcome with what asked for it folded in.
func (v *view) complete(e durable.HistoryEvent, eventType string) {
	shown := historyEvent{EventType: eventType, FunctionName: e.Name}
	if asked, ok := v.takeOpen(e); ok {
		shown.FunctionName = asked.FunctionName
		shown.ScheduledTime = asked.Timestamp
		shown.Input = asked.Input
		shown.FireAt = asked.FireAt
	}
	switch {
	case e.Kind == history.TimerFired:
		shown.FunctionName = ""
		if shown.FireAt == "" {
			shown.FireAt = formatEventTime(e.At)
		}
	case e.Failure != nil:
		shown.Reason = e.Failure.Message
	default:
		shown.Result = v.result(e)
	}
	v.show(e, shown)
}

// takeOpen removes what asked for the outcome e from what is shown, and returns it.
func (v *view) takeOpen(e durable.HistoryEvent) (historyEvent, bool) {
	at, ok := v.open[e.Op]
	if !ok {
		return historyEvent{}, false
	}
	delete(v.open, e.Op)
	asked := v.events[at]
	v.events[at] = historyEvent{}
	return asked, true
}

func (v *view) input(e durable.HistoryEvent) json.RawMessage {
	if !v.showInput {
		return nil
	}
	return value(e.Data.Bytes)
}

func (v *view) result(e durable.HistoryEvent) json.RawMessage {
	switch {
	case !v.showOutput:
		return nil
	case e.Failure != nil && e.Data.IsZero():
		text, _ := json.Marshal(e.Failure.Message)
		return text
	}
	return value(e.Data.Bytes)
}
