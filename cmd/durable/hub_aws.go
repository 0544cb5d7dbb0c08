//go:build aws

package main

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
	"github.com/durable-lambda/durable-lambda/durable/doctor"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// deployed opens a hub on AWS.
func (f hubFlags) deployed(ctx context.Context) (doctor.Config, func() error, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return doctor.Config{}, nil, fmt.Errorf("the AWS configuration cannot be loaded: %w", err)
	}
	ports, err := aws.Open(cfg)
	if f.Hub != "" {
		var where aws.Config
		if where, err = resources(ctx, cfg, f.Hub); err == nil {
			ports = aws.New(where)
		}
	}
	if err == nil {
		ports, err = f.ports(ports)
	}
	if err != nil {
		return doctor.Config{}, nil, err
	}
	c, err := config(store.Config{Backend: ports})
	return c, func() error { return nil }, err
}

// resources finds the hub of a stack by the names that the template gives its resources.
func resources(ctx context.Context, cfg sdk.Config, stack string) (aws.Config, error) {
	out, err := cloudformation.NewFromConfig(cfg).DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: &stack})
	if err != nil {
		return aws.Config{}, fmt.Errorf("the stack %s cannot be read in region %s: %w", stack, cfg.Region, err)
	}
	ids := map[string]string{}
	for _, r := range out.StackResources {
		ids[sdk.ToString(r.LogicalResourceId)] = sdk.ToString(r.PhysicalResourceId)
	}
	for _, needed := range []string{"Table", "Payloads", "InboxQueue", "WakeQueue", "ActivitiesQueue"} {
		if ids[needed] == "" {
			return aws.Config{}, fmt.Errorf("the stack %s is no hub: it has no %s; a hub of another template is named by --environment", stack, needed)
		}
	}
	return aws.Config{
		DynamoDB: dynamodb.NewFromConfig(cfg),
		SQS:      sqs.NewFromConfig(cfg),
		S3: s3.NewFromConfig(cfg, func(o *s3.Options) {
			o.UsePathStyle = o.BaseEndpoint != nil // an emulator's host has no subdomain for each bucket
		}),
		Table: ids["Table"], Bucket: ids["Payloads"],
		InboxURL: ids["InboxQueue"], WakeURL: ids["WakeQueue"], ActivitiesURL: ids["ActivitiesQueue"],
		DeadInboxURL: ids["InboxDeadQueue"], DeadWakeURL: ids["WakeDeadQueue"], DeadActivitiesURL: ids["ActivitiesDeadQueue"],
	}, nil
}
