package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

const describedStack = `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>` +
	`<StackName>durable-smoke-0123abcd</StackName><StackId>arn:aws:cloudformation:x</StackId><StackStatus>%s</StackStatus>` +
	`<CreationTime>2026-01-01T00:00:00Z</CreationTime><Tags>%s</Tags></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`

func TestAStackOfSomebodyElseStays(t *testing.T) {
	for name, tags := range map[string]string{
		"without the tag":       "",
		"with another made-by":  "<member><Key>made-by</Key><Value>ada</Value></member>",
		"with the value only":   "<member><Key>team</Key><Value>durable-smoke</Value></member>",
		"with the tag reversed": "<member><Key>durable-smoke</Key><Value>made-by</Value></member>",
	} {
		t.Run(name, func(t *testing.T) {
			asked := fake(t, map[string]string{"GetCallerIdentity": identity, "DescribeStacks": fmt.Sprintf(describedStack, "CREATE_COMPLETE", tags)})
			t.Chdir("../..")
			var out bytes.Buffer
			if code := run(t.Context(), []string{"-delete", "durable-smoke-0123abcd"}, &out); code != nothing || !strings.Contains(out.String(), "did not make it") {
				t.Errorf("it exits with %d and says %s", code, &out)
			}
			if want := []string{"POST / GetCallerIdentity", "POST / DescribeStacks"}; !slices.Equal(*asked, want) {
				t.Errorf("it asked AWS for %v; want %v", *asked, want)
			}
		})
	}
}

// The counterpart of the test above: what bears the mark is taken on, and that AWS does not delete it is heard.
func TestAStackOfItsOwnIsRemoved(t *testing.T) {
	mark := fmt.Sprintf("<member><Key>%s</Key><Value>%s</Value></member>", tagKey, tagValue)
	for name, c := range map[string]struct {
		status, deleted string
		says            string
	}{
		"it may not be deleted":   {"CREATE_COMPLETE", "", "NotExpected"},
		"its deletion has failed": {"DELETE_FAILED", "<DeleteStackResponse/>", "it is DELETE_FAILED"},
	} {
		t.Run(name, func(t *testing.T) {
			answers := map[string]string{
				"GetCallerIdentity": identity, "DescribeStacks": fmt.Sprintf(describedStack, c.status, mark),
				"DescribeStackResources": "<DescribeStackResourcesResponse><DescribeStackResourcesResult/></DescribeStackResourcesResponse>",
			}
			if c.deleted != "" {
				answers["DeleteStack"] = c.deleted
			}
			asked := fake(t, answers)
			t.Chdir("../..")
			var out bytes.Buffer
			code := run(t.Context(), []string{"-delete", "durable-smoke-0123abcd"}, &out)
			if !slices.Contains(*asked, "POST / DeleteStack") {
				t.Errorf("it asked AWS for %v; want DeleteStack", *asked)
			}
			for _, want := range []string{"durable-smoke-0123abcd is not deleted", c.says, deletion("durable-smoke-0123abcd")} {
				if code != notWell || !strings.Contains(out.String(), want) {
					t.Errorf("it exits with %d and says %s; want %s", code, &out, want)
				}
			}
		})
	}
}

func TestWhatAStackLeaves(t *testing.T) {
	t.Parallel()
	had := resources{
		"Table":           {"AWS::DynamoDB::Table", "stack-Table-1", "CREATE_COMPLETE"},
		"Unmade":          {"AWS::DynamoDB::Table", "", "CREATE_FAILED"},
		"StarterLogs":     {"AWS::Logs::LogGroup", "/durable/stack/starter", "CREATE_COMPLETE"},
		"StarterFunction": {"AWS::Lambda::Function", "stack-StarterFunction-1", "CREATE_COMPLETE"},
	}
	if got := had.of("AWS::DynamoDB::Table"); !slices.Equal(got, []string{"stack-Table-1"}) {
		t.Errorf("its tables are %v", got)
	}
	if got := had.logGroups(); !slices.Equal(got, []string{"/durable/stack/starter", "/aws/lambda/stack-StarterFunction-1"}) {
		t.Errorf("its log groups are %v", got)
	}
}

func TestWhatIsGoneIsNoError(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ResourceNotFoundException", "TableNotFoundException", "NoSuchBucket"} {
		if err := about("x", fmt.Errorf("in a call: %w", &smithy.GenericAPIError{Code: code})); err != nil {
			t.Errorf("%s: %v", code, err)
		}
	}
	for _, err := range []error{&smithy.GenericAPIError{Code: "AccessDenied"}, context.Canceled, errors.New("NotFoundException")} {
		if about("x", err) == nil {
			t.Errorf("%v is taken for something that is gone", err)
		}
	}
}

func TestNamesThatBearTheStacks(t *testing.T) {
	t.Parallel()
	got := bearing("durable-smoke-0123abcd", "durable-smoke-0123abcd-Table-1", "other-durable-smoke-0123abcd", "durable-smoke-0123abce-Table-1")
	if !slices.Equal(got, []string{"durable-smoke-0123abcd-Table-1"}) {
		t.Errorf("got %v", got)
	}
}
