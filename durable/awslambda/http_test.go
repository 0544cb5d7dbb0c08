package awslambda

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
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

	"github.com/aws/aws-lambda-go/events"
	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/google/go-cmp/cmp"
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

func TestEventsBecomeTheRequestsThatWereSent(t *testing.T) {
	t.Parallel()
	const domain = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
	const function = "2cxn22odiwguak4feg4jtt7cwm0ziblr.lambda-url.eu-central-1.on.aws"
	for _, tc := range []struct{ name, host, peer, path, rawPath, base, tag string }{
		{"rest-api", domain, "203.0.113.7", "/orders/2026/order/1", "/orders/2026/order%2F1", "https://" + domain + "/v1", "first|second"},
		{"rest-api-custom-domain", "api.example.com", "203.0.113.7", "/orders/2026/order/1", "/orders/2026/order%2F1",
			"https://api.example.com/shop/eu", "first|second"},
		{"rest-api-localstack", "127.0.0.1:4566", "127.0.0.1", "/orders/2026/order/1", "/orders/2026/order%2F1",
			"https://127.0.0.1:4566/v1", "first|second"},
		{"http-api-format-1", domain, "203.0.113.7", "/orders/2026/order 1", "", "https://" + domain + "/live", "first|second"},
		{"http-api", domain, "203.0.113.7", "/orders/2026/order 1", "", "https://" + domain + "/live", "first,second"},
		{"function-url", function, "203.0.113.7", "/orders/2026/order/1", "/orders/2026/order%2F1", "https://" + function, "first,second"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got seen
			out := serveEvent(t, t.Context(), sample(t, tc.name), look(t, &got))
			if out.StatusCode != 200 {
				t.Fatalf("status %d: %s", out.StatusCode, out.Body)
			}
			want := seen{
				Method: "POST", Host: tc.host, Peer: tc.peer, Path: tc.path, RawPath: tc.rawPath, Base: tc.base,
				Query: url.Values{"note": {"a+b", "b c"}, "redirect": {"https://example.com/a/b"}, "empty": {""}},
				Body:  `{"id":"1001","note":"売り切れ"}`,
			}
			if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Header" || p.String() == "Target" }, cmp.Ignore())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for name, want := range map[string]string{
				"Content-Type": "application/json", "User-Agent": "curl/8.7.1", "Cookie": "session=abc; theme=dark", "X-Tag": tc.tag, "Host": "",
			} {
				if got := strings.Join(got.Header[name], "|"); got != want {
					t.Errorf("the header %s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestTheHostHeaderIsNotBelieved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rest-api", "http-api", "function-url"} {
		var want, got seen
		serveEvent(t, t.Context(), sample(t, name), look(t, &want))
		lie := func(event map[string]any) {
			for _, host := range []string{"Host", "host", "X-Forwarded-Host"} {
				event["headers"].(map[string]any)[host] = "evil.example"
				if multi, ok := event["multiValueHeaders"].(map[string]any); ok {
					multi[host] = []string{"evil.example"}
				}
			}
		}
		serveEvent(t, t.Context(), sample(t, name, lie), look(t, &got))
		if got.Host != want.Host || got.Base != want.Base || got.Header.Get("Host") != "" {
			t.Errorf("%s: the host is %q and links begin with %q, want %q and %q", name, got.Host, got.Base, want.Host, want.Base)
		}
	}
}

// TestTheURLIsThatOfAServer holds what a handler is given to what net/http's server gives for the same request line.
func TestTheURLIsThatOfAServer(t *testing.T) {
	t.Parallel()
	const stage = "/v1"
	for _, target := range []string{
		"/", "/orders", "/orders/", "/orders//1", "//orders", "/orders/a%20b", "/orders/a+b", "/orders/a%2Bb", "/instances/order%2F1/terminate",
		"/orders/100%25", "/orders/%2520", "/orders/%E6%B3%A8%E6%96%87", "/orders/a%3Fb%23c", "/orders/a;b,c=d", "/orders/../x", "/orders/%2e%2e/x",
		"/orders/~'()*!:@&$", "/orders/%41", "/orders/%7B%7D", "/*",
	} {
		line, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + "?a=%26 HTTP/1.1\r\nHost: x\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		want := seen{Target: line.RequestURI, Path: line.URL.Path, RawPath: line.URL.RawPath}
		for name, event := range map[string]json.RawMessage{
			"rest-api": sample(t, "rest-api", set("path", target), set("requestContext.path", stage+target), set("resource", "/{proxy+}"),
				set("pathParameters", nil), set("multiValueQueryStringParameters", nil), set("queryStringParameters", map[string]string{"a": "&"})),
			"function-url": sample(t, "function-url", set("rawPath", target), set("requestContext.http.path", line.URL.Path), set("rawQueryString", "a=%26")),
		} {
			var all seen
			serveEvent(t, t.Context(), event, look(t, &all))
			got := seen{Target: all.Target, Path: all.Path, RawPath: all.RawPath}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", name, target, diff)
			}
		}
	}
}

func TestPathsThatWereDecodedOrAreMalformed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, name, sent, path, escaped string
	}{
		{"a decoded space", "http-api", "/a b", "/a b", "/a%20b"},
		{"a decoded question mark stays in the path", "http-api", "/a?b#c", "/a?b#c", "/a%3Fb%23c"},
		{"what looks encoded was encoded twice", "http-api", "/a%20b", "/a%20b", "/a%2520b"},
		{"a decoded percent", "http-api", "/100%", "/100%", "/100%25"},
		{"a decoded script", "http-api", "/注文", "/注文", "/%E6%B3%A8%E6%96%87"},
		{"format 1.0 of an HTTP API is decoded too", "http-api-format-1", "/a%20b", "/a%20b", "/a%2520b"},
		{"a percent without hex digits stands for itself", "rest-api", "/100%", "/100%", "/100%25"},
		{"no path is the root", "rest-api", "", "/", "/"},
		{"no path is the root in format 2.0", "http-api", "", "/", "/"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			edits := []func(map[string]any){set("requestContext.http", map[string]any{"method": "GET", "path": tc.sent}), set("rawPath", tc.sent)}
			if tc.name != "http-api" {
				edits = []func(map[string]any){set("path", tc.sent), set("requestContext.path", tc.sent), set("resource", "$default")}
			}
			var got, want = seen{}, [2]string{tc.path, tc.escaped}
			var u *url.URL
			see := look(t, &got)
			serveEvent(t, t.Context(), sample(t, tc.name, edits...), func(w http.ResponseWriter, r *http.Request) { u = r.URL; see(w, r) })
			if got := [2]string{u.Path, u.EscapedPath()}; got != want {
				t.Errorf("%q gives %q, want %q", tc.sent, got, want)
			}
		})
	}
}

