//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

const stack = "e2e"

// parameters of the deployment: patience is short here, so that what gives up gives up within the test.
var parameters = []string{
	"Meter=1",
	"DirectDelay=20s", // so that a timer of half a minute goes through the table
	"ApprovalWindow=10m",
	"Approver=boss@example.com",
	"OrchestratorTimeout=20",
	"OrchestratorVisibility=20",
	"ActivityTimeout=10",
	"ActivityVisibility=10",
	"InboxMaxReceives=5",
	"ActivityMaxReceives=3",
	"StandingOrderSchedule=rate(1 minute)",
	"StandingOrder=" + standingOrder,
	"EventBus=default",
}

// hub is the deployment.
var hub struct {
	endpoint string
	// api is the URL of the API.
	api     string
	outputs map[string]string

	stacks *cloudformation.Client
	queues *sqs.Client
	logs   *cloudwatchlogs.Client
	lambda *lambda.Client
	events *eventbridge.Client
}

// deployed is when the deployment was complete.
var deployed time.Time

// run makes ids unique, so that the tests can be run again in the same LocalStack.
var run = strconv.FormatInt(time.Now().UnixMilli(), 36)

func TestMain(m *testing.M) {
	keep := flag.Bool("keep", false, "keep the stack when the tests have ended")
	flag.Parse()
	if err := errors.Join(
		// The tests wait for LocalStack and need no processor: without this two of them would wait at a time.
		flag.Set("test.parallel", "64"),
		open(context.Background()),
	); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	code := m.Run()
	if !*keep {
		if _, err := hub.stacks.DeleteStack(context.Background(), &cloudformation.DeleteStackInput{StackName: aws.String(stack)}); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: the stack is not deleted:", err)
		}
	}
	os.Exit(code)
}

// open deploys the template and fills hub.
func open(ctx context.Context) error {
	hub.endpoint = os.Getenv("DURABLE_TEST_AWS_ENDPOINT")
	if hub.endpoint == "" {
		return errors.New("DURABLE_TEST_AWS_ENDPOINT is not set: run localstack/up and '. localstack/env' to test against LocalStack")
	}
	c, err := config.LoadDefaultConfig(ctx, config.WithBaseEndpoint(hub.endpoint))
	if err != nil {
		return err
	}
	hub.stacks = cloudformation.NewFromConfig(c)
	hub.events = eventbridge.NewFromConfig(c)
	hub.queues, hub.logs, hub.lambda = sqs.NewFromConfig(c), cloudwatchlogs.NewFromConfig(c), lambda.NewFromConfig(c)
	if hub.outputs, err = deploy(stack, "infra/template.yaml", parameters...); err != nil {
		return err
	}
	hub.api, deployed = hub.outputs["ApiUrl"], time.Now()
	return hurryDeadLetters(ctx)
}

// deploy runs the tool that deploys to LocalStack, and returns the outputs of the stack.
func deploy(stack, template string, parameters ...string) (map[string]string, error) {
	args := []string{"run", "./localstack/deploy", "-stack", stack, "-template", template}
	for _, p := range parameters {
		args = append(args, "-parameter", p)
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = "../.." // the root of the repository
	var out, progress bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &progress
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args[:4], " "), err, &progress)
	}
	outputs := map[string]string{}
	for line := range strings.Lines(out.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		outputs[name] = value
	}
	return outputs, nil
}

// hurryDeadLetters lowers what the template has no parameter for, because nobody else needs one: how long an order that cannot
// be placed rests before it is tried again.
func hurryDeadLetters(ctx context.Context) error {
	orders := hub.outputs["OrdersQueueUrl"]
	_, err := hub.queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &orders, Attributes: map[string]string{"VisibilityTimeout": "2"}})
	return err
}

// queueOf returns the URL of a queue of the template.
func queueOf(ctx context.Context, resource string) (string, error) {
	found, err := hub.stacks.DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{StackName: aws.String(stack), LogicalResourceId: &resource})
	if err != nil {
		return "", err
	}
	return aws.ToString(found.StackResourceDetail.PhysicalResourceId), nil
}

// The tests that run in parallel go on in three stages, each when those it waits for have ended. They mark themselves before
// anything else: Go goes on with parallel tests when all tests have come to their call of Parallel, so by then all are counted.
var (
	// calm has the tests that must not be disturbed. Who kills processes or deploys waits for it.
	calm sync.WaitGroup
	// sound has the tests that need workers that survive. Who takes worker after worker down waits for it.
	sound sync.WaitGroup
)

// undisturbed marks a test that runs while nothing is killed or deployed.
func undisturbed(t *testing.T) {
	calm.Add(1)
	t.Cleanup(calm.Done)
	robust(t)
}

// robust marks a test that does not mind what is killed or deployed meanwhile.
func robust(t *testing.T) {
	sound.Add(1)
	t.Cleanup(sound.Done)
	t.Parallel()
}
