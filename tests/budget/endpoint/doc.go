// Package endpoint is AWS for a test: an http.RoundTripper that speaks, over maps, the operations of DynamoDB, SQS and S3 that durable/backend/aws sends, as AWS
// documents them, and counts what AWS would bill. The conformance suite of backends passes on it.
//
// Requests are billed as they come over the wire, so what the SDK tries again is billed again.
package endpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
)

// Options of an Endpoint.
type Options struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Visibility of the inbox and the wake queue, and of the activities' queue; memory's defaults without them.
	Visibility, ActivityVisibility time.Duration
}

// Endpoint is one hub's table, queues and bucket. It is safe for concurrent use.
type Endpoint struct {
	now    func() time.Time
	queues map[string]backend.Queue

	mu      sync.Mutex
	table   map[string]map[string]item // by partition and sort key
	objects map[string]object
	letters []posted
	bill    Bill
}

const (
	host   = "http://hub.invalid"
	bucket = "payloads"
)

// New returns an empty endpoint.
func New(o Options) *Endpoint {
	e := &Endpoint{now: o.Now, table: map[string]map[string]item{}, objects: map[string]object{}, queues: map[string]backend.Queue{}}
	if e.now == nil {
		e.now = time.Now
	}
	e.bill.Requests = map[string]int{}
	options := memory.Options{Now: o.Now, Visibility: o.Visibility, ActivityVisibility: o.ActivityVisibility}
	for prefix, b := range map[string]backend.Backend{"": memory.New(options).Backend(), "dead-": memory.New(options).Backend()} {
		e.queues[prefix+"inbox.fifo"], e.queues[prefix+"wake"], e.queues[prefix+"work"] = b.Inbox, b.Wake, b.Activities
	}
	return e
}

// Backend is the hub by the adapter for AWS.
func (e *Endpoint) Backend() backend.Backend {
	cfg := sdk.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""), BaseEndpoint: sdk.String(host),
		HTTPClient: &http.Client{Transport: e}, Retryer: func() sdk.Retryer { return sdk.NopRetryer{} }}
	url := func(name string) string { return host + "/1/" + name }
	return aws.New(aws.Config{
		DynamoDB: dynamodb.NewFromConfig(cfg), SQS: sqs.NewFromConfig(cfg), S3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
		Table: "hub", Bucket: bucket,
		InboxURL: url("inbox.fifo"), WakeURL: url("wake"), ActivitiesURL: url("work"),
		DeadInboxURL: url("dead-inbox.fifo"), DeadWakeURL: url("dead-wake"), DeadActivitiesURL: url("dead-work"),
	})
}

// RoundTrip serves one request.
func (e *Endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	service, operation, isRPC := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case !isRPC:
		return e.s3(r, body)
	case service == "AmazonSQS":
		return e.sqs(r, operation, body)
	case strings.HasPrefix(service, "DynamoDB"):
		return e.dynamoDB(r, operation, body)
	}
	return nil, fmt.Errorf("endpoint: there is no %s", service)
}

// respond answers with a body.
func respond(r *http.Request, status int, contentType string, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r}
}

func answer(r *http.Request, status int, body any) (*http.Response, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return respond(r, status, "application/x-amz-json-1.0", b), nil
}

// fault answers with an error of a service.
func fault(r *http.Request, code, message string) (*http.Response, error) {
	return answer(r, http.StatusBadRequest, map[string]string{"__type": "com.amazonaws#" + code, "message": message})
}
