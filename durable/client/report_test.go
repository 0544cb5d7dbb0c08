package client_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// What somebody else reports is refused where it would not fit: it is cut for those who use the library only.
func TestReportRefusesFailuresThatAreTooLong(t *testing.T) {
	t.Parallel()
	c := client.New(store.New(store.Config{Backend: memory.New(memory.Options{Now: time.Now}).Backend()}))
	m := history.Message{Instance: "i", Incarnation: "01JGJ9GA00AAAAAAAAAAAAAAAA", Attempt: 1, Event: history.Event{Kind: history.TaskScheduled, Op: "1", Name: "A"}}
	for name, f := range map[string]*history.Failure{
		"a message":    {Message: strings.Repeat("x", history.MaxMessage+1)},
		"a kind":       {Kind: strings.Repeat("x", history.MaxName+1)},
		"the property": {Properties: map[string]string{"k": strings.Repeat("x", history.MaxProperties)}},
	} {
		if err := c.Report(t.Context(), durable.ReportRequest{Token: m.Token(), What: durable.ReportFailure, Failure: f}); !errors.Is(err, durable.ErrInvalid) {
			t.Errorf("%s: it gave %v", name, err)
		}
	}
	fits := &history.Failure{Properties: map[string]string{"k": strings.Repeat("x", history.MaxProperties-1)}}
	if err := c.Report(t.Context(), durable.ReportRequest{Token: m.Token(), What: durable.ReportFailure, Failure: fits}); errors.Is(err, durable.ErrInvalid) {
		t.Errorf("what fits gave %v", err)
	}
}
