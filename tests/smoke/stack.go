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

// How often AWS is asked how far it is, and for how long at most.
const (
	pollEvery = 2 * time.Second
	patience  = 20 * time.Minute
)

// resources are those of a stack: types and physical ids by logical ids.
type resources map[string]resource

type resource struct{ kind, id, status string }

// of returns the physical ids of the resources of a type.
func (r resources) of(kind string) (ids []string) {
	for _, one := range r {
		if one.kind == kind && one.id != "" {
			ids = append(ids, one.id)
		}
	}
	return ids
}

// stack returns the stack of a name, or of an id; nil when there is none, or none any more.
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

// rest waits until nothing is being done to a stack, and returns it; nil when it is gone.
func (c *cloud) rest(ctx context.Context, name string) (stack *types.Stack, err error) {
	err = eventually(ctx, pollEvery, patience, func() (bool, error) {
		stack, err = c.stack(ctx, name)
		return stack == nil || stack.StackStatus == types.StackStatusReviewInProgress ||
			!strings.HasSuffix(string(stack.StackStatus), "_IN_PROGRESS"), err
	})
	if err != nil {
		return nil, fmt.Errorf("stack %s does not come to rest: %w", name, err)
	}
	return stack, nil
}

// resources describes what a stack is made of. A stack that is gone is found by its id only.
func (c *cloud) resources(ctx context.Context, stack string) (resources, error) {
	found, err := c.stacks.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: &stack})
	if err != nil {
		return nil, fmt.Errorf("the resources of stack %s: %w", stack, err)
	}
	all := resources{}
	for _, r := range found.StackResources {
		all[aws.ToString(r.LogicalResourceId)] = resource{aws.ToString(r.ResourceType), aws.ToString(r.PhysicalResourceId), string(r.ResourceStatus)}
	}
	return all, nil
}

func outputs(s *types.Stack) map[string]string {
	all := map[string]string{}
	for _, o := range s.Outputs {
		all[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return all
}

// ours reports whether a stack bears the mark of this command.
func ours(s *types.Stack) bool {
	for _, t := range s.Tags {
		if aws.ToString(t.Key) == tagKey && aws.ToString(t.Value) == tagValue {
			return isName(aws.ToString(s.StackName))
		}
	}
	return false
}
