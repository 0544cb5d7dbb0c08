//go:build e2e

package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// A deployment that fails says of which resource, and the next one begins anew.
func TestADeploymentThatFails(t *testing.T) {
	t.Parallel()
	name := "e2e-fails-" + run
	t.Cleanup(func() {
		_, err := hub.stacks.DeleteStack(context.Background(), &cloudformation.DeleteStackInput{StackName: aws.String(name)})
		if err != nil {
			t.Log(err)
		}
	})
	template := filepath.Join(t.TempDir(), "template.yaml")
	write := func(queue string) {
		text := "Parameters: {Name: {Type: String}}\nResources:\n  Queue: {Type: AWS::SQS::Queue, Properties: " + queue + "}\n"
		if err := os.WriteFile(template, []byte(text+"Outputs: {Queue: {Value: !GetAtt Queue.QueueName}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("{QueueName: !Ref Name, FifoQueue: true}")
	_, err := deploy(name, template, "Name="+name)
	if err == nil || !strings.Contains(err.Error(), "Queue (AWS::SQS::Queue)") {
		t.Errorf("a FIFO queue whose name does not end with .fifo: got %v; want a word of Queue (AWS::SQS::Queue)", err)
	}
	write("{QueueName: !Ref Name}")
	outputs, err := deploy(name, template, "Name="+name)
	if err != nil || outputs["Queue"] != name {
		t.Errorf("after the mistake is put right: %v, %v; want a queue %s", outputs, err, name)
	}
}
