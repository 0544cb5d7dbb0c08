//go:build aws

package conformance

import (
	"context"
	"crypto/rand"
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

	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
)

// envEndpoint names an emulator of DynamoDB, SQS and S3. The test makes a table, queues and a bucket there for each sentence,
// and removes them.
const envEndpoint = "DURABLE_TEST_AWS_ENDPOINT"

// TestOnAWS runs the sentences that are marked so on DynamoDB, SQS and S3, with a worker in this process and in real time.
func TestOnAWS(t *testing.T) {
	endpoint := os.Getenv(envEndpoint)
	if endpoint == "" {
		t.Fatalf("%s is not set: it names an emulator of DynamoDB, SQS and S3", envEndpoint)
	}
	for _, s := range sentences {
		if !s.aws {
			continue
		}
		t.Run(s.area+"/"+s.says, func(t *testing.T) {
			t.Parallel()
			play(t, s, newHost(t, plain, &clock{real: true}, aws.New(hubOn(t, endpoint))))
		})
	}
}

// hubOn makes what a hub stands on.
func hubOn(t *testing.T, endpoint string) aws.Config {
	t.Helper()
	base := sdk.Config{Region: "eu-central-1", BaseEndpoint: &endpoint,
		Credentials: sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
			return sdk.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		})}
	name := "sentence-" + strings.ToLower(rand.Text())
	c := aws.Config{DynamoDB: dynamodb.NewFromConfig(base), Table: name, SQS: sqs.NewFromConfig(base), Bucket: name, BlobPrefix: "hub/",
		S3: s3.NewFromConfig(base, func(o *s3.Options) { o.UsePathStyle = true })}
	makeTable(t, c)
	makeBucket(t, c)
	makeQueues(t, &c)
	return c
}

// clean has the test remove what it made.
func clean(t *testing.T, what string, remove func(context.Context) error) {
	t.Cleanup(func() {
		if err := remove(context.Background()); err != nil {
			t.Errorf("remove %s: %v", what, err)
		}
	})
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("make %s: %v", what, err)
	}
}

func makeTable(t *testing.T, c aws.Config) {
	t.Helper()
	schema := func(partition, sort string) []ddb.KeySchemaElement {
		return []ddb.KeySchemaElement{{AttributeName: &partition, KeyType: ddb.KeyTypeHash}, {AttributeName: &sort, KeyType: ddb.KeyTypeRange}}
	}
	in := &dynamodb.CreateTableInput{TableName: &c.Table, BillingMode: ddb.BillingModePayPerRequest,
		KeySchema: schema(aws.PartitionAttribute, aws.SortAttribute),
		GlobalSecondaryIndexes: []ddb.GlobalSecondaryIndex{{IndexName: sdk.String(aws.IndexName),
			KeySchema:  schema(aws.IndexPartitionAttribute, aws.IndexSortAttribute),
			Projection: &ddb.Projection{ProjectionType: ddb.ProjectionTypeInclude, NonKeyAttributes: []string{aws.IndexSummaryAttribute}}}}}
	for _, a := range []string{aws.PartitionAttribute, aws.SortAttribute, aws.IndexPartitionAttribute, aws.IndexSortAttribute} {
		in.AttributeDefinitions = append(in.AttributeDefinitions, ddb.AttributeDefinition{AttributeName: sdk.String(a), AttributeType: ddb.ScalarAttributeTypeS})
	}
	_, err := c.DynamoDB.CreateTable(t.Context(), in)
	must(t, "the table", err)
	clean(t, "the table", func(ctx context.Context) error {
		_, err := c.DynamoDB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &c.Table})
		return err
	})
	waiter := dynamodb.NewTableExistsWaiter(c.DynamoDB, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 100 * time.Millisecond })
	must(t, "the table", waiter.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &c.Table}, time.Minute))
}

func makeBucket(t *testing.T, c aws.Config) {
	t.Helper()
	_, err := c.S3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &c.Bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{
		LocationConstraint: s3types.BucketLocationConstraint(c.S3.Options().Region)}})
	must(t, "the bucket", err)
	clean(t, "the bucket", func(ctx context.Context) error {
		listed, err := c.S3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &c.Bucket})
		if err != nil {
			return err
		}
		for _, o := range listed.Contents {
			if _, err := c.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &c.Bucket, Key: o.Key}); err != nil {
				return err
			}
		}
		_, err = c.S3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &c.Bucket})
		return err
	})
}

func makeQueues(t *testing.T, c *aws.Config) {
	t.Helper()
	standard := map[string]string{"VisibilityTimeout": "30"}
	fifo := maps.Clone(standard)
	maps.Copy(fifo, map[string]string{"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"})
	for _, q := range []struct {
		url        *string
		name       string
		attributes map[string]string
	}{
		{&c.InboxURL, c.Table + "-inbox.fifo", fifo},
		{&c.WakeURL, c.Table + "-wake", standard},
		{&c.ActivitiesURL, c.Table + "-activities", standard},
	} {
		made, err := c.SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &q.name, Attributes: q.attributes})
		must(t, "a queue", err)
		*q.url = *made.QueueUrl
		clean(t, "a queue", func(ctx context.Context) error {
			_, err := c.SQS.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl})
			return err
		})
	}
}
