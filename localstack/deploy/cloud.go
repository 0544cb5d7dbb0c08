package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// bucket holds the code of the functions.
const bucket = "durable-deploy"

// cloud is the emulator.
type cloud struct {
	stacks  *cloudformation.Client
	objects *s3.Client
	region  string
}

// connect returns clients of the endpoint and of nothing else: what else the environment says about endpoints, such as
// AWS_ENDPOINT_URL_S3, would lead elsewhere.
func connect(ctx context.Context, endpoint string) (*cloud, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	if c.Region == "" {
		return nil, errors.New("AWS_REGION is not set; `. localstack/env` sets it")
	}
	return &cloud{
		stacks: cloudformation.NewFromConfig(c, func(o *cloudformation.Options) { o.BaseEndpoint = &endpoint }),
		objects: s3.NewFromConfig(c, func(o *s3.Options) {
			o.BaseEndpoint, o.UsePathStyle = &endpoint, true
		}),
		region: c.Region,
	}, nil
}

// upload puts an archive into the bucket, which it makes, and returns its address. The address follows from the content,
// so that a function whose code is the same is not updated.
func (c *cloud) upload(ctx context.Context, archive []byte) (string, error) {
	in := &s3.CreateBucketInput{Bucket: aws.String(bucket)}
	if c.region != "us-east-1" { // which S3 does not accept as a constraint
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(c.region)}
	}
	var owned *s3types.BucketAlreadyOwnedByYou
	if _, err := c.objects.CreateBucket(ctx, in); err != nil && !errors.As(err, &owned) {
		return "", fmt.Errorf("%w; is the emulator up? localstack/up starts it", err)
	}
	key := fmt.Sprintf("%x.zip", sha256.Sum256(archive))
	_, err := c.objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: bytes.NewReader(archive)})
	return "s3://" + bucket + "/" + key, err
}
