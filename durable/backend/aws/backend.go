package aws

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// Config says where the hub is. A port that is not configured is nil in the backend, so that a program which only starts
// orchestrations needs no address of the activities.
type Config struct {
	DynamoDB *dynamodb.Client
	SQS      *sqs.Client
	S3       *s3.Client

	// Table is the name of the table.
	Table string
	// Bucket is the name of the bucket, and BlobPrefix, which may be empty, begins the key of every object in it.
	Bucket, BlobPrefix string
	// Addresses of the queues. That of the inbox is a FIFO queue's.
	InboxURL, WakeURL, ActivitiesURL string
	// Addresses of their dead-letter queues, for whoever handles dead letters.
	DeadInboxURL, DeadWakeURL, DeadActivitiesURL string
}

// New returns the ports of a hub. It calls nothing: a wrong name shows with the first call.
func New(c Config) backend.Backend {
	var b backend.Backend
	if c.DynamoDB != nil && c.Table != "" {
		b.Table = &table{client: dynamoDBCallsOf(c.DynamoDB), name: c.Table}
	}
	if c.SQS != nil {
		calls := sqsCallsOf(c.SQS)
		b.Inbox = newQueue(calls, "inbox", c.InboxURL, true)
		b.Wake = newQueue(calls, "wake", c.WakeURL, false)
		b.Activities = newQueue(calls, "activities", c.ActivitiesURL, false)
		b.Dead = backend.Dead{
			Inbox:      newQueue(calls, "dead inbox", c.DeadInboxURL, true),
			Wake:       newQueue(calls, "dead wake", c.DeadWakeURL, false),
			Activities: newQueue(calls, "dead activities", c.DeadActivitiesURL, false),
		}
	}
	if c.S3 != nil && c.Bucket != "" {
		b.Blobs = &blobs{client: s3CallsOf(c.S3), bucket: c.Bucket, prefix: c.BlobPrefix}
	}
	return b
}
