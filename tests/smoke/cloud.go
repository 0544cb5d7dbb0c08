package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// cloud is AWS, or an emulator on this machine, as somebody.
type cloud struct {
	// endpoint is the emulator's; empty for AWS.
	endpoint     string
	account, who string
	config       aws.Config

	stacks    *cloudformation.Client
	tables    *dynamodb.Client
	objects   *s3.Client
	queues    *sqs.Client
	logs      *cloudwatchlogs.Client
	functions *lambda.Client
	mails     *ses.Client
}

// connect finds out where the environment leads, and as whom.
func connect(ctx context.Context, endpoint string) (*cloud, error) {
	if err := checkEndpoint(endpoint); err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("the configuration of AWS cannot be read: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("there is no region: set AWS_REGION, such as AWS_REGION=eu-central-1, or AWS_PROFILE to a profile that has one")
	}
	c := &cloud{
		endpoint: endpoint, config: cfg,
		stacks: cloudformation.NewFromConfig(cfg), tables: dynamodb.NewFromConfig(cfg), queues: sqs.NewFromConfig(cfg),
		logs: cloudwatchlogs.NewFromConfig(cfg), functions: lambda.NewFromConfig(cfg), mails: ses.NewFromConfig(cfg),
		// An emulator has no name for each bucket.
		objects: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = endpoint != "" }),
	}
	me, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("AWS does not say who you are: %w; `aws configure` or `aws sso login` make you known, AWS_PROFILE chooses a profile, "+
			"and where AWS_ENDPOINT_URL is set, its emulator must be up", err)
	}
	c.account, c.who = aws.ToString(me.Account), aws.ToString(me.Arn)
	return c, nil
}

// local reports whether it is an emulator, where nothing costs anything.
func (c *cloud) local() bool { return c.endpoint != "" }

// checkEndpoint accepts AWS itself and this machine, and nothing in between.
func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return fmt.Errorf("AWS_ENDPOINT_URL: %w; unset it to run on AWS", err)
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("AWS_ENDPOINT_URL is %s, which is not on this machine: unset it to run on AWS, or set it to an emulator's loopback address", endpoint)
	}
	return nil
}

// apiURL is the address of the API, which the stack knows on AWS only.
func (c *cloud) apiURL(outputs map[string]string) string {
	if c.local() {
		return strings.TrimSuffix(c.endpoint, "/") + "/_aws/execute-api/" + outputs["ApiId"] + "/v1"
	}
	return outputs["ApiUrl"]
}

// errPatience says that something did not come true in time.
var errPatience = errors.New("in vain")

// eventually asks every so often until it is so, an error says that it never will be, or patience is over.
func eventually(ctx context.Context, every, patience time.Duration, done func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	over := time.NewTimer(patience)
	defer over.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over.C:
			return fmt.Errorf("waited %v %w", patience, errPatience)
		case <-tick.C:
		}
	}
}
