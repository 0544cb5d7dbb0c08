package awslambda

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
)

// sample returns an event of testdata, changed by edits.
func sample(t testing.TB, name string, edits ...func(map[string]any)) json.RawMessage {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var event map[string]any
	if err := json.Unmarshal(raw, &event); err != nil {
		t.Fatal(err)
	}
	for _, edit := range edits {
		edit(event)
	}
	raw, err = json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// set changes a member of an event, whose name has dots where it is nested.
func set(name string, value any) func(map[string]any) {
	return func(event map[string]any) {
		path := strings.Split(name, ".")
		for _, outer := range path[:len(path)-1] {
			event = event[outer].(map[string]any)
		}
		event[path[len(path)-1]] = value
	}
}

// method changes the method of an event of either format.
func method(m string) func(map[string]any) {
	return func(event map[string]any) {
		if inner, ok := event["requestContext"].(map[string]any)["http"].(map[string]any); ok {
			inner["method"] = m
			return
		}
		set("httpMethod", m)(event)
		set("requestContext.httpMethod", m)(event)
	}
}

// outcome is an answer in either format.
type outcome struct {
	StatusCode        int
	Headers           map[string]string
	MultiValueHeaders http.Header
	Cookies           []string
	Body              string
	IsBase64Encoded   bool
}

func serveEvent(t testing.TB, ctx context.Context, event json.RawMessage, h http.HandlerFunc) outcome {
	t.Helper()
	raw, err := serveHTTP(ctx, h, event, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var out outcome
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// seen is what a handler was given.
type seen struct {
	Method, Host, Peer, Target, Path, RawPath, Base string
	Query                                           url.Values
	Header                                          http.Header
	Body                                            string
}

// look returns a handler that notes what it is given, and how links would begin.
func look(t testing.TB, to *seen) http.HandlerFunc {
	links, err := api.New(api.Config{Client: &waitingClient{}, Hub: "Orders"})
	if err != nil {
		t.Fatal(err)
	}
	return func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || int64(len(body)) != r.ContentLength {
			t.Errorf("the body has %d bytes, and ContentLength says %d: %v", len(body), r.ContentLength, err)
		}
		base, _, _ := strings.Cut(links.Links(r, "x").StatusQueryGetURI, api.Base)
		*to = seen{
			Method: r.Method, Host: r.Host, Peer: r.RemoteAddr, Target: r.RequestURI, Path: r.URL.Path, RawPath: r.URL.RawPath, Base: base,
			Query: r.URL.Query(), Header: r.Header, Body: string(body),
		}
	}
}

// problem reads a problem of the API and checks that the answer says it is one.
func problem(t *testing.T, out outcome) (title, detail string) {
	t.Helper()
	var p struct {
		Message, Detail string
		Status          int
	}
	if err := json.Unmarshal([]byte(out.Body), &p); err != nil {
		t.Fatalf("%v: %s", err, out.Body)
	}
	contentType := out.MultiValueHeaders.Get("Content-Type") + out.Headers["Content-Type"]
	if p.Status != out.StatusCode || contentType != "application/problem+json" {
		t.Errorf("the problem of status %d is sent as %d, %s", p.Status, out.StatusCode, contentType)
	}
	return p.Message, p.Detail
}

func TestAPanicIsAProblemWithoutItsStack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rest-api", "function-url"} {
		var log bytes.Buffer
		h := func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Secret", "x")
			_, _ = io.WriteString(w, "half an ans")
			panic("a secret")
		}
		raw, err := serveHTTP(t.Context(), http.HandlerFunc(h), sample(t, name), slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		var out outcome
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Fatal(err)
		}
		_, detail := problem(t, out)
		if out.StatusCode != 500 || strings.Contains(strings.ToLower(string(raw)), "secret") || strings.Contains(string(raw), "http_test.go") {
			t.Errorf("%s: the panic is answered with %s", name, raw)
		}
		var event struct{ RequestContext struct{ RequestID string } }
		if err := json.Unmarshal(sample(t, name), &event); err != nil {
			t.Fatal(err)
		}
		if id := event.RequestContext.RequestID; !strings.Contains(detail, id) || !strings.Contains(log.String(), id) {
			t.Errorf("%s: the answer and the log do not both name the request %s: %s", name, id, detail)
		}
		if !strings.Contains(log.String(), "a secret") || !strings.Contains(log.String(), "http_test.go") {
			t.Errorf("%s: the log has no panic with a stack: %s", name, log.String())
		}
	}
}

