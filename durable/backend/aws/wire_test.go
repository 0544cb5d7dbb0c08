package aws_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
)

// answer is a recorded answer of AWS.
type answer struct {
	status int
	header map[string]string
	body   string
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// overWire is a hub whose calls all go through the transport, once.
func overWire(f transport) backend.Backend {
	c := configFor("http://hub.invalid")
	client := &http.Client{Transport: f}
	d, q, s := c.DynamoDB.Options(), c.SQS.Options(), c.S3.Options()
	d.HTTPClient, q.HTTPClient, s.HTTPClient = client, client, client
	d.Retryer, q.Retryer, s.Retryer = sdk.NopRetryer{}, sdk.NopRetryer{}, sdk.NopRetryer{}
	c.DynamoDB, c.SQS, c.S3 = dynamodb.New(d), sqs.New(q), s3.New(s)
	c.InboxURL, c.WakeURL, c.ActivitiesURL = "http://hub.invalid/1/inbox.fifo", "http://hub.invalid/1/wake", "http://hub.invalid/1/work"
	return aws.New(c)
}

func answering(a answer) backend.Backend {
	return overWire(func(r *http.Request) (*http.Response, error) {
		resp := &http.Response{
			StatusCode: a.status, Header: http.Header{}, Request: r,
			Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)),
		}
		for name, value := range a.header {
			resp.Header.Set(name, value)
		}
		return resp, nil
	})
}

func unreachable(t *testing.T) backend.Backend {
	return overWire(func(r *http.Request) (*http.Response, error) {
		t.Errorf("AWS was called: %s", r.Header.Get("X-Amz-Target"))
		return nil, errors.New("unreachable")
	})
}