func TestBaseOfRESTAPIs(t *testing.T) {
	t.Parallel()
	const proxy = "/orders/{proxy+}"
	for _, tc := range []struct {
		rule, context, path, resource, param, base, want string
	}{
		{"the stage", "/v1/orders", "/orders", "/orders", "", "/v1", "/orders"},
		{"the stage, a slash at the end", "/v1/orders/", "/orders/", "/orders", "", "/v1", "/orders/"},
		{"the stage, a doubled slash", "/v1//orders/1", "/orders/1", proxy, "1", "/v1", "/orders/1"},
		{"the stage, the root", "/v1", "/", "/", "", "/v1", "/"},
		{"the stage, no path", "/v1", "", "/", "", "/v1", ""},
		{"the stage is named as the path", "/orders/orders/1", "/orders/1", proxy, "1", "/orders", "/orders/1"},
		{"a custom domain", "/orders/1", "/orders/1", proxy, "1", "", "/orders/1"},
		{"a base path", "/shop/orders/1", "/shop/orders/1", proxy, "1", "/shop", "/orders/1"},
		{"a base path of two segments", "/shop/eu/orders", "/shop/eu/orders", "/orders", "", "/shop/eu", "/orders"},
		{"a base path, a slash at the end", "/shop/orders/1/", "/shop/orders/1/", proxy, "1", "/shop", "/orders/1/"},
		{"a base path, slashes within", "/shop/orders/1//2", "/shop/orders/1//2", proxy, "1//2", "/shop", "/orders/1//2"},
		{"a base path, an encoded slash", "/shop/orders/1%2F2", "/shop/orders/1%2F2", proxy, "1%2F2", "/shop", "/orders/1%2F2"},
		{"a base path named as the path", "/orders/orders/1", "/orders/orders/1", proxy, "1", "/orders", "/orders/1"},
		{"no base path, the parameter begins as the path", "/orders/orders/1", "/orders/orders/1", proxy, "orders/1", "", "/orders/orders/1"},
		{"a base path, one variable", "/shop/items/7/size", "/shop/items/7/size", "/items/{id}/size", "", "/shop", "/items/7/size"},
		{"a base path, the root", "/shop", "/shop", "/", "", "/shop", ""},
		{"a base path and everything below", "/shop/a/b", "/shop/a/b", "/{proxy+}", "a/b", "/shop", "/a/b"},
		{"a mapping without a stage", "/v1/orders", "/v1/orders", "/orders", "", "/v1", "/orders"},
		{"a path of another route", "/shop/orders", "/shop/orders", "/items", "", "", "/shop/orders"},
		{"a path shorter than its route", "/orders", "/orders", proxy, "a/b/c", "", "/orders"},
		{"no route, the stage", "/v1/orders", "/v1/orders", "$default", "", "/v1", "/orders"},
		{"no route, another first segment", "/v10/orders", "/v10/orders", "$default", "", "", "/v10/orders"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			base, path := cutBase1(events.APIGatewayProxyRequest{
				Path: tc.path, Resource: tc.resource, PathParameters: map[string]string{"proxy": tc.param},
				RequestContext: events.APIGatewayProxyRequestContext{Path: tc.context, Stage: "v1"},
			})
			if base != tc.base || path != tc.want {
				t.Errorf("%s, %s and %s give %q and %q, want %q and %q", tc.context, tc.path, tc.resource, base, path, tc.base, tc.want)
			}
		})
	}
}

