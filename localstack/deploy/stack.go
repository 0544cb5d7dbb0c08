package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
)

// pollEvery is how often CloudFormation is asked how far it is.
const pollEvery = 500 * time.Millisecond

// apply creates or updates a stack and returns its outputs.
func (c *cloud) apply(ctx context.Context, name string, t *template, parameters map[string]string, say func(string, ...any)) ([]output, error) {
	kind, err := c.prepare(ctx, name, say)
	if err != nil {
		return nil, err
	}
	set, err := c.changeSet(ctx, name, kind, t, parameters)
	if err != nil {
		return nil, err
	}
	if set == "" {
		say("stack %s is as it should be", name)
		stack, err := c.stack(ctx, name)
		return outputs(stack), err
	}
	seen, err := c.events(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	if _, err := c.stacks.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: &name, ChangeSetName: &set}); err != nil {
		return nil, err
	}
	return c.watch(ctx, name, seen, say)
}

// prepare says whether the stack is to be created or updated. One that was never whole can be neither, and is removed.
func (c *cloud) prepare(ctx context.Context, name string, say func(string, ...any)) (types.ChangeSetType, error) {
	stack, err := c.stack(ctx, name)
	if err != nil {
		return "", err
	}
	if stack == nil {
		return types.ChangeSetTypeCreate, nil
	}
	switch stack.StackStatus {
	case types.StackStatusReviewInProgress:
		return types.ChangeSetTypeCreate, nil
	case types.StackStatusCreateFailed, types.StackStatusRollbackComplete, types.StackStatusRollbackFailed, types.StackStatusDeleteFailed:
		say("stack %s is left from a deployment that failed (%s), and is removed first", name, stack.StackStatus)
		if _, err := c.stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &name}); err != nil {
			return "", err
		}
		return types.ChangeSetTypeCreate, poll(ctx, func() (bool, error) {
			left, err := c.stack(ctx, name)
			return left == nil, err
		})
	}
	return types.ChangeSetTypeUpdate, nil
}

// changeSet makes a change set and returns its ARN; empty when there is nothing to change.
func (c *cloud) changeSet(ctx context.Context, name string, kind types.ChangeSetType, t *template, parameters map[string]string) (string, error) {
	text, err := t.text()
	if err != nil {
		return "", err
	}
	in := &cloudformation.CreateChangeSetInput{
		StackName: &name, ChangeSetName: aws.String("deploy-" + time.Now().UTC().Format("20060102-150405-000")), ChangeSetType: kind, TemplateBody: &text,
		Capabilities: []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityAutoExpand},
	}
	for key, value := range parameters {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(value)})
	}
	made, err := c.stacks.CreateChangeSet(ctx, in)
	if err != nil {
		return "", err
	}
	empty := false
	err = poll(ctx, func() (bool, error) {
		set, err := c.stacks.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: &name, ChangeSetName: made.Id})
		if err != nil {
			return false, err
		}
		reason := aws.ToString(set.StatusReason)
		switch {
		case set.Status == types.ChangeSetStatusFailed && strings.Contains(reason, "didn't contain changes"):
			empty = true
			return true, nil
		case set.Status == types.ChangeSetStatusFailed:
			return false, fmt.Errorf("CloudFormation refuses the template: %s", reason)
		}
		return set.Status == types.ChangeSetStatusCreateComplete, nil
	})
	if err != nil || empty {
		return "", err
	}
	return aws.ToString(made.Id), nil
}

// watch says what becomes of each resource until the stack has come to rest, and returns its outputs.
func (c *cloud) watch(ctx context.Context, name string, seen map[string]bool, say func(string, ...any)) ([]output, error) {
	var stack *types.Stack
	var failed string
	err := poll(ctx, func() (done bool, err error) {
		// The stack before its events: so none of a stack that has come to rest is missed.
		if stack, err = c.stack(ctx, name); err != nil || stack == nil {
			return true, err
		}
		seen, err = c.events(ctx, name, seen, func(e types.StackEvent) {
			id, status, reason := aws.ToString(e.LogicalResourceId), string(e.ResourceStatus), aws.ToString(e.ResourceStatusReason)
			if strings.HasSuffix(status, "_FAILED") && failed == "" && id != name {
				failed = fmt.Sprintf("%s (%s): %s", id, aws.ToString(e.ResourceType), reason)
			}
			if !strings.HasSuffix(status, "_IN_PROGRESS") && id != name {
				say("%-36s %s", id, strings.ToLower(strings.ReplaceAll(status, "_", " ")))
			}
		})
		return !strings.HasSuffix(string(stack.StackStatus), "_IN_PROGRESS"), err
	})
	switch {
	case err != nil:
		return nil, err
	case stack == nil:
		return nil, fmt.Errorf("stack %s was deleted by somebody else", name)
	case stack.StackStatus == types.StackStatusCreateComplete, stack.StackStatus == types.StackStatusUpdateComplete:
		return outputs(stack), nil
	case failed == "":
		failed = aws.ToString(stack.StackStatusReason)
	}
	return nil, fmt.Errorf("stack %s is %s; what failed first is %s", name, stack.StackStatus, failed)
}

// events hands new events to visit, oldest first, and returns those seen by now.
func (c *cloud) events(ctx context.Context, name string, seen map[string]bool, visit ...func(types.StackEvent)) (map[string]bool, error) {
	now := map[string]bool{}
	var fresh []types.StackEvent
	pages := cloudformation.NewDescribeStackEventsPaginator(c.stacks, &cloudformation.DescribeStackEventsInput{StackName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.StackEvents { // newest first
			now[aws.ToString(e.EventId)] = true
			if !seen[aws.ToString(e.EventId)] {
				fresh = append(fresh, e)
			}
		}
	}
	for i := len(fresh) - 1; i >= 0; i-- {
		for _, v := range visit {
			v(fresh[i])
		}
	}
	return now, nil
}

// stack returns the stack; nil when there is none.
func (c *cloud) stack(ctx context.Context, name string) (*types.Stack, error) {
	found, err := c.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if refused := (smithy.APIError)(nil); errors.As(err, &refused) && refused.ErrorCode() == "ValidationError" {
		return nil, nil // CloudFormation has no other word for a stack that is not there
	}
	if err != nil || len(found.Stacks) == 0 || found.Stacks[0].StackStatus == types.StackStatusDeleteComplete {
		return nil, err
	}
	return &found.Stacks[0], nil
}

func outputs(stack *types.Stack) (all []output) {
	if stack == nil {
		return nil
	}
	for _, o := range stack.Outputs {
		all = append(all, output{aws.ToString(o.OutputKey), aws.ToString(o.OutputValue)})
	}
	return all
}

// poll asks again and again until done says so.
func poll(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
