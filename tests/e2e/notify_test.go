//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// TestChangesComeOverTheEventBus has a rule of the bus put what is told of one instance into a queue.
func TestChangesComeOverTheEventBus(t *testing.T) {
	robust(t)
	name, id := "news-"+run, run+"-told"
	made, err := hub.queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	at, err := hub.queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: made.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		t.Fatal(err)
	}
	pattern := fmt.Sprintf(`{"source":["durable"],"detail":{"hub":[%q],"instanceId":[%q]}}`, stack, id)
	if _, err := hub.events.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, EventPattern: &pattern}); err != nil {
		t.Fatal(err)
	}
	target := ebtypes.Target{Id: aws.String("queue"), Arn: aws.String(at.Attributes["QueueArn"])}
	if _, err := hub.events.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: &name, Targets: []ebtypes.Target{target}}); err != nil {
		t.Fatal(err)
	}
	nap := known(t, id)
	if code, reply := request(t, "POST", management+"/orchestrators/Nap/"+id, `{"millis":30000}`); code != 202 {
		t.Fatalf("the start is answered with %d %s", code, reply)
	}
	var told []string
	hears := func(want string) {
		t.Helper()
		eventually(t, "the bus has brought "+want, func() bool {
			got, err := hub.queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range got.Messages {
				var e struct {
					DetailType string `json:"detail-type"`
					Detail     struct{ Name, RuntimeStatus, Time string }
				}
				if err := json.Unmarshal([]byte(*m.Body), &e); err != nil || e.Detail.Name != "Nap" || e.Detail.Time == "" {
					t.Fatalf("the bus has brought %s: %v", *m.Body, err)
				}
				told = append(told, e.DetailType+", "+e.Detail.RuntimeStatus)
			}
			return slices.Contains(told, want)
		})
	}
	hears("Orchestration Started, Running")
	ask := func(command string) {
		t.Helper()
		if code, reply := request(t, "POST", management+"/instances/"+id+"/"+command, ""); code != 202 {
			t.Fatalf("%s is answered with %d %s", command, code, reply)
		}
	}
	ask("suspend")
	hears("Orchestration Suspended, Suspended")
	ask("terminate")
	hears("Orchestration Terminated, Terminated")
	nap.end("Terminated")
}
