package awslambda

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/examples/drills"
	"github.com/durable-lambda/durable-lambda/examples/drills/bodies"
	"github.com/durable-lambda/durable-lambda/tests/contract"
)

// TestTheContract holds the API to the table of tests/contract as a function has it: each request comes as the event of a gateway, and goes as
// what that gateway reads.
func TestTheContract(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		url   string
		event func(*http.Request, string) any
	}{
		"a REST API":     {"https://api.example.com/prod", restEvent},
		"a Function URL": {"https://x.lambda-url.example.com", urlEvent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sys := durabletest.New(t, append(bodies.Orchestrations(), bodies.Activities()...)...)
			a, err := api.New(api.Config{Client: sys.Client, Hub: "TestHub", Definitions: []api.Definition{drills.Chain, drills.Nap}, MaxWait: maxWait})
			if err != nil {
				t.Fatal(err)
			}
			contract.Run(t, contract.Target{URL: of.url, Hub: "TestHub", Pause: time.Millisecond, Patience: 5 * time.Second, Gateway: true,
				Client: &http.Client{Transport: contract.Settling(sys, func(r *http.Request) (*http.Response, error) {
					body, err := io.ReadAll(r.Body)
					if err != nil {
						return nil, err
					}
					event, err := json.Marshal(of.event(r, string(body)))
					if err != nil {
						return nil, err
					}
					out, err := serveHTTP(r.Context(), a, event, slog.New(slog.DiscardHandler))
					if err != nil {
						return nil, err
					}
					return fromAnswer(out)
				})}})
		})
	}
}

// restEvent is what the REST API of the template makes of a request: it has decoded the query, but not the path.
func restEvent(r *http.Request, body string) any {
	const stage = "prod"
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/"+stage)
	return events.APIGatewayProxyRequest{Resource: "/runtime/webhooks/durabletask/{proxy+}", Path: path, HTTPMethod: r.Method,
		MultiValueHeaders: r.Header, MultiValueQueryStringParameters: r.URL.Query(), Body: body,
		RequestContext: events.APIGatewayProxyRequestContext{HTTPMethod: r.Method, DomainName: r.URL.Host, Stage: stage, Path: "/" + stage + path}}
}

// urlEvent is what a Function URL makes of a request.
func urlEvent(r *http.Request, body string) any {
	e := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery, Headers: map[string]string{}, Body: body}
	for name := range r.Header {
		e.Headers[strings.ToLower(name)] = r.Header.Get(name)
	}
	e.RequestContext.DomainName, e.RequestContext.Stage = r.URL.Host, "$default"
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.Path = r.Method, r.URL.Path
	return e
}

// fromAnswer is an answer as a gateway sends it on, of either format.
func fromAnswer(data []byte) (*http.Response, error) {
	var out events.APIGatewayProxyResponse
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, err
	}
	header := http.Header(out.MultiValueHeaders).Clone()
	if header == nil {
		header = http.Header{}
	}
	for name, value := range out.Headers {
		header.Set(name, value)
	}
	return &http.Response{StatusCode: out.StatusCode, Header: header, Body: io.NopCloser(strings.NewReader(out.Body))}, nil
}
