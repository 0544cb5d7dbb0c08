package aws

import (
	"errors"
	"fmt"
	"os"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// Environment variables that Open reads. The first ones must be set.
const (
	EnvTable         = "DURABLE_TABLE"
	EnvBucket        = "DURABLE_BUCKET"
	EnvInboxURL      = "DURABLE_INBOX_URL"
	EnvWakeURL       = "DURABLE_WAKE_URL"
	EnvActivitiesURL = "DURABLE_ACTIVITIES_URL"

	EnvBlobPrefix        = "DURABLE_BLOB_PREFIX"
	EnvDeadInboxURL      = "DURABLE_DEAD_INBOX_URL"
	EnvDeadWakeURL       = "DURABLE_DEAD_WAKE_URL"
	EnvDeadActivitiesURL = "DURABLE_DEAD_ACTIVITIES_URL"
)

// Open returns the ports of the hub that the environment names. Region, credentials and endpoint are sdk's: with an
// endpoint of its own, as AWS_ENDPOINT_URL sets it, that is taken for an emulator.
func Open(sdk sdk.Config) (backend.Backend, error) {
	c := Config{
		Table:             os.Getenv(EnvTable),
		Bucket:            os.Getenv(EnvBucket),
		BlobPrefix:        os.Getenv(EnvBlobPrefix),
		InboxURL:          os.Getenv(EnvInboxURL),
		WakeURL:           os.Getenv(EnvWakeURL),
		ActivitiesURL:     os.Getenv(EnvActivitiesURL),
		DeadInboxURL:      os.Getenv(EnvDeadInboxURL),
		DeadWakeURL:       os.Getenv(EnvDeadWakeURL),
		DeadActivitiesURL: os.Getenv(EnvDeadActivitiesURL),
	}
	if err := c.complete(); err != nil {
		return backend.Backend{}, fmt.Errorf("open the hub: %w", err)
	}
	c.DynamoDB = dynamodb.NewFromConfig(sdk)
	c.SQS = sqs.NewFromConfig(sdk)
	c.S3 = s3.NewFromConfig(sdk, func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil // an emulator's host has no subdomain for each bucket
	})
	return New(c), nil
}

func (c Config) complete() error {
	var missing []error
	for _, v := range []struct{ name, value string }{
		{EnvTable, c.Table},
		{EnvBucket, c.Bucket},
		{EnvInboxURL, c.InboxURL},
		{EnvWakeURL, c.WakeURL},
		{EnvActivitiesURL, c.ActivitiesURL},
	} {
		if v.value == "" {
			missing = append(missing, fmt.Errorf("%s is not set: set it to what the deployed stack says", v.name))
		}
	}
	return errors.Join(missing...)
}
