//go:build e2e

package e2e_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
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
			return holds(t, hub.outputs[q.dead], foreign(q.name))
		})
	}
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

// holds reports whether a message with this body is in a queue and visible. What is looked at stays.
func holds(t *testing.T, url, body string) bool {
	t.Helper()
	got, err := hub.queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 0})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got.Messages {
		if aws.ToString(m.Body) == body {
			return true
		}
	}
	return false
}