func TestBaseOfHTTPAPIs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ rule, path, stage, prefix, base, want string }{
		{"the default stage", "/orders", "$default", "abc", "", "/orders"},
		{"a stage", "/live/orders", "live", "abc", "/live", "/orders"},
		{"the root of a stage", "/live", "live", "abc", "/live", "/"},
		{"a path that only begins as the stage", "/lively/orders", "live", "abc", "", "/lively/orders"},
		{"a custom domain has the stage in the event, and not in its URLs", "/live/orders", "live", "api", "", "/orders"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			event := sample(t, "http-api", set("rawPath", tc.path), set("requestContext.http.path", tc.path), set("requestContext.stage", tc.stage),
				set("requestContext.apiId", "abc"), set("requestContext.domainPrefix", tc.prefix), set("requestContext.domainName", "example.com"))
			var got seen
			serveEvent(t, t.Context(), event, look(t, &got))
			if got.Base != "https://example.com"+tc.base || got.Path != tc.want {
				t.Errorf("%s gives %q and %q, want %q and %q", tc.path, got.Base, got.Path, "https://example.com"+tc.base, tc.want)
			}
		})
	}
}

func TestAnEventWithoutADomainHasLinksWithoutOne(t *testing.T) {
	t.Parallel()
	var got seen
	serveEvent(t, t.Context(), sample(t, "rest-api", set("requestContext.domainName", nil)), look(t, &got))
	if got.Base != "/v1" || got.Host != "" {
		t.Errorf("links begin with %q, host %q; want /v1 and none", got.Base, got.Host)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	both := []string{"rest-api", "function-url"}
	for _, tc := range []struct {
		rule   string
		h      http.HandlerFunc
		edits  []func(map[string]any)
		status int
		header http.Header // without Content-Type where the handler names none
		body   string
		binary bool
	}{
		{rule: "nothing written is 200", h: func(http.ResponseWriter, *http.Request) {}, status: 200},
		{rule: "the status and the header of the handler", h: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/x")
			w.WriteHeader(202)
			w.Header().Set("Late", "too late")
			w.WriteHeader(500)
		}, status: 202, header: http.Header{"Location": {"/x"}}},
		{rule: "informational answers are not the answer", h: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(404)
		}, status: 404},
		{rule: "the type of a body is found out", h: write("<html>"), status: 200, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, body: "<html>"},
		{rule: "text in any script stays text", h: write("注文 & \x00\u2028"), status: 200, header: http.Header{"Content-Type": {"application/octet-stream"}},
			body: "注文 & \x00\u2028"},
		{rule: "what is no text is base64", h: write("\x1f\x8b\x08\xff"), status: 200, header: http.Header{"Content-Type": {"application/x-gzip"}},
			body: "\x1f\x8b\x08\xff", binary: true},
		{rule: "the length is the gateway's to say", h: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "ok")
		}, status: 200, header: http.Header{"Content-Type": {"text/plain"}}, body: "ok"},
		{rule: "several values of a header, and cookies", h: func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Vary"] = []string{"Accept", "Cookie"}
			w.Header()["Set-Cookie"] = []string{"a=1, x", "b=2"}
		}, status: 200, header: http.Header{"Vary": {"Accept", "Cookie"}, "Set-Cookie": {"a=1, x", "b=2"}}},
		{rule: "HEAD has no body", edits: []func(map[string]any){method("HEAD")}, h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Got", r.Method)
			write("body")(w, r)
		}, status: 200, header: http.Header{"Got": {"HEAD"}}},
		{rule: "OPTIONS is a request as any", edits: []func(map[string]any){method("OPTIONS")}, h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Got", r.Method)
			w.WriteHeader(204)
			if _, err := io.WriteString(w, "none"); !errors.Is(err, http.ErrBodyNotAllowed) {
				panic(err)
			}
		}, status: 204, header: http.Header{"Got": {"OPTIONS"}}},
	} {
		for _, name := range both {
			t.Run(tc.rule+"/"+name, func(t *testing.T) {
				t.Parallel()
				out := serveEvent(t, t.Context(), sample(t, name, tc.edits...), tc.h)
				body := out.Body
				if out.IsBase64Encoded {
					decoded, err := base64.StdEncoding.DecodeString(out.Body)
					if err != nil {
						t.Fatal(err)
					}
					body = string(decoded)
				}
				if out.StatusCode != tc.status || body != tc.body || out.IsBase64Encoded != tc.binary {
					t.Errorf("status %d with %q (base64: %v), want %d with %q (%v)", out.StatusCode, body, out.IsBase64Encoded, tc.status, tc.body, tc.binary)
				}
				want := outcome{MultiValueHeaders: http.Header{}}
				for name, values := range tc.header {
					want.MultiValueHeaders[name] = values
				}
				if name == "function-url" {
					want = outcome{Headers: map[string]string{}, Cookies: tc.header["Set-Cookie"]}
					for name, values := range tc.header {
						if name != "Set-Cookie" {
							want.Headers[name] = strings.Join(values, ", ")
						}
					}
				}
				got := outcome{Headers: out.Headers, MultiValueHeaders: out.MultiValueHeaders, Cookies: out.Cookies}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("headers (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func write(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
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

func TestBodies(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("x", 4<<20)
	for _, tc := range []struct {
		rule, body string
		encoded    bool
		status     int
		want       string
	}{
		{"text", "{}", false, 200, "{}"},
		{"base64", base64.StdEncoding.EncodeToString([]byte("\x00\xff")), true, 200, "\x00\xff"},
		{"none", "", false, 200, ""},
		{"no base64", "{}", true, 400, ""},
		{"4 MiB", full, false, 200, full},
		{"more than 4 MiB", full + "x", false, 413, ""},
		{"4 MiB in base64", base64.StdEncoding.EncodeToString([]byte(full)), true, 200, full},
		{"more than 4 MiB in base64", base64.StdEncoding.EncodeToString([]byte(full + "x")), true, 413, ""},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			var got seen
			for _, name := range []string{"rest-api", "function-url"} {
				called := false
				see := look(t, &got)
				out := serveEvent(t, t.Context(), sample(t, name, set("body", tc.body), set("isBase64Encoded", tc.encoded)),
					func(w http.ResponseWriter, r *http.Request) { called = true; see(w, r) })
				if out.StatusCode != tc.status || called != (tc.status == 200) {
					t.Errorf("%s: status %d, handler called: %v; want %d", name, out.StatusCode, called, tc.status)
				}
				if tc.status != 200 {
					problem(t, out)
				} else if got.Body != tc.want {
					t.Errorf("%s: the body has %d bytes, want %d", name, len(got.Body), len(tc.want))
				}
			}
		})
	}
}

func TestAnswersThatLambdaWouldNotPassOn(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, body string
		status     int
	}{
		{"nearly 6 MB", strings.Repeat("x", 6<<20-1000), 200},
		{"6 MB and what is around it", strings.Repeat("x", 6<<20), 500},
		{"much more than 6 MB", strings.Repeat("x", 20<<20), 500},
		{"JSON needs more for each", strings.Repeat("\x01", 2<<20), 500},
		{"base64 needs more for each", strings.Repeat("\xff", 5<<20), 500},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{"rest-api", "function-url"} {
				raw, err := serveHTTP(t.Context(), write(tc.body), sample(t, name), slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				var out outcome
				if err := json.Unmarshal(raw, &out); err != nil {
					t.Fatal(err)
				}
				if out.StatusCode != tc.status || len(raw) > 6<<20 {
					t.Errorf("%s: status %d in %d bytes, want %d in at most 6 MB", name, out.StatusCode, len(raw), tc.status)
				}
				if tc.status == 500 {
					if _, detail := problem(t, out); !strings.Contains(detail, "top") {
						t.Errorf("the problem does not say what to do: %s", detail)
					}
				}
			}
		})
	}
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

func TestAnInvalidStatusIsAProblem(t *testing.T) {
	t.Parallel()
	out := serveEvent(t, t.Context(), sample(t, "rest-api"), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(0) })
	if out.StatusCode != 500 {
		t.Errorf("status 0 is answered with %d, want 500", out.StatusCode)
	}
}

func TestOtherEventsAreErrors(t *testing.T) {
	t.Parallel()
	for _, event := range []string{
		`{}`, `null`, `[]`, `"x"`, `{`, ``, `{"Records":[]}`, `{"source":"aws.events","time":"2026-11-22T17:00:00Z"}`,
		`{"httpMethod":"GET","path":"/","requestContext":{"elb":{"targetGroupArn":"arn"}}}`,
		`{"requestContext":{"connectionId":"x","routeKey":"$connect"}}`,
		`{"headers":7,"requestContext":{"httpMethod":"GET"}}`,
		`{"headers":7,"requestContext":{"http":{"method":"GET"}}}`,
	} {
		h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%s reaches the handler", event) })
		if out, err := serveHTTP(t.Context(), h, json.RawMessage(event), slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s is answered with %s", event, out)
		}
	}
}

// waitingClient starts instances that never end.
type waitingClient struct{ durable.Client }

func (*waitingClient) Start(_ context.Context, r durable.StartRequest) (durable.InstanceRef, error) {
	return durable.InstanceRef{ID: r.ID}, nil
}

func (*waitingClient) Get(_ context.Context, id string) (durable.Instance, error) {
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
