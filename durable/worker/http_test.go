package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/google/go-cmp/cmp"
)

// web is a server that answers as it is told, and keeps what it was asked, and when.
type web struct {
	*httptest.Server
	sys   *durabletest.System
	asked []string
	serve func(n int, w http.ResponseWriter)
}

func newWeb(t *testing.T, serve func(n int, w http.ResponseWriter)) *web {
	t.Helper()
	s := &web{serve: serve}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		at := time.Duration(0)
		if s.sys != nil {
			at = s.sys.Now().Sub(durabletest.Epoch)
		}
		s.asked = append(s.asked, strings.TrimSpace(fmt.Sprintf("%v %s %s %s%s %s", at, r.Method, r.URL, r.Header.Get("Authorization"), r.Header.Get("X-Own")+r.Header.Get("Content-Type"), body)))
		s.serve(len(s.asked), w)
	}))
	t.Cleanup(s.Close)
	return s
}

// ask sends a request out of an orchestration, and returns the response, or the error, as text.
func (s *web) ask(t *testing.T, req durable.HTTPRequest, handlers ...durable.Handler) string {
	t.Helper()
	s.sys = durabletest.New(t, append(handlers, hello.Bind(func(ctx durable.Context, _ string) (string, error) {
		resp, err := durable.HTTP(ctx, req)
		if err != nil {
			for _, k := range []error{durable.ErrInvalid, durable.ErrTimeout, durable.ErrTooLarge, durable.ActivityTimedOut} {
				if errors.Is(err, k) {
					return fmt.Sprintf("error %v: %v", k, err), nil
				}
			}
			return "error: " + err.Error(), nil
		}
		return fmt.Sprintf("%d %s %s", resp.Status, resp.Get("x-answer"), resp.Body), nil
	}))...)
	run := start(t, s.sys, "")
	s.sys.Advance(time.Hour)
	status(t, s.sys, durable.Completed)
	out, err := run.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s *web) was(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("the server was asked (-want +got):\n%s", diff)
	}
}

func own(v string) map[string][]string { return map[string][]string{"x-own": {v}} }

// bearer is a source of tokens, and secret what it gives.
var bearer = durable.HTTPToken("bank", func(context.Context) (string, error) { return secret, nil })

const secret = "5e9b1c"

func TestHTTPGivesTheResponseWhateverItsStatus(t *testing.T) {
	t.Parallel()
	s := newWeb(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(404)
		_, _ = io.WriteString(w, "gone")
	})
	got := s.ask(t, durable.HTTPRequest{Method: "POST", URL: s.URL + "/a?b=c", Header: own("mine"), Body: []byte("{}"), Token: "bank",
		Retry: durable.Retry{Attempts: 3}}, bearer)
	if want := "404 yes gone"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.was(t, "0s POST /a?b=c Bearer "+secret+"mine {}")
	events, err := s.sys.Client.History(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	if all, err := json.Marshal(events); err != nil || strings.Contains(string(all), secret) || !strings.Contains(string(all), "durable.http") {
		t.Errorf("the history has the token, or not the call (%v): %s", err, all)
	}
}

func TestHTTPPollsWhatGoesOn(t *testing.T) {
	t.Parallel()
	s := newWeb(t, func(n int, w http.ResponseWriter) {
		switch n {
		case 1:
			w.Header().Set("Location", "/jobs/1")
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(202)
		case 2:
			w.Header().Set("Location", "status")
			w.WriteHeader(202)
		default:
			_, _ = io.WriteString(w, "done")
		}
	})
	typed := own("mine")
	typed["content-type"] = []string{"+text"}
	if got, want := s.ask(t, durable.HTTPRequest{Method: "PUT", URL: s.URL, Header: typed, Body: []byte("x"), Token: "bank"}, bearer), "200  done"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.was(t, "0s PUT / Bearer "+secret+"mine+text x", "7s GET /jobs/1 Bearer "+secret+"mine", "37s GET /jobs/status Bearer "+secret+"mine")
}

