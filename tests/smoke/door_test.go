package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
)

// open returns a door to a server of the test's own.
func open(t *testing.T, h http.HandlerFunc) *door {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return newDoor(server.URL+"/v1", sdk.Config{Region: "eu-north-1", Credentials: sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
		return sdk.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "token"}, nil
	})})
}

func TestRequestsAreSigned(t *testing.T) {
	t.Parallel()
	signature := regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=AKID/\d{8}/eu-north-1/execute-api/aws4_request, SignedHeaders=\S*host\S*, Signature=[0-9a-f]{64}$`)
	d := open(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != "POST" || r.URL.Path != "/v1/orders" || string(body) != `{"a":1}` {
			t.Errorf("got %s %s %s, %v", r.Method, r.URL, body, err)
		}
		if got := r.Header.Get("Authorization"); !signature.MatchString(got) {
			t.Errorf("it is signed with %q", got)
		}
		if r.Header.Get("X-Amz-Security-Token") != "token" || r.Header.Get("X-Amz-Date") == "" {
			t.Errorf("it has no token or no date: %v", r.Header)
		}
		io.WriteString(w, `{"id":"x"}`)
	})
	var answer struct{ ID string }
	if err := d.send(t.Context(), "POST", "/orders", map[string]int{"a": 1}, &answer); err != nil || answer.ID != "x" {
		t.Errorf("got %+v, %v", answer, err)
	}
}

func TestARefusalSaysWhatToDo(t *testing.T) {
	t.Parallel()
	d := open(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not you", http.StatusForbidden) })
	err := d.send(t.Context(), "GET", "/orders", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "403: not you") || !strings.Contains(err.Error(), "execute-api:Invoke") {
		t.Errorf("got %v", err)
	}
}

// answering answers each request with the next of some statuses, and goes on with the last.
func answering(t *testing.T, answers ...string) *door {
	t.Helper()
	return open(t, func(w http.ResponseWriter, _ *http.Request) {
		answer := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		if code, body, refused := strings.Cut(answer, "!"); refused {
			http.Error(w, body, map[string]int{"404": 404, "403": 403, "502": 502}[code])
			return
		}
		io.WriteString(w, answer)
	})
}

var quick = pace{time.Millisecond, 10 * time.Second}

func TestUntilAnInstanceHasCompleted(t *testing.T) {
	t.Parallel()
	d := answering(t, "404!", "502!", `{"runtimeStatus":"Pending"}`, `{"runtimeStatus":"Running","customStatus":null}`,
		`{"runtimeStatus":"Completed","output":40,"createdTime":"2026-01-02T03:04:05Z"}`)
	s, err := d.completed(t.Context(), quick, "x")
	if err != nil || string(s.Output) != "40" || s.CreatedTime.Year() != 2026 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestAnInstanceThatNeverCompletes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answer, says string }{
		"it fails":        {`{"runtimeStatus":"Failed","failureDetails":{"errorType":"CardDeclined","errorMessage":"no"}}`, "CardDeclined, no"},
		"it is ended":     {`{"runtimeStatus":"Terminated","output":"enough"}`, "enough"},
		"it is forbidden": {"403!not you", "not you"},
	} {
		if _, err := answering(t, c.answer).completed(t.Context(), quick, "x"); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v; want a word of %q", name, err, c.says)
		}
	}
	_, err := answering(t, `{"runtimeStatus":"Running"}`).completed(t.Context(), pace{time.Millisecond, 20 * time.Millisecond}, "x")
	if !errors.Is(err, errPatience) || !strings.Contains(err.Error(), `"Running"`) {
		t.Errorf("it runs for ever: got %v", err)
	}
}
