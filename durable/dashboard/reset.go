package dashboard

import (
	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// reset tells to what somebody has had the instance go back, and with what. What had no outcome then is asked for again, if at all.
func (t *teller) reset(e durable.HistoryEvent) {
	what := "operation " + e.Op
	if e.Op == history.StartOp {
		what = "its beginning"
	}
	e.Op = "" // the title says so
	if e.Rewound == nil {
		told := entry{Look: "warn", Title: "A reset to " + what + " came to nothing"}
		if e.Failure != nil {
			told.Detail = full(e.Failure.Message)
		}
		t.add(e, told)
		return
	}
	for _, o := range t.open {
		t.entries[o.at].Look = "plain"
	}
	clear(t.open)
	told := entry{Look: "plain", Title: "It was reset to " + what, Detail: full(e.Reason)}
	switch e.Edit {
	case history.EditResult:
		told.Title += ", with a result"
		told.Payloads = []payload{newPayload("Result", e.Data.Bytes)}
	case history.EditInput:
		told.Title += ", with an input"
		told.Payloads = []payload{newPayload("Input", e.Data.Bytes)}
	}
	t.add(e, told)
}
