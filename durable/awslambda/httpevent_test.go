package awslambda

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
