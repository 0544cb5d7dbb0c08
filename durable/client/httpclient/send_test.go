package httpclient_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/client/httpclient"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

func TestRequestsAreMadeAgain(t *testing.T) {
	status := func(code int) func(http.ResponseWriter, *http.Request, func()) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ func()) bool { w.WriteHeader(code); return true }
	}
	lost := func(w http.ResponseWriter, r *http.Request, serve func()) bool { // done, and nobody hears
		serve()
		panic(http.ErrAbortHandler)
	}
	for name, disturb := range map[string]func(http.ResponseWriter, *http.Request, func()) bool{
		"429": status(429), "502": status(502), "503": status(503), "504": status(504), "the answer is lost": lost,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			ctx := t.Context()
			once := func() {
				p.disturb = func(w http.ResponseWriter, r *http.Request, serve func()) bool {
					p.disturb = nil
					return disturb(w, r, serve)
				}
			}
			once()
			run, err := shop.Submit(ctx, p.http, order{"tea", 1})
			if err != nil {
				t.Fatal(err)
			}
			once()
			if _, err := shop.Submit(ctx, p.http, order{"tea", 1}, durable.ID("mine")); err != nil {
				t.Fatal(err)
			}
			p.Settle()
			if page, err := p.direct.List(ctx, durable.Query{}); err != nil || len(page.Instances) != 2 {
				t.Errorf("%d instances were started, %v", len(page.Instances), err)
			}
			for _, c := range []durable.Command{durable.Suspend, durable.Resume} {
				once()
				if err := p.http.Manage(ctx, durable.ManageRequest{Instance: "mine", Command: c}); err != nil {
					t.Error(c, err)
				}
				p.Settle()
			}
			once()
			if err := approval.Raise(ctx, p.http, run.ID(), true); err != nil {
				t.Error(err)
			}
			p.same(t, run.ID())
			raised := 0
			events, _ := p.direct.History(ctx, run.ID())
			for _, e := range events {
				if e.Kind == history.EventRaised {
					raised++
				}
			}
			if raised != 1 {
				t.Errorf("one event came %d times", raised)
			}
			once()
			if err := p.http.Purge(ctx, run.ID()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestARestartIsNotMadeTwice(t *testing.T) {
	p := newPlace(t)
	if _, err := broken.Submit(t.Context(), p.http, "x", durable.ID("b")); err != nil {
		t.Fatal(err)
	}
	p.Settle()
	p.requests = 0
	p.disturb = func(_ http.ResponseWriter, _ *http.Request, serve func()) bool { serve(); panic(http.ErrAbortHandler) }
	if _, err := p.http.Restart(t.Context(), durable.RestartRequest{Instance: "b", NewID: true}); err == nil || p.requests != 1 {
		t.Errorf("%d requests, %v", p.requests, err)
	}
}

func TestPatienceEnds(t *testing.T) {
	p := newPlace(t)
	p.disturb = func(w http.ResponseWriter, _ *http.Request, _ func()) bool {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(503)
		return true
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	if _, err := p.http.Get(ctx, "x"); err == nil || p.requests != 2 {
		t.Errorf("%d requests in a second and a half, %v", p.requests, err)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	const secret = "s3cr3t-key"
	for _, c := range []struct {
		name, says string
		answer     func(http.ResponseWriter)
	}{
		{"not the API", "Config.URL", func(w http.ResponseWriter) { http.NotFound(w, nil) }},
		{"no JSON", "is the URL right", func(w http.ResponseWriter) { w.Write([]byte("<html>")) }},
		{"a gateway that wants a signature", "Config.Authorize", func(w http.ResponseWriter) { w.WriteHeader(401) }},
		{"a gateway that refuses", "signed", func(w http.ResponseWriter) { w.WriteHeader(403); w.Write([]byte(`{"message":"Forbidden"}`)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("x-functions-key") != secret {
					t.Error("the key was not sent")
				}
				c.answer(w)
			}))
			defer server.Close()
			client, err := httpclient.New(httpclient.Config{URL: server.URL + "/stage" + api.Base, Authorize: httpclient.Key(secret), Patience: -1})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Get(t.Context(), "x")
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), secret) || errors.Is(err, durable.ErrNotFound) {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, url := range []string{"", "example.com", "ftp://x", "https://u:" + secret + "@x", "https://x?code=" + secret, "https://%zz" + secret} {
		if _, err := httpclient.New(httpclient.Config{URL: url}); err == nil || strings.Contains(err.Error(), secret) && !strings.Contains(url, "?code") {
			t.Errorf("%s: %v", url, err)
		}
	}
	gone, err := httpclient.New(httpclient.Config{URL: "http://127.0.0.1:1", Patience: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Report(t.Context(), durable.ReportRequest{Token: secret, What: durable.ReportResult}); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v", err)
	}
}
