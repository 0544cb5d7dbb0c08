package dashboard

import (
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// maxEntries is how many entries a page shows: a browser has trouble with more, and the JSON has them all.
const maxEntries = 500

// entry is one thing that happened in an instance. What was asked for and its outcome are one.
type entry struct {
	// Look is the class of its mark: good, bad, warn, open or plain.
	Look  string
	Title string
	// Since is how long after the start it happened, Took how long it was under way.
	Since, Took string
	Time        string
	Op          string
	Detail      string
	Payloads    []payload
}

// teller turns events into entries.
type teller struct {
	entries []entry
	began   time.Time
	// name of the orchestration.
	name string
	// open are the events of operations without an outcome, and where their entries are.
	open map[string]opened
}

type opened struct {
	event durable.HistoryEvent
	at    int
}

func timeline(events []durable.HistoryEvent) []entry {
	t := teller{open: map[string]opened{}}
	for _, e := range events {
		t.tell(e)
	}
	told := t.entries[:0]
	for _, e := range t.entries {
		if e.Title != "" {
			told = append(told, e)
		}
	}
	return told
}

func (t *teller) tell(e durable.HistoryEvent) {
	if t.began.IsZero() {
		t.began = e.Time
	}
	switch e.Kind {
	case history.ExecutionStarted:
		t.start(e, e.Name+" started")
	case history.GenerationStarted:
		t.start(e, "The next generation started")
	case history.TaskScheduled:
		t.ask(e, entry{Title: "Activity " + e.Name + " was asked for", Payloads: []payload{newPayload("Input", e.Data.Bytes)}})
	case history.SubOrchestrationCreated:
		t.ask(e, entry{Title: "Orchestration " + e.Name + " was asked for", Payloads: []payload{newPayload("Input", e.Data.Bytes)}})
	case history.TimerCreated:
		t.ask(e, entry{Title: "Timer, due " + clock(e.At)})
	case history.StepStarted:
		t.ask(e, entry{Title: "Step " + e.Name + " began"})
	case history.TaskCompleted:
		t.settle(e, "Activity", "completed")
	case history.TaskFailed:
		t.settle(e, "Activity", "failed")
	case history.SubOrchestrationCompleted:
		t.settle(e, "Orchestration", "completed")
	case history.SubOrchestrationFailed:
		t.settle(e, "Orchestration", "failed")
	case history.StepCompleted:
		t.settle(e, "Step", "completed")
	case history.StepFailed:
		t.settle(e, "Step", "failed")
	case history.TimerFired:
		t.settle(e, "Timer", "fired")
	case history.TimerCanceled:
		t.settle(e, "Timer", "was canceled")
	case history.EventRaised:
		t.add(e, entry{Look: "good", Title: "Event " + e.Name + " was raised", Payloads: []payload{newPayload("Data", e.Data.Bytes)}})
	default:
		t.tellExecution(e)
	}
}

// tellExecution tells what happened to the instance as a whole. Of the rest there is nothing to tell a person.
func (t *teller) tellExecution(e durable.HistoryEvent) {
	switch e.Kind {
	case history.CustomStatusSet:
		t.add(e, entry{Look: "plain", Title: "The custom status was set", Payloads: []payload{newPayload("Value", e.Data.Bytes)}})
	case history.ExecutionCompleted:
		t.add(e, entry{Look: "good", Title: t.name + " completed", Payloads: []payload{newPayload("Output", e.Data.Bytes)}})
	case history.ExecutionFailed:
		t.add(e, entry{Look: "bad", Title: t.name + " failed", Detail: failure(e.Failure)})
	case history.ExecutionTerminated:
		t.add(e, entry{Look: "bad", Title: "It was terminated", Detail: full(e.Reason)})
	case history.ExecutionSuspended:
		title := "It was suspended"
		if e.MessageID == "" {
			title = "The worker suspended it"
		}
		t.add(e, entry{Look: "warn", Title: title, Detail: full(e.Reason)})
	case history.ExecutionResumed:
		t.add(e, entry{Look: "plain", Title: "It was resumed", Detail: full(e.Reason)})
	case history.ExecutionRewound:
		t.add(e, entry{Look: "plain", Title: "It was rewound", Detail: full(e.Reason)})
	case history.ExecutionReset:
		t.reset(e)
	case history.ContinuedAsNew:
		t.add(e, entry{Look: "good", Title: "It continued as new", Payloads: []payload{newPayload("Input", e.Data.Bytes)}})
	}
}

func (t *teller) start(e durable.HistoryEvent, title string) {
	clear(t.open) // operations are numbered from the start again
	if e.Name != "" {
		t.name = e.Name
	}
	t.add(e, entry{Look: "plain", Title: title, Payloads: []payload{newPayload("Input", e.Data.Bytes)}})
}

// ask adds an entry that stands until the outcome is there.
func (t *teller) ask(e durable.HistoryEvent, told entry) {
	told.Look = "open"
	t.open[e.Op] = opened{e, len(t.entries)}
	t.add(e, told)
}

// settle adds an outcome, in place of the entry of what asked for it.
func (t *teller) settle(e durable.HistoryEvent, what, outcome string) {
	told := entry{Look: "good", Title: joined(what, e.Name, outcome)}
	if asked, ok := t.open[e.Op]; ok {
		delete(t.open, e.Op)
		told.Title = joined(what, asked.event.Name, outcome)
		told.Took = span(e.Time.Sub(asked.event.Time))
		told.Payloads = t.entries[asked.at].Payloads
		t.entries[asked.at] = entry{}
	}
	switch {
	case e.Kind == history.TimerCanceled:
		told.Look = "plain"
	case e.Failure != nil:
		why := *e.Failure
		why.Activity, why.Attempt = "", 0 // the title says so
		told.Look, told.Detail = "bad", failure(&why)
	case e.Kind != history.TimerFired:
		told.Payloads = append(told.Payloads, newPayload("Result", e.Data.Bytes))
	}
	if e.Attempt > 1 {
		told.Title += fmt.Sprintf(" at attempt %d", e.Attempt)
	}
	t.add(e, told)
}

func (t *teller) add(e durable.HistoryEvent, told entry) {
	told.Op = e.Op
	told.Time = clock(e.Time)
	told.Since = "+" + span(e.Time.Sub(t.began))
	t.entries = append(t.entries, told)
}

func joined(what, name, outcome string) string {
	if name == "" {
		return what + " " + outcome
	}
	return what + " " + name + " " + outcome
}
