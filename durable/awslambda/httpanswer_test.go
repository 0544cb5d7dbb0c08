package awslambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	both := []string{"rest-api", "function-url"}
	for _, tc := range []struct {
		rule   string
		h      http.HandlerFunc
		edits  []func(map[string]any)
		status int
		header http.Header
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
		{rule: "the type of an encoded body cannot be", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			write("\x1f\x8b\x08\xff")(w, r)
		}, status: 200, header: http.Header{"Content-Encoding": {"gzip"}}, body: "\x1f\x8b\x08\xff", binary: true},
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

func TestAnswersThatLambdaWouldNotPassOn(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, body string
		status     int
	}{
		{"nearly 6 MB", strings.Repeat("x", 6<<20-1000), 200},
		{"HTML needs no more", strings.Repeat("<", 5<<20), 200},
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

func TestAHandlerIsToldWhenItsAnswerIsTooLarge(t *testing.T) {
	t.Parallel()
	written := 0
	out := serveEvent(t, t.Context(), sample(t, "rest-api"), func(w http.ResponseWriter, _ *http.Request) {
		for chunk := make([]byte, 1<<20); written < 100; written++ {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	if written != 6 || out.StatusCode != 500 {
		t.Errorf("%d MiB were written and answered with %d, want 6 and 500", written, out.StatusCode)
	}
}

func TestAnInvalidStatusIsAProblem(t *testing.T) {
	t.Parallel()
	out := serveEvent(t, t.Context(), sample(t, "rest-api"), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(0) })
	if out.StatusCode != 500 {
		t.Errorf("status 0 is answered with %d, want 500", out.StatusCode)
	}
}
