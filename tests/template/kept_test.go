//go:build template

package template_test

import (
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
)

func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	s := deploy(t)
	table, bucket := s.one(t, "Table"), s.one(t, "Payloads")

	t.Run("the table and the bucket outlive the stack, unless it could not be created", func(t *testing.T) {
		for _, name := range []string{"Table", "Payloads", "PayloadsPolicy"} {
			r := s.one(t, name)
			same(t, []string{name, r.Deletion, r.Replacing}, []string{name, "RetainExceptOnCreate", "Retain"})
		}
	})
	t.Run("they have no names, so that another stack can have its own", func(t *testing.T) {
		same(t, table.get("TableName"), nil)
		same(t, bucket.get("BucketName"), nil)
	})
	t.Run("the table has the keys that the backend uses", func(t *testing.T) {
		same(t, table.get("KeySchema"), keysOf(aws.PartitionAttribute, aws.SortAttribute))
		var attributes []any
		for _, name := range []string{aws.PartitionAttribute, aws.SortAttribute, aws.IndexPartitionAttribute, aws.IndexSortAttribute} {
			attributes = append(attributes, map[string]any{"AttributeName": name, "AttributeType": "S"})
		}
		same(t, table.get("AttributeDefinitions"), attributes)
	})
	t.Run("the table has the index that the backend uses, and no other", func(t *testing.T) {
		same(t, table.get("GlobalSecondaryIndexes"), []any{map[string]any{
			"IndexName":  aws.IndexName,
			"KeySchema":  keysOf(aws.IndexPartitionAttribute, aws.IndexSortAttribute),
			"Projection": map[string]any{"ProjectionType": "INCLUDE", "NonKeyAttributes": []any{aws.IndexSummaryAttribute}},
		}})
		same(t, table.get("LocalSecondaryIndexes"), nil)
	})
	t.Run("the table forgets what has expired", func(t *testing.T) {
		same(t, table.get("TimeToLiveSpecification"), map[string]any{"AttributeName": aws.ExpiryAttribute, "Enabled": true})
	})
	t.Run("the table is paid by request, and can be restored to a point in time", func(t *testing.T) {
		same(t, table.get("BillingMode"), "PAY_PER_REQUEST")
		same(t, table.get("PointInTimeRecoverySpecification"), map[string]any{"PointInTimeRecoveryEnabled": true})
	})
	t.Run("nothing is encrypted with a key that costs", func(t *testing.T) {
		same(t, table.get("SSESpecification"), nil)
		same(t, bucket.get("BucketEncryption"), nil)
		for _, l := range s.of("AWS::Logs::LogGroup") {
			same(t, l.get("KmsKeyId"), nil)
		}
	})
	t.Run("no object of the bucket can be public", func(t *testing.T) {
		for _, property := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			same(t, bucket.get("PublicAccessBlockConfiguration", property), true)
		}
	})
	t.Run("payloads never expire, only what is left of uploads that ended early", func(t *testing.T) {
		same(t, bucket.get("LifecycleConfiguration", "Rules"), []any{map[string]any{
			"Id": "unfinished-uploads", "Status": "Enabled", "AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": 1.0}}})
	})
	t.Run("the bucket refuses connections that are not encrypted", func(t *testing.T) {
		policy := s.one(t, "PayloadsPolicy")
		same(t, policy.get("Bucket"), "${Payloads}")
		same(t, policy.get("PolicyDocument", "Statement"), []any{map[string]any{
			"Sid": "EncryptedConnectionsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
			"Resource":  []any{"${Payloads.Arn}", "${Payloads.Arn}/*"},
			"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
		}})
	})
}

func keysOf(partition, sort string) []any {
	return []any{
		map[string]any{"AttributeName": partition, "KeyType": "HASH"},
		map[string]any{"AttributeName": sort, "KeyType": "RANGE"},
	}
}