func TestHTTPTellsAnotherOriginNothing(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]int{"polled": 202, "redirected": 307} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := newWeb(t, func(_ int, w http.ResponseWriter) { _, _ = io.WriteString(w, "there") })
			s := newWeb(t, func(_ int, w http.ResponseWriter) {
				w.Header().Set("Location", other.URL+"/else")
				w.WriteHeader(code)
			})
			if got, want := s.ask(t, durable.HTTPRequest{URL: s.URL, Header: own("mine"), Token: "bank"}, bearer), "200  there"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			s.was(t, "0s GET / Bearer "+secret+"mine")
			other.was(t, "0s GET /else")
		})
	}
}

func TestHTTPEndsWithoutPolling(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		location string
		req      durable.HTTPRequest
		want     string
		asked    int
	}{
		"where nobody wants it":    {"/job", durable.HTTPRequest{NoPolling: true}, "202  ", 1},
		"where nothing says where": {"", durable.HTTPRequest{}, "202  ", 1},
		"where it leads nowhere":   {"ftp://example.com/", durable.HTTPRequest{}, "error: durable.HTTP: the location of a response", 1},
		"when the time is up":      {"/job", durable.HTTPRequest{Deadline: 70 * time.Second}, "error timed out: timed out", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newWeb(t, func(_ int, w http.ResponseWriter) {
				if c.location != "" {
					w.Header().Set("Location", c.location)
				}
				w.WriteHeader(202)
			})
			c.req.URL = s.URL
			if got := s.ask(t, c.req); !strings.HasPrefix(got, c.want) || len(s.asked) != c.asked {
				t.Errorf("got %s after %d requests, want %s after %d", got, len(s.asked), c.want, c.asked)
			}
		})
	}
}

func TestHTTPRetries(t *testing.T) {
	t.Parallel()
	thrice := durable.Retry{Attempts: 3, Initial: time.Second}
	for name, c := range map[string]struct {
		status []int // of the responses, the last again and again; 0 is none
		req    durable.HTTPRequest
		want   string
		asked  int
	}{
		"what may pass":                 {[]int{503, 429, 200}, durable.HTTPRequest{Retry: thrice}, "200", 3},
		"and then it is the response":   {[]int{503}, durable.HTTPRequest{Retry: thrice}, "503", 3},
		"not without being told":        {[]int{503, 200}, durable.HTTPRequest{}, "503", 1},
		"not what will not pass":        {[]int{501, 200}, durable.HTTPRequest{Retry: thrice}, "501", 1},
		"what the request names":        {[]int{404, 404, 503}, durable.HTTPRequest{Retry: thrice, RetryOn: []int{404}}, "503", 3},
		"a server that says nothing":    {[]int{0, 0, 200}, durable.HTTPRequest{Retry: thrice}, "200", 3},
		"which never says anything":     {[]int{0}, durable.HTTPRequest{Retry: thrice}, "error: durable.http failed after 3 attempts: ", 3},
		"not beyond the deadline":       {[]int{503}, durable.HTTPRequest{Retry: durable.Retry{Attempts: 9, Initial: time.Minute}, Deadline: 90 * time.Second}, "error ActivityTimedOut", 2},
		"not what waits longer than it": {[]int{503}, durable.HTTPRequest{Retry: durable.Retry{Attempts: 2, Initial: time.Hour}, Deadline: time.Minute}, "error ActivityTimedOut", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newWeb(t, func(n int, w http.ResponseWriter) {
				status := c.status[min(n, len(c.status))-1]
				if status == 0 {
					panic(http.ErrAbortHandler)
				}
				w.WriteHeader(status)
			})
			c.req.URL, c.req.Method = s.URL, "POST" // which net/http does not repeat by itself
			if got := s.ask(t, c.req); !strings.HasPrefix(got, c.want) || len(s.asked) != c.asked {
				t.Errorf("got %s after %d requests, want %s after %d", got, len(s.asked), c.want, c.asked)
			}
		})
	}
}

