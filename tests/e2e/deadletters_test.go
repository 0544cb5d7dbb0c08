//go:build e2e

package e2e_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Whatever is sent to a queue that is no message of ours, or no order, is a dead letter in the end, and holds up nobody.
func TestForeignMessagesAreDeadLetters(t *testing.T) {
	undisturbed(t)
	queues := []struct{ name, url, dead string }{
		{"inbox", queue(t, "InboxQueue"), "InboxDeadQueueUrl"},
		{"wake", queue(t, "WakeQueue"), "WakeDeadQueueUrl"},
		{"activities", queue(t, "ActivitiesQueue"), "ActivitiesDeadQueueUrl"},
		{"orders", hub.outputs["OrdersQueueUrl"], "OrdersDeadQueueUrl"},
	}
	foreign := func(name string) string { return "no message of ours: " + run + "-" + name }
	for _, q := range queues {
		send := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: aws.String(foreign(q.name))}
		if strings.HasSuffix(q.url, ".fifo") {
			send.MessageGroupId, send.MessageDeduplicationId = aws.String("foreign"), aws.String(run)
		}
		if _, err := hub.queues.SendMessage(t.Context(), send); err != nil {
			t.Fatalf("%s: %v", q.name, err)
		}
	}
	in := place(t, "beside-foreign")
	in.wants(in.end("Completed"), "Completed", "completed", "tracking number")
	for _, q := range queues {
		eventually(t, "the foreign message of the queue "+q.name+" is a dead letter", func() bool {
			dead := find(t, hub.outputs[q.dead], foreign(q.name))
			if dead == nil {
				return false
			}
			if reason := aws.ToString(dead.MessageAttributes["reason"].StringValue); q.name == "orders" && !strings.Contains(reason, "not valid JSON") {
				t.Errorf("the order that is none has the reason %q", reason)
			}
			return true
		})
	}
}

// Any orchestration can be started by a message that names it, and what names none is put away with the reason.
func TestStartsFromTheQueue(t *testing.T) {
	undisturbed(t)
	send := func(body string, attributes map[string]string) {
		in := &sqs.SendMessageInput{QueueUrl: aws.String(hub.outputs["OrdersQueueUrl"]), MessageBody: &body, MessageAttributes: map[string]types.MessageAttributeValue{}}
		for name, value := range attributes {
			in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
		}
		if _, err := hub.queues.SendMessage(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	nap := known(t, run+"-queued-nap")
	send(`{"millis":1000}`, map[string]string{"orchestration": "Nap", "id": run + "-queued-nap", "tags": `{"from":"queue"}`})
	const foreign = "for nobody" // no JSON: LocalStack takes the quotes off a body that is a text in JSON
	send(foreign+run, map[string]string{"orchestration": "Nobody"})
	nap.end("Completed")
	eventually(t, "the start of an orchestration that there is not is put away", func() bool {
		dead := find(t, hub.outputs["OrdersDeadQueueUrl"], foreign+run)
		return dead != nil && strings.Contains(aws.ToString(dead.MessageAttributes["reason"].StringValue), "ProcessOrder")
	})
}

// queue returns the URL of a queue of the template.
func queue(t *testing.T, resource string) string {
	t.Helper()
	url, err := queueOf(t.Context(), resource)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// find returns a visible message with this body of a queue; nil when there is none. What is looked at stays, and is hidden for a moment, so
// that others are looked at next.
func find(t *testing.T, url, body string) *types.Message {
	t.Helper()
	got, err := hub.queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 2,
		MessageAttributeNames: []string{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got.Messages {
		if aws.ToString(m.Body) == body {
			return &m
		}
	}
	return nil
}
