package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// nothingLeft checks that nothing bears the name of a stack any more. It gives the lists some time: SQS, for one, shows a
// queue up to a minute after its deletion.
func (c *cloud) nothingLeft(ctx context.Context, name string) error {
	var left []string
	err := eventually(ctx, 3*time.Second, 2*time.Minute, func() (bool, error) {
		var err error
		left, err = c.left(ctx, name)
		return len(left) == 0, err
	})
	if errors.Is(err, errPatience) {
		return fmt.Errorf("of stack %s is left, and has to be removed by hand:\n  %s", name, strings.Join(left, "\n  "))
	}
	return err
}

// left lists what bears the name of a stack, in all services where something could stay or cost.
func (c *cloud) left(ctx context.Context, name string) (left []string, err error) {
	if stack, err := c.stack(ctx, name); err != nil {
		return nil, err
	} else if stack != nil {
		left = append(left, "stack "+name)
	}
	for _, list := range []struct {
		what string
		of   func(context.Context, string) ([]string, error)
	}{
		{"table", c.tableNames}, {"bucket", c.bucketNames}, {"queue", c.queueURLs}, {"function", c.functionNames}, {"log group", c.logGroupNames},
	} {
		found, err := list.of(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("what is left of %s: %w", name, err)
		}
		for _, one := range found {
			left = append(left, list.what+" "+one)
		}
	}
	return left, nil
}

func (c *cloud) tableNames(ctx context.Context, name string) (found []string, err error) {
	pages := dynamodb.NewListTablesPaginator(c.tables, &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, bearing(name, page.TableNames...)...)
	}
	return found, nil
}

func (c *cloud) bucketNames(ctx context.Context, name string) (found []string, err error) {
	pages := s3.NewListBucketsPaginator(c.objects, &s3.ListBucketsInput{Prefix: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, b := range page.Buckets {
			found = append(found, bearing(name, aws.ToString(b.Name))...)
		}
	}
	return found, nil
}

func (c *cloud) queueURLs(ctx context.Context, name string) (found []string, err error) {
	pages := sqs.NewListQueuesPaginator(c.queues, &sqs.ListQueuesInput{QueueNamePrefix: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, page.QueueUrls...)
	}
	return found, nil
}

func (c *cloud) functionNames(ctx context.Context, name string) (found []string, err error) {
	pages := lambda.NewListFunctionsPaginator(c.functions, &lambda.ListFunctionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range page.Functions {
			found = append(found, bearing(name, aws.ToString(f.FunctionName))...)
		}
	}
	return found, nil
}

func (c *cloud) logGroupNames(ctx context.Context, name string) (found []string, err error) {
	for _, of := range []string{"/durable/" + name, "/aws/lambda/" + name} {
		pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(c.logs, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &of})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, g := range page.LogGroups {
				found = append(found, aws.ToString(g.LogGroupName))
			}
		}
	}
	return found, nil
}

// bearing returns the names that begin with one.
func bearing(name string, all ...string) (found []string) {
	for _, one := range all {
		if strings.HasPrefix(one, name) {
			found = append(found, one)
		}
	}
	return found
}