func TestHTTPRefuses(t *testing.T) {
	t.Parallel()
	thrice := durable.Retry{Attempts: 3}
	for name, c := range map[string]struct {
		req   func(url string) durable.HTTPRequest
		want  string
		asked int
	}{
		"another scheme": {func(string) durable.HTTPRequest { return durable.HTTPRequest{URL: "file:///etc/passwd"} }, "error invalid request: ", 0},
		"a relative URL": {func(string) durable.HTTPRequest { return durable.HTTPRequest{URL: "/a"} }, "error invalid request: ", 0},
		"a retry out of bounds": {func(u string) durable.HTTPRequest {
			return durable.HTTPRequest{URL: u, Retry: durable.Retry{Attempts: -1}}
		}, "error invalid request: ", 0},
		"a negative deadline":    {func(u string) durable.HTTPRequest { return durable.HTTPRequest{URL: u, Deadline: -1} }, "error invalid request: ", 0},
		"a method that is none":  {func(u string) durable.HTTPRequest { return durable.HTTPRequest{URL: u, Method: "A B", Retry: thrice} }, "error: durable.http failed: net/http: invalid method", 0},
		"a token nobody has":     {func(u string) durable.HTTPRequest { return durable.HTTPRequest{URL: u, Token: "none"} }, `error: durable.http failed: no durable.HTTPToken of the name "none" is bound`, 0},
		"too large a response":   {func(u string) durable.HTTPRequest { return durable.HTTPRequest{URL: u, MaxBytes: 9, Retry: thrice} }, "error TooLarge: durable.http failed: TooLarge: the response of", 1},
		"an endless redirection": {func(u string) durable.HTTPRequest { return durable.HTTPRequest{URL: u + "/again", Retry: thrice} }, "error: durable.http failed: Get \"/again\": it was redirected 10 times", 10},
		"a redirection anywhere": {func(u string) durable.HTTPRequest { return durable.HTTPRequest{URL: u + "/ftp", Retry: thrice} }, "error: durable.http failed: Get \"ftp://example.com/\": the URL", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s *web
			s = newWeb(t, func(_ int, w http.ResponseWriter) {
				switch last := s.asked[len(s.asked)-1]; {
				case strings.Contains(last, "/again"):
					w.Header().Set("Location", "/again")
					w.WriteHeader(302)
				case strings.Contains(last, "/ftp"):
					w.Header().Set("Location", "ftp://example.com/")
					w.WriteHeader(302)
				default:
					_, _ = io.WriteString(w, "0123456789")
				}
			})
			if got := s.ask(t, c.req(s.URL)); !strings.HasPrefix(got, c.want) || len(s.asked) != c.asked {
				t.Errorf("got %s after %d requests, want %s after %d", got, len(s.asked), c.want, c.asked)
			}
		})
	}
}

func TestHTTPTokenThatFailsKeepsItsReasonToItself(t *testing.T) {
	t.Parallel()
	s := newWeb(t, func(int, http.ResponseWriter) {})
	failing := durable.HTTPToken("bank", func(context.Context) (string, error) { return "", errors.New("bad password " + secret) })
	got := s.ask(t, durable.HTTPRequest{URL: s.URL, Token: "bank"}, failing)
	if want := `error: durable.http failed: there is no token of "bank": the worker's log has the reason`; got != want || len(s.asked) > 0 {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestHTTPBoundToAnotherBody(t *testing.T) {
	t.Parallel()
	s := newWeb(t, func(int, http.ResponseWriter) {})
	got := s.ask(t, durable.HTTPRequest{URL: s.URL}, durable.BindHTTP(func(_ context.Context, req durable.HTTPRequest) (durable.HTTPResponse, error) {
		return durable.HTTPResponse{Status: 418, Body: []byte(req.URL)}, nil
	}))
	if want := "418  " + s.URL; got != want || len(s.asked) > 0 {
		t.Errorf("got %s, want %s", got, want)
	}
}
