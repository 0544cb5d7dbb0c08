package aws_test

import (
	"context"
	"crypto/rand"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
)

// configFor has clients of an emulator and names of resources that do not exist yet.
func configFor(endpoint string) aws.Config {
	base := sdk.Config{
		Region:       "eu-central-1",
		BaseEndpoint: &endpoint,
		Credentials: sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
			return sdk.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	name := "conformance-" + strings.ToLower(rand.Text())
	return aws.Config{
		DynamoDB: dynamodb.NewFromConfig(base), Table: name,
		S3:     s3.NewFromConfig(base, func(o *s3.Options) { o.UsePathStyle = true }),
		Bucket: name, BlobPrefix: "hub/",
		SQS: sqs.NewFromConfig(base),
	}
}
