package awslambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/durable-lambda/durable-lambda/durable/api"
)

// format is how a gateway writes a request into an event. REST APIs write payload format 1.0, Function URLs 2.0, and
// HTTP APIs either.
type format int

const (
	formatNone format = iota
	format1
	format2
)

func formatOf(event json.RawMessage) format {
	var e struct {
		RequestContext struct {
			HTTPMethod string `json:"httpMethod"`
			HTTP       struct {
				Method string `json:"method"`
			} `json:"http"`
		} `json:"requestContext"`
	}
	switch err := json.Unmarshal(event, &e); {
	case err != nil:
		return formatNone
	case e.RequestContext.HTTP.Method != "":
		return format2
	case e.RequestContext.HTTPMethod != "":
		return format1
	}
	return formatNone
}

// incoming is the request that an event is, whatever its format.
type incoming struct {
	method, domain, peer string
	// caller is whom the gateway has recognized: the ARN of a role or user, if the request was signed.
	caller string
	// base is what the client's URL has before the path: scheme, domain, and the stage or base path.
	base    string
	url     *url.URL
	header  http.Header
	body    string
	encoded bool
	// id is the gateway's name of the request. The client is told it, too.
	id string
	// shape turns the answer into what this event's gateway reads.
	shape func(*answer) any
}

func readRequest(event json.RawMessage) (incoming, error) {
	switch formatOf(event) {
	case format1:
		return readFormat1(event)
	case format2:
		return readFormat2(event)
	}
	return incoming{}, errors.New("awslambda: the event is no HTTP request of API Gateway's or of a Function URL, nor anything else that this function knows")
}

// readFormat1 reads the event of a REST API, or of an HTTP API which was told to use payload format 1.0; only the latter
// has a version, and its path is decoded.
func readFormat1(event json.RawMessage) (incoming, error) {
	var e struct {
		Version string `json:"version"`
		events.APIGatewayProxyRequest
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return incoming{}, fmt.Errorf("awslambda: the HTTP request of the event cannot be read: %w", err)
	}
	base, path := cutBase1(e.APIGatewayProxyRequest)
	in := incoming{
		method: e.RequestContext.HTTPMethod, domain: e.RequestContext.DomainName, peer: e.RequestContext.Identity.SourceIP,
		base: origin(e.RequestContext.DomainName) + base, caller: e.RequestContext.Identity.UserArn,
		header: http.Header{}, body: e.Body, encoded: e.IsBase64Encoded, id: e.RequestContext.RequestID, shape: shape1,
	}
	if in.url = locate(path, path); e.Version == "" {
		in.url = locateEscaped(path)
	}
	in.url.RawQuery = query1(e.APIGatewayProxyRequest).Encode()
	for name, value := range e.Headers {
		in.header.Set(name, value)
	}
	for name, values := range e.MultiValueHeaders {
		in.header.Del(name)
		for _, value := range values {
			in.header.Add(name, value)
		}
	}
	return in, nil
}

// query1 is a query that the gateway has decoded. Values which a key has several of are in one of the two maps only.
func query1(e events.APIGatewayProxyRequest) url.Values {
	values := url.Values{}
	for key, value := range e.QueryStringParameters {
		values.Set(key, value)
	}
	for key, all := range e.MultiValueQueryStringParameters {
		values[key] = all
	}
	return values
}

// readFormat2 reads the event of an HTTP API or of a Function URL. HTTP APIs decode the path: what was an encoded slash
// is a slash, as nobody can tell any more.
func readFormat2(event json.RawMessage) (incoming, error) {
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(event, &e); err != nil {
		return incoming{}, fmt.Errorf("awslambda: the HTTP request of the event cannot be read: %w", err)
	}
	base, cut := base2(e)
	in := incoming{
		method: e.RequestContext.HTTP.Method, domain: e.RequestContext.DomainName, peer: e.RequestContext.HTTP.SourceIP,
		base:   origin(e.RequestContext.DomainName) + base,
		url:    locate(strings.TrimPrefix(e.RequestContext.HTTP.Path, cut), strings.TrimPrefix(e.RawPath, cut)),
		header: http.Header{}, body: e.Body, encoded: e.IsBase64Encoded, id: e.RequestContext.RequestID, shape: shape2,
	}
	in.url.RawQuery = e.RawQueryString
	if a := e.RequestContext.Authorizer; a != nil && a.IAM != nil {
		in.caller = a.IAM.UserARN
	}
	for name, value := range e.Headers {
		in.header.Set(name, value)
	}
	if len(e.Cookies) > 0 {
		in.header.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	return in, nil
}

func origin(domain string) string {
	if domain == "" {
		return ""
	}
	return "https://" + domain
}

// locate returns a URL of a path. Raw is how the client encoded it, and is ignored when it is no encoding of it.
func locate(path, raw string) *url.URL {
	plain, hinted := url.URL{Path: rooted(path)}, url.URL{Path: rooted(path), RawPath: rooted(raw)}
	if hinted.EscapedPath() == plain.EscapedPath() {
		return &plain
	}
	return &hinted
}

// locateEscaped returns a URL of an encoded path. One that is not encoded right stands for itself.
func locateEscaped(raw string) *url.URL {
	path, err := url.PathUnescape(raw)
	if err != nil {
		path = raw
	}
	return locate(path, raw)
}

func rooted(path string) string {
	if !strings.HasPrefix(path, "/") {
		return "/" + path
	}
	return path
}

// request returns the request for a handler. When its body cannot be had, it answers with the problem and returns false.
func (in incoming) request(ctx context.Context, w http.ResponseWriter) (*http.Request, bool) {
	body := []byte(in.body)
	if in.encoded {
		decoded, err := base64.StdEncoding.DecodeString(in.body)
		if err != nil {
			api.Problem(w, http.StatusBadRequest, "The body cannot be read.", "The event says that it is base64, which it is not: "+err.Error()+".")
			return nil, false
		}
		body = decoded
	}
	if len(body) > api.MaxBody {
		api.Problem(w, http.StatusRequestEntityTooLarge, "The body is too large.", "At most 4 MiB are accepted: pass a reference to larger data.")
		return nil, false
	}
	in.header.Del("Host") // as net/http has it: a request's host is not in its header
	r := &http.Request{
		Method: in.method, URL: in.url, RequestURI: in.url.RequestURI(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Host: in.domain, RemoteAddr: in.peer, Header: in.header,
		Body: http.NoBody, ContentLength: int64(len(body)),
	}
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return r.WithContext(ctx), true
}
