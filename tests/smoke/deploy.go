package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// deployment is the stack that was deployed.
type deployment struct {
	door      *door
	outputs   map[string]string
	resources resources
	// chain is what the instance of Chain came to: what else is counted is seen from there.
	chain status
	// first is the id of the first order.
	first string
}

func (r *smokeRun) deploy(ctx context.Context, folder string) (*deployment, error) {
	r.say("Building and deploying, which takes some minutes ...")
	parameters, err := r.parameters()
	if err != nil {
		return nil, err
	}
	if err := r.sam.build(ctx, folder, parameters); err != nil {
		return nil, err
	}
	bucket := codeBucket(r.name, r.account)
	if err := r.makeBucket(ctx, bucket); err != nil {
		return nil, err
	}
	if err := r.sam.deploy(ctx, folder, r.name, bucket, parameters); err != nil {
		return nil, err
	}
	stack, err := r.stack(ctx, r.name)
	if err == nil && stack == nil {
		err = errors.New("sam says that it has deployed the stack, and CloudFormation says that there is none; look at AWS_REGION and AWS_PROFILE")
	}
	if err != nil {
		return nil, err
	}
	d := &deployment{outputs: outputs(stack)}
	d.door = newDoor(r.apiURL(d.outputs), r.config)
	d.resources, err = r.cloud.resources(ctx, *stack.StackId)
	return d, err
}

// parameters are those of the template for this run.
func (r *smokeRun) parameters() (map[string]string, error) {
	standing, err := orderJSON("", 900)
	if err != nil {
		return nil, err
	}
	p := map[string]string{"Meter": "1", "StandingOrder": standing, "StandingOrderSchedule": "rate(1 minute)", "LogRetentionDays": "1"}
	if r.mailFrom != "" {
		p["MailFrom"] = r.mailFrom
	}
	if r.local() {
		if runtime.GOARCH == "amd64" {
			p["Architecture"] = "x86_64" // an emulator runs the functions on this processor
		}
		if r.mailFrom != "" {
			p["CreateMailIdentity"] = "true" // which an emulator verifies at once
		}
	}
	return p, nil
}

func (r *smokeRun) makeBucket(ctx context.Context, name string) error {
	in := &s3.CreateBucketInput{Bucket: &name}
	if region := r.config.Region; region != "us-east-1" { // which S3 does not accept as a constraint
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
	}
	if _, err := r.objects.CreateBucket(ctx, in); err != nil {
		return fmt.Errorf("the bucket for the code of the functions, %s: %w", name, err)
	}
	return nil
}
