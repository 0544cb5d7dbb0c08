package awslambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"
)

func newFunction(term context.Context, h handler) *function {
	return &function{handle: h, term: term, tag: func(context.Context) {}, log: slog.New(slog.DiscardHandler)}
}

func TestTheContextEndsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		answer, err := newFunction(t.Context(), func(ctx context.Context, event json.RawMessage) (any, error) {
			<-ctx.Done()
			return string(event), nil
		}).Invoke(ctx, []byte("7"))
		if err != nil || string(answer) != `"7"` {
			t.Errorf("got %s, %v", answer, err)
		}
		if took := time.Since(begin); took != time.Minute-settleWithin {
			t.Errorf("the context ended after %v", took)
		}
	})
}

func TestTheContextEndsOnSIGTERM(t *testing.T) {
	t.Parallel()
	term, stop := context.WithCancel(t.Context())
	_, err := newFunction(term, func(ctx context.Context, _ json.RawMessage) (any, error) {
		stop()
		<-ctx.Done()
		return nil, ctx.Err()
	}).Invoke(t.Context(), []byte("{}"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
}

func TestAnAnswerThatIsNoJSONIsAnError(t *testing.T) {
	t.Parallel()
	_, err := newFunction(t.Context(), func(context.Context, json.RawMessage) (any, error) { return func() {}, nil }).Invoke(t.Context(), nil)
	if err == nil {
		t.Error("it was encoded")
	}
}

func TestLinesOfTheLogBelongToTheirInvocation(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, tag := newLogOn(requestIDs{slog.NewTextHandler(&out, nil)})
	log = log.With("a", 1).WithGroup("g")
	for _, id := range []string{"first", "second"} {
		tag(lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: id}))
		log.Info("line")
		if line := out.String(); !strings.Contains(line, "a=1") || !strings.Contains(line, id) {
			t.Errorf("the line is %s", line)
		}
		out.Reset()
	}
}

// requestIDs stands for Lambda's own handler, which writes to standard output.
type requestIDs struct{ slog.Handler }

func (h requestIDs) Handle(ctx context.Context, r slog.Record) error {
	lc, _ := lambdacontext.FromContext(ctx)
	r.AddAttrs(slog.String("requestId", lc.AwsRequestID))
	return h.Handler.Handle(ctx, r)
}

func (h requestIDs) WithAttrs(a []slog.Attr) slog.Handler { return requestIDs{h.Handler.WithAttrs(a)} }
func (h requestIDs) WithGroup(g string) slog.Handler      { return requestIDs{h.Handler.WithGroup(g)} }

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTheMeterCountsEveryAttempt(t *testing.T) {
	t.Parallel()
	m := newMeter()
	made := 0
	client := sqs.NewFromConfig(sdk.Config{
		Region: "eu-central-1", BaseEndpoint: sdk.String("http://sqs.invalid"),
		Credentials: sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
			return sdk.Credentials{AccessKeyID: "x", SecretAccessKey: "x"}, nil
		}),
		HTTPClient: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			made++
			return nil, errors.New("connection reset")
		})},
		APIOptions: []func(*middleware.Stack) error{m.add},
		Retryer: func() sdk.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	})
	url := "http://sqs.invalid/1/q"
	for range 2 {
		if _, err := client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url}); err == nil {
			t.Fatal("nobody answered, and it is no error")
		}
	}
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	m.report(log)
	var line struct {
		Msg      string
		Requests map[string]int
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.Msg != "requests" || line.Requests["SQS.PurgeQueue"] != made || made != 6 {
		t.Errorf("%d requests were made, the line is %s", made, out.String())
	}
	out.Reset()
	if m.report(log); strings.Contains(out.String(), "PurgeQueue") {
		t.Errorf("what was reported is counted again: %s", out.String())
	}
}

func TestTheBuildHasAName(t *testing.T) {
	if id := buildID(); id == "unknown" || len(id) < 8 {
		t.Errorf("this build is named %q", id)
	}
	t.Setenv(EnvBuild, "mine")
	if id := buildID(); id != "mine" {
		t.Errorf("with a name of its own it is named %q", id)
	}
}

func TestTheDirectDelayIsChecked(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 15 * time.Minute, "20s": 20 * time.Second, "15m": 15 * time.Minute, "16m": 0, "0s": 0, "-1s": 0, "20": 0} {
		t.Setenv(EnvDirectDelay, text)
		if got, err := directDelay(); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestNumbersOfTheEnvironment(t *testing.T) {
	for text, want := range map[string]int{"": 0, "1": 1, "250": 250, "0": -1, "-3": -1, "many": -1} {
		t.Setenv(EnvInFlight, text)
		if got, err := inFlight(); (err == nil) != (want >= 0) || err == nil && got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}

func TestLimitsOfTheEnvironment(t *testing.T) {
	for memory, want := range map[string]int{"": 0, "256": 32 << 20, "10240": 1280 << 20} {
		t.Setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory)
		if got, err := historyBytes(); got != want || err != nil {
			t.Errorf("%s MB of memory: %d, %v, want %d", memory, got, err, want)
		}
	}
	t.Setenv(EnvHistory, "1000")
	if got, err := historyBytes(); got != 1000 || err != nil {
		t.Errorf("%d, %v, want what the variable says", got, err)
	}
	for text, want := range map[string]int{"": 1000, "7": 7} {
		t.Setenv(EnvSpinTurns, text)
		if got, err := spinTurns(); got != want || err != nil {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
}
