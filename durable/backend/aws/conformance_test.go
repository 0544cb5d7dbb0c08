//go:build aws

package aws_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
)

// Endpoints of emulators. The tests make their own table, queues and bucket there, and remove them.
const (
	envEndpoint = "DURABLE_TEST_AWS_ENDPOINT"      // of everything
	envDynamoDB = "DURABLE_TEST_DYNAMODB_ENDPOINT" // of DynamoDB alone
)

const visibility = 5 * time.Second

// emulated are sentences that LocalStack 4.14 does not keep, and why that is not the adapter's doing. AWS's documentation
// promises the second.
var emulated = map[string]string{
	"Defer with an out-of-date receipt is no error and changes nothing":            "LocalStack takes every receipt that a message ever had",
	"Inbox delivers a group again from its first message that is not acknowledged": "LocalStack unlocks a group when one message of several in flight becomes visible",
}

func TestConformance(t *testing.T) {
	endpoint := os.Getenv(envEndpoint)
	if endpoint == "" {
		t.Fatalf("%s is not set: it names an emulator of DynamoDB, SQS and S3", envEndpoint)
	}
	c := configFor(endpoint)
	makeTable(t, c)
	makeBucket(t, c)
	backendtest.Run(t, backendtest.Config{
		Open: func(t *testing.T) backendtest.System {
			for sentence, why := range emulated {
				if strings.HasSuffix(t.Name(), strings.ReplaceAll(sentence, " ", "_")) {
					t.Skip(why)
				}
			}
			c := c
			if strings.Contains(t.Name(), "/Queue/") {
				makeQueues(t, &c)
			}
			return backendtest.System{Backend: aws.New(c)}
		},
		Parallel:           true,
		Visibility:         visibility,
		ActivityVisibility: visibility,
		Patience:           time.Second, // less than the delays of the suite, which are of two
		Ordered:            true,
		DedupWindow:        5 * time.Minute,
	})
}

func TestTableConformance(t *testing.T) {
	endpoint := os.Getenv(envDynamoDB)
	if endpoint == "" {
		t.Fatalf("%s is not set: it names a DynamoDB Local", envDynamoDB)
	}
	c := configFor(endpoint)
	makeTable(t, c)
	c.SQS, c.S3 = nil, nil
	t.Run("Query goes on after the end of an answer", func(t *testing.T) { queryPages(t, c) })
	backendtest.Run(t, backendtest.Config{
		Open: func(t *testing.T) backendtest.System {
			if !strings.Contains(t.Name(), "/Table/") {
				t.Skip("DynamoDB Local has neither queues nor blobs")
			}
			return backendtest.System{Backend: aws.New(c)}
		},
		Parallel: true,
		Patience: 2 * time.Second,
	})
}

// queryPages is beyond the suite: it needs to know how much an answer of DynamoDB holds.
func queryPages(t *testing.T, c aws.Config) {
	table := aws.New(c).Table
	var want []string
	for i := range 7 { // 2.6 MB, where one answer is 1 MB
		item := backend.Item{
			Key:   backend.Key{Partition: "pages", Sort: fmt.Sprint(i)},
			Value: make([]byte, backend.MaxItemValue),
		}
		must(t, "put", table.Put(t.Context(), item, backend.Absent()))
		want = append(want, item.Sort)
	}
	for limit, want := range map[int][]string{5: want[:5], 7: want, 100: want} {
		items, err := table.Query(t.Context(), "pages", "", "", limit)
		must(t, "query", err)
		var got []string
		for _, item := range items {
			got = append(got, item.Sort)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Query with a limit of %d (-want +got):\n%s", limit, diff)
		}
	}
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func makeTable(t *testing.T, c aws.Config) {
	t.Helper()
	keys := func(partition, sort string) []ddb.KeySchemaElement {
		return []ddb.KeySchemaElement{
			{AttributeName: &partition, KeyType: ddb.KeyTypeHash},
			{AttributeName: &sort, KeyType: ddb.KeyTypeRange},
		}
	}
	in := &dynamodb.CreateTableInput{
		TableName:   &c.Table,
		BillingMode: ddb.BillingModePayPerRequest,
		KeySchema:   keys(aws.PartitionAttribute, aws.SortAttribute),
		GlobalSecondaryIndexes: []ddb.GlobalSecondaryIndex{{
			IndexName: sdk.String(aws.IndexName),
			KeySchema: keys(aws.IndexPartitionAttribute, aws.IndexSortAttribute),
			Projection: &ddb.Projection{
				ProjectionType: ddb.ProjectionTypeInclude, NonKeyAttributes: []string{aws.IndexSummaryAttribute},
			},
		}},
	}
	for _, name := range []string{
		aws.PartitionAttribute, aws.SortAttribute, aws.IndexPartitionAttribute, aws.IndexSortAttribute,
	} {
		in.AttributeDefinitions = append(in.AttributeDefinitions,
			ddb.AttributeDefinition{AttributeName: sdk.String(name), AttributeType: ddb.ScalarAttributeTypeS})
	}
	_, err := c.DynamoDB.CreateTable(t.Context(), in)
	must(t, "create the table", err)
	t.Cleanup(func() {
		_, err := c.DynamoDB.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &c.Table})
		must(t, "delete the table", err)
	})
	waiter := dynamodb.NewTableExistsWaiter(c.DynamoDB, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 100 * time.Millisecond })
	must(t, "wait for the table", waiter.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &c.Table}, time.Minute))
}

func makeBucket(t *testing.T, c aws.Config) {
	t.Helper()
	_, err := c.S3.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &c.Bucket,
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{
			LocationConstraint: s3types.BucketLocationConstraint(c.S3.Options().Region),
		},
	})
	must(t, "create the bucket", err)
	t.Cleanup(func() {
		ctx := context.Background()
		listed, err := c.S3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &c.Bucket})
		must(t, "list the bucket", err)
		for _, o := range listed.Contents {
			_, err := c.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &c.Bucket, Key: o.Key})
			must(t, "empty the bucket", err)
		}
		_, err = c.S3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &c.Bucket})
		must(t, "delete the bucket", err)
	})
}

// makeQueues gives one test its own queues.
func makeQueues(t *testing.T, c *aws.Config) {
	t.Helper()
	standard := map[string]string{"VisibilityTimeout": "5"}
	fifo := maps.Clone(standard)
	maps.Copy(fifo, map[string]string{
		"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
	})
	prefix := "conformance-" + strings.ToLower(rand.Text())
	for _, q := range []struct {
		url        *string
		name       string
		attributes map[string]string
	}{
		{&c.InboxURL, prefix + "-inbox.fifo", fifo},
		{&c.WakeURL, prefix + "-wake", standard},
		{&c.ActivitiesURL, prefix + "-activities", standard},
	} {
		made, err := c.SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &q.name, Attributes: q.attributes})
		must(t, "create the queue "+q.name, err)
		*q.url = *made.QueueUrl
		t.Cleanup(func() {
			_, err := c.SQS.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl})
			must(t, "delete the queue "+q.name, err)
		})
	}
}
