package aws_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
)

func TestOpenReadsTheEnvironment(t *testing.T) {
	for _, name := range []string{aws.EnvTable, aws.EnvBucket, aws.EnvInboxURL, aws.EnvWakeURL, aws.EnvActivitiesURL} {
		t.Setenv(name, "x")
	}
	hub, err := aws.Open(sdk.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if hub.Table == nil || hub.Inbox == nil || hub.Wake == nil || hub.Activities == nil || hub.Blobs == nil {
		t.Errorf("a port is missing: %+v", hub)
	}
	if hub.Dead != (backend.Dead{}) {
		t.Errorf("there are dead-letter queues that nobody has named: %+v", hub.Dead)
	}
	for _, name := range []string{aws.EnvDeadInboxURL, aws.EnvDeadWakeURL, aws.EnvDeadActivitiesURL} {
		t.Setenv(name, "x")
	}
	if hub, err = aws.Open(sdk.Config{}); err != nil || hub.Dead.Inbox == nil || hub.Dead.Wake == nil || hub.Dead.Activities == nil {
		t.Errorf("a dead-letter queue is missing: %+v, %v", hub.Dead, err)
	}
	t.Setenv(aws.EnvBucket, "")
	t.Setenv(aws.EnvWakeURL, "")
	_, err = aws.Open(sdk.Config{})
	wantMention(t, "Open", err, aws.EnvBucket, aws.EnvWakeURL)
}

func TestPortsThatAreNotConfiguredAreNil(t *testing.T) {
	t.Parallel()
	c := configFor("http://hub.invalid")
	c.InboxURL, c.Bucket = "http://hub.invalid/1/inbox.fifo", ""
	hub := aws.New(c)
	if hub.Table == nil || hub.Inbox == nil || hub.Wake != nil || hub.Activities != nil || hub.Blobs != nil {
		t.Errorf("got %+v, want a table and an inbox", hub)
	}
}