// waitingClient starts instances that never end.
type waitingClient struct{ durable.Client }

func (*waitingClient) Start(_ context.Context, r durable.StartRequest) (durable.InstanceRef, error) {
	return durable.InstanceRef{ID: r.ID}, nil
}

func (*waitingClient) Get(_ context.Context, id string, _ ...durable.GetOption) (durable.Instance, error) {
	return durable.Instance{ID: id, Status: durable.Running}, nil
}

func TestAWaitEndsBeforeItsInvocation(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule     string
		deadline time.Duration
		took     time.Duration
	}{
		{"the invocation's deadline is nearer", 10 * time.Second, 9500 * time.Millisecond},
		{"MaxWait is nearer", time.Minute, 25 * time.Second},
		{"no deadline", 0, 25 * time.Second},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				management, err := api.New(api.Config{Client: &waitingClient{}, Hub: "Orders", MaxWait: 25 * time.Second})
				if err != nil {
					t.Fatal(err)
				}
				ctx := t.Context()
				if tc.deadline > 0 {
					var cancel func()
					ctx, cancel = context.WithTimeout(ctx, tc.deadline)
					defer cancel()
				}
				event := sample(t, "rest-api", set("path", api.Base+"/orchestrators/ProcessOrder/x"), set("requestContext.path", "/v1"+api.Base+"/orchestrators/ProcessOrder/x"),
					set("multiValueQueryStringParameters", nil), set("queryStringParameters", map[string]string{"timeout": "60"}))
				began := time.Now()
				out := serveEvent(t, ctx, event, management.ServeHTTP)
				if took := time.Since(began); took != tc.took {
					t.Errorf("waited %v, want %v", took, tc.took)
				}
				var links api.Links
				if err := json.Unmarshal([]byte(out.Body), &links); err != nil {
					t.Fatal(err)
				}
				want := "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/v1/runtime/webhooks/durabletask/instances/x?taskHub=Orders"
				if out.StatusCode != 202 || links.StatusQueryGetURI != want {
					t.Errorf("status %d with the link %s, want 202 with %s", out.StatusCode, links.StatusQueryGetURI, want)
				}
			})
		})
	}
}

func TestTheContextIsTheInvocations(t *testing.T) {
	t.Parallel()
	type key struct{}
	var ctx context.Context
	serveEvent(t, context.WithValue(t.Context(), key{}, "x"), sample(t, "rest-api"), func(_ http.ResponseWriter, r *http.Request) {
		if ctx = r.Context(); ctx.Value(key{}) != "x" || ctx.Err() != nil {
			t.Errorf("the request's context has the value %v and the error %v", ctx.Value(key{}), ctx.Err())
		}
	})
	if ctx.Err() == nil {
		t.Error("the request's context outlives the request")
	}
}

func FuzzServeHTTP(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"requestContext":{"httpMethod":"G T","path":"/%"},"path":"%","resource":"/{x+}","multiValueHeaders":{"":null}}`))
	f.Add([]byte(`{"requestContext":{"http":{"method":"?"},"stage":"/"},"rawPath":"//%2","cookies":["\n"],"isBase64Encoded":true,"body":"="}`))
	management, err := api.New(api.Config{Client: &waitingClient{}, Hub: "Orders", MaxWait: time.Nanosecond})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		h := management.With(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL == nil || !strings.HasPrefix(r.URL.Path, "/") || !strings.HasPrefix(r.RequestURI, "/") {
				t.Errorf("the handler is given the URL %v", r.URL)
			}
			if path, err := url.PathUnescape(r.URL.EscapedPath()); err != nil || path != r.URL.Path {
				t.Errorf("the escaped path %q is not that of %q: %v", r.URL.EscapedPath(), r.URL.Path, err)
			}
			management.Accepted(w, r, "x")
		}))
		var log bytes.Buffer
		raw, err := serveHTTP(t.Context(), h, event, slog.New(slog.NewTextHandler(&log, nil)))
		if log.Len() > 0 {
			t.Errorf("a panic: %s", log.String())
		}
		if err != nil {
			return
		}
		var out outcome
		if err := json.Unmarshal(raw, &out); err != nil || out.StatusCode < 200 || out.StatusCode > 599 {
			t.Errorf("the answer is %s: %v", raw, err)
		}
	})
}
