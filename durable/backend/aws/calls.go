package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// The ports hold functions of the SDK's clients, not the clients: a program that links reflection on names, as templates do, keeps every
// method of every type that an interface can reach. (S3's client holds itself in one, so its methods stay.)

// call is an operation of a service, with options of its client.
type call[In, Out, Options any] func(context.Context, *In, ...func(*Options)) (*Out, error)

type dynamoDBCalls struct {
	GetItem    call[dynamodb.GetItemInput, dynamodb.GetItemOutput, dynamodb.Options]
	PutItem    call[dynamodb.PutItemInput, dynamodb.PutItemOutput, dynamodb.Options]
	DeleteItem call[dynamodb.DeleteItemInput, dynamodb.DeleteItemOutput, dynamodb.Options]
	Query      call[dynamodb.QueryInput, dynamodb.QueryOutput, dynamodb.Options]
}

type sqsCalls struct {
	SendMessageBatch        call[sqs.SendMessageBatchInput, sqs.SendMessageBatchOutput, sqs.Options]
	ReceiveMessage          call[sqs.ReceiveMessageInput, sqs.ReceiveMessageOutput, sqs.Options]
	DeleteMessageBatch      call[sqs.DeleteMessageBatchInput, sqs.DeleteMessageBatchOutput, sqs.Options]
	ChangeMessageVisibility call[sqs.ChangeMessageVisibilityInput, sqs.ChangeMessageVisibilityOutput, sqs.Options]
}

type s3Calls struct {
	PutObject     call[s3.PutObjectInput, s3.PutObjectOutput, s3.Options]
	GetObject     call[s3.GetObjectInput, s3.GetObjectOutput, s3.Options]
	DeleteObject  call[s3.DeleteObjectInput, s3.DeleteObjectOutput, s3.Options]
	ListObjectsV2 call[s3.ListObjectsV2Input, s3.ListObjectsV2Output, s3.Options]
}

func dynamoDBCallsOf(c *dynamodb.Client) dynamoDBCalls {
	return dynamoDBCalls{c.GetItem, c.PutItem, c.DeleteItem, c.Query}
}

func sqsCallsOf(c *sqs.Client) sqsCalls {
	return sqsCalls{c.SendMessageBatch, c.ReceiveMessage, c.DeleteMessageBatch, c.ChangeMessageVisibility}
}

func s3CallsOf(c *s3.Client) s3Calls {
	return s3Calls{c.PutObject, c.GetObject, c.DeleteObject, c.ListObjectsV2}
}
