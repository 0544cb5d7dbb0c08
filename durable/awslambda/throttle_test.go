package awslambda

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// crowded is a service that answers so many calls with an error of throttling.
type crowded struct {
	left  int
	error string
	calls []time.Time
}

func (c *crowded) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls = append(c.calls, time.Now())
	status, body := http.StatusOK, `{}`
	if c.left--; c.left >= 0 {
		status, body = http.StatusBadRequest, `{"__type":"com.amazonaws.x#`+c.error+`","message":"slower"}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (c *crowded) ports() backend.Backend {
	cfg := sdk.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""), HTTPClient: &http.Client{Transport: c}, Retryer: patient}
	return aws.New(aws.Config{DynamoDB: dynamodb.NewFromConfig(cfg), SQS: sqs.NewFromConfig(cfg), Table: "t", InboxURL: "https://q/inbox.fifo", WakeURL: "https://q/wake", ActivitiesURL: "https://q/activities"})
}

func (c *crowded) pauses() (out []time.Duration) {
	for i := 1; i < len(c.calls); i++ {
		out = append(out, c.calls[i].Sub(c.calls[i-1]))
	}
	return out
}

func TestThrottlesAreWaitedFor(t *testing.T) {
	for _, what := range []string{"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"} {
		var before []time.Duration
		for range 2 {
			synctest.Test(t, func(t *testing.T) {
				c := &crowded{left: 6, error: what}
				if _, err := c.ports().Table.Get(t.Context(), backend.Key{Partition: "p", Sort: "s"}); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				pauses := c.pauses()
				if len(pauses) != 6 || slices.Max(pauses) > 4*time.Second {
					t.Errorf("%s: pauses %v", what, pauses)
				}
				if slices.Equal(pauses, before) {
					t.Errorf("%s: the pauses are the same each time: %v", what, pauses)
				}
				before = pauses
			})
		}
	}
}

func TestThrottlesAreWaitedForWhileThereIsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		begin := time.Now()
		c := &crowded{left: 100, error: "ThrottlingException"}
		if _, err := c.ports().Table.Get(ctx, backend.Key{Partition: "p", Sort: "s"}); err == nil {
			t.Error("no error")
		}
		if took := time.Since(begin); took > 2*time.Second || len(c.calls) < 2 {
			t.Errorf("%d calls in %v", len(c.calls), took)
		}
	})
}

// TestAnAnswerDoesNotWaitForThrottles: what is put back while SQS throttles comes back later, but the answer must not.
func TestAnAnswerDoesNotWaitForThrottles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := time.Now().Add(time.Second)
		ctx, cancel := context.WithDeadline(t.Context(), end)
		defer cancel()
		c := &crowded{left: 1000, error: "RequestThrottled"}
		q := c.ports().Wake
		h := newTestHub(t)
		b := &batch{queue: q, log: h.Log}
		for range 10 {
			b.deliveries, b.ids, b.outcomes, b.removed = append(b.deliveries, backend.Delivery{Receipt: "r"}), append(b.ids, "id"), append(b.outcomes, worker.Outcome{Retry: time.Second}), append(b.removed, false)
		}
		<-ctx.Done()
		if got := b.answer(ctx); len(got.BatchItemFailures) != 10 {
			t.Errorf("%d failures", len(got.BatchItemFailures))
		}
		if late := time.Since(end); late > settleWithin*3/4 {
			t.Errorf("it answers %v after its time", late)
		}
	})
}

func TestFunctionsArePatient(t *testing.T) {
	for name, value := range map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", aws.EnvTable: "t", aws.EnvBucket: "b", aws.EnvInboxURL: "i", aws.EnvWakeURL: "w", aws.EnvActivitiesURL: "a"} {
		t.Setenv(name, value)
	}
	h, err := Config{}.openHub(t.Context(), newTestHub(t).Log)
	if err != nil {
		t.Fatal(err)
	}
	if n := h.AWS.Retryer().MaxAttempts(); n != patient().MaxAttempts() {
		t.Errorf("%d attempts", n)
	}
}
