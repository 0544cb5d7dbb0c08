package awslambda

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// FuzzEvent hands an event of anybody to each function: it is refused, or answered, and a record whose body is no message of
// ours is among the failures.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"Records":[{"messageId":"0","body":"aGVsbG8=","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:::inbox.fifo"}]}`))
	f.Add([]byte(`{"Records":[{"messageId":"0","body":"AQA=","eventSource":"aws:sqs","attributes":{"ApproximateReceiveCount":"-9"}}]}`))
	f.Add([]byte(`{"Records":[{"messageId":"0","body":"","eventSource":"aws:sqs","messageAttributes":{"id":{"stringValue":null}}},{}]}`))
	f.Add([]byte(`{"source":"aws.events","time":"2026-01-01T00:00:00Z","resources":["arn:aws:events:::rule/x"]}`))
	f.Add([]byte(`{"source":"aws.events","time":7}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, event []byte) {
		h := newTestHub(t)
		h.submit("one")
		for name, handle := range map[string]handler{
			"orchestrator": h.orchestrator(hello.Bind(sayHello)).handle, "activity": h.activities(greet.Bind(greetBody)).handle,
		} {
			answer, err := handle(t.Context(), event)
			response, ok := answer.(events.SQSEventResponse)
			if err != nil || !ok {
				continue
			}
			if response.BatchItemFailures == nil {
				t.Errorf("%s: the failures are null, which means that nothing is done", name)
			}
			var e envelope
			if err := json.Unmarshal(event, &e); err != nil {
				t.Fatalf("%s answers what is no event: %v", name, err)
			}
			b := newBatch(t.Context(), h.store.Backend().Inbox, e.Records, h.Log)
			for i, d := range b.deliveries {
				_, err := history.DecodeMessage(d.Body)
				failed := slices.Contains(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: b.ids[i]})
				if err != nil && !failed {
					t.Errorf("%s: record %d is taken for done, and is no message: %v", name, i, err)
				}
			}
		}
		if len(h.exits) > 0 {
			t.Errorf("the process would end: %v", h.exits)
		}
	})
}
