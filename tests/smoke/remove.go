package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// removeEarlier removes what an earlier run has left.
func removeEarlier(ctx context.Context, c *cloud, name string, out io.Writer) int {
	stack, err := c.stack(ctx, name)
	if err == nil && stack != nil && !ours(stack) {
		err = fmt.Errorf("stack %s does not bear the tag %s=%s, so this command did not make it; `sam delete --stack-name %[1]s` removes it", name, tagKey, tagValue)
	}
	if err != nil {
		fmt.Fprintln(out, "smoke:", err)
		return nothing
	}
	if err := c.remove(ctx, name); err != nil {
		fmt.Fprintln(out, "smoke:", err)
		return notWell
	}
	fmt.Fprintf(out, "Nothing is left of %s.\n", name)
	return well
}

// remove removes the stack of a name, what the stack retains, and what was made for it, and checks that nothing is left. What
// it removes is what the stack itself says that it is made of, and the bucket of its code. It goes on after an error.
func (c *cloud) remove(ctx context.Context, name string) error {
	had, err := c.removeStack(ctx, name)
	problems := []error{err}
	for _, table := range had.of("AWS::DynamoDB::Table") {
		problems = append(problems, c.removeTable(ctx, table))
	}
	for _, bucket := range append(had.of("AWS::S3::Bucket"), codeBucket(name, c.account)) {
		problems = append(problems, c.removeBucket(ctx, bucket))
	}
	for _, group := range had.logGroups() {
		problems = append(problems, c.removeLogGroup(ctx, group))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("%w\nnot everything is removed; `%s` tries again, and the console of CloudFormation in %s shows the stack", err, deletion(name), c.config.Region)
	}
	return c.nothingLeft(ctx, name)
}

// deletion is the command that removes what a run has left.
func deletion(stack string) string { return "go run ./tests/smoke -delete " + stack }

// removeStack deletes a stack and returns what it was made of. One that is still being made is waited for: what it is made
// of is known when it is whole.
func (c *cloud) removeStack(ctx context.Context, name string) (resources, error) {
	stack, err := c.rest(ctx, name)
	if err != nil || stack == nil {
		return nil, err
	}
	had, err := c.resources(ctx, *stack.StackId)
	if err != nil {
		return nil, err
	}
	if _, err := c.stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: stack.StackId}); err != nil {
		return had, fmt.Errorf("stack %s is not deleted: %w", name, err)
	}
	left, err := c.gone(ctx, *stack.StackId)
	if err == nil && left != "" {
		err = fmt.Errorf("stack %s is not deleted: %s", name, left)
	}
	return had, err
}

// gone waits until a stack is deleted; what is left says why it cannot be.
func (c *cloud) gone(ctx context.Context, id string) (left string, err error) {
	err = eventually(ctx, pollEvery, patience, func() (bool, error) {
		stack, err := c.stack(ctx, id)
		if err != nil || stack == nil {
			left = ""
			return true, err
		}
		// Any other status is that from before, and soon over.
		left = fmt.Sprintf("it is %s, %s", stack.StackStatus, aws.ToString(stack.StackStatusReason))
		return stack.StackStatus == types.StackStatusDeleteFailed, nil
	})
	if errors.Is(err, errPatience) {
		return left, nil
	}
	return left, err
}

// removeTable deletes a table, and first its point-in-time recovery: otherwise DynamoDB keeps a backup of it for 35 days.
func (c *cloud) removeTable(ctx context.Context, name string) error {
	_, err := c.tables.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
		TableName: &name, PointInTimeRecoverySpecification: &dynamodbtypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(false)},
	})
	if missing(err) {
		return nil
	}
	// A table whose recovery cannot be switched off is deleted all the same. One that is being changed, or deleted, is in use.
	err = eventually(ctx, pollEvery, patience, func() (bool, error) {
		_, err := c.tables.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
		if busy := (*dynamodbtypes.ResourceInUseException)(nil); errors.As(err, &busy) {
			return false, nil
		}
		return missing(err), ignoreMissing(err)
	})
	return about("table "+name, err)
}

// removeBucket empties a bucket and deletes it.
func (c *cloud) removeBucket(ctx context.Context, name string) error {
	pages := s3.NewListObjectVersionsPaginator(c.objects, &s3.ListObjectVersionsInput{Bucket: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return about("bucket "+name, err)
		}
		var doomed []s3types.ObjectIdentifier
		for _, v := range page.Versions {
			doomed = append(doomed, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			doomed = append(doomed, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(doomed) == 0 {
			continue
		}
		done, err := c.objects.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &name, Delete: &s3types.Delete{Objects: doomed, Quiet: aws.Bool(true)}})
		if err == nil && len(done.Errors) > 0 {
			err = fmt.Errorf("%s: %s", aws.ToString(done.Errors[0].Key), aws.ToString(done.Errors[0].Message))
		}
		if err != nil {
			return about("bucket "+name, err)
		}
	}
	_, err := c.objects.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
	return about("bucket "+name, err)
}

func (c *cloud) removeLogGroup(ctx context.Context, name string) error {
	_, err := c.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &name})
	return about("log group "+name, err)
}

// logGroups are those that the template names, and those that Lambda makes by itself for a function that has none.
func (r resources) logGroups() []string {
	groups := r.of("AWS::Logs::LogGroup")
	for _, function := range r.of("AWS::Lambda::Function") {
		groups = append(groups, "/aws/lambda/"+function)
	}
	return groups
}

// about names what an error is about. That something is not there any more is none.
func about(what string, err error) error {
	if err = ignoreMissing(err); err != nil {
		return fmt.Errorf("%s is not removed: %w", what, err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if missing(err) {
		return nil
	}
	return err
}

// missing reports whether a service says that there is no such thing.
func missing(err error) bool {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return false
	}
	switch code := refused.ErrorCode(); code {
	case "NoSuchBucket", "NotFound":
		return true
	default:
		return strings.HasSuffix(code, "NotFoundException")
	}
}
