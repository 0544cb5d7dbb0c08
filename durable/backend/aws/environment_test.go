package aws_test

import (
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
)

func TestOpenReadsTheEnvironment(t *testing.T) {
	for _, name := range []string{aws.EnvTable, aws.EnvBucket, aws.EnvInboxURL, aws.EnvWakeURL, aws.EnvActivitiesURL} {
		t.Setenv(name, "x")
	}
	t.Setenv("AWS_REGION", "eu-central-1")
	hub, err := aws.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if hub.Table == nil || hub.Inbox == nil || hub.Wake == nil || hub.Activities == nil || hub.Blobs == nil {
		t.Errorf("a port is missing: %+v", hub)
	}
	t.Setenv(aws.EnvBucket, "")
	t.Setenv(aws.EnvWakeURL, "")
	_, err = aws.Open(t.Context())
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
