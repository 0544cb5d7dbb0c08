package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// FuzzRequest: whatever is asked, the answer is JSON with a status that fits, and what reaches the client is clean.
func FuzzRequest(f *testing.F) {
	for _, s := range []struct{ method, path, query, content, token, body string }{
		{"POST", "orchestrators/Hello/one", "timeout=0&pollingInterval=1", "application/json", "", `{"a":1}`},
		{"POST", "orchestrators/Hello", "version=99999999999", "", "", "\ufeff [1]"},
		{"POST", "orchestrators/Hello/%2e%2e", "", "", "", `"\ud800"`},
		{"GET", "instances", "top=-1&runtimeStatus=Running,,x&createdTimeFrom=2026-99-99", "", "!", ""},
		{"GET", "instances", "top=2147483648", "", "ODIzMjc3NDQwMDAwMCM", ""},
		{"GET", "instances/%ff", "showHistory=maybe", "", "", ""},
		{"POST", "instances/one/raiseEvent/Yes", "", "text/plain; charset", "", "{"},
		{"POST", "instances/one/raiseEvent/%00", "", "application/json", "", "\xff"},
		{"POST", "instances/one/reset", "", "application/json", "", `{"operation":"2","result":null}`},
		{"POST", "instances/one/terminate", "reason=100%&reason", "", "", ""},
	} {
		f.Add(s.method, s.path, s.query, s.content, s.token, []byte(s.body))
	}
	f.Fuzz(func(t *testing.T, method, path, query, content, token string, body []byte) {
		target, err := url.Parse("http://localhost" + api.Base + "/" + strings.TrimLeft(path, "/"))
		if err != nil || method == "" || strings.ContainsFunc(method, func(r rune) bool { return r < 'A' || r > 'Z' }) {
			return // net/http does not let it through
		}
		target.RawQuery = query
		client := newFake(durable.Instance{ID: "one", Name: "Hello", Status: durable.Running})
		a, err := api.New(api.Config{Client: client, Hub: "Orders", MaxWait: time.Nanosecond})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "http://localhost/", bytes.NewReader(body))
		r.Method, r.URL, r.RequestURI = method, target, target.RequestURI()
		r.Header.Set("Content-Type", content)
		r.Header.Set("x-ms-continuation-token", token)
		w := httptest.NewRecorder()
		a.With(http.NotFoundHandler()).ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusNotImplemented || w.Code < 200 {
			t.Errorf("%s %s is answered with %d: %s", method, target, w.Code, w.Body)
		}
		if kind := w.Header().Get("Content-Type"); strings.Contains(kind, "json") && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s is answered with what is no JSON: %s", method, target, w.Body)
		}
		for _, s := range client.starts {
			if s.ID != "" && history.CheckInstanceID(s.ID) != nil || s.Input != nil && !json.Valid(s.Input) || !utf8.Valid(s.Input) {
				t.Errorf("%s %s starts %+v", method, target, s)
			}
		}
		for _, e := range client.events {
			if e.Data != nil && !json.Valid(e.Data) || e.Instance != "one" {
				t.Errorf("%s %s raises %+v", method, target, e)
			}
		}
		for _, q := range client.queries {
			if q.Limit < 0 {
				t.Errorf("%s %s lists %+v", method, target, q)
			}
		}
	})
}

// FuzzLinks: every link of an instance leads to that instance, whatever its id and whatever the request carries.
func FuzzLinks(f *testing.F) {
	f.Add("order 42", "taskHub=a%26b&code=%2F%3d")
	f.Add("注文+%25", "connection=&connectionName=%zz")
	f.Add("..;a=b", "taskHub=%20&code=\xff")
	f.Fuzz(func(t *testing.T, id, query string) {
		if history.CheckInstanceID(id) != nil {
			return
		}
		client := newFake(durable.Instance{ID: id, Name: "Hello", Status: durable.Running})
		a, err := api.New(api.Config{Client: client, Hub: "Orders"})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "http://localhost:7071/orders", nil)
		r.URL.RawQuery = query
		links := a.Links(r, id)
		for _, l := range []struct{ method, link string }{
			{http.MethodGet, links.StatusQueryGetURI},
			{http.MethodPost, strings.ReplaceAll(links.SendEventPostURI, "{eventName}", "Yes")},
			{http.MethodPost, strings.ReplaceAll(links.SuspendPostURI, "{text}", "why")},
		} {
			target, err := url.Parse(l.link)
			if err != nil || strings.ContainsFunc(l.link, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '<' }) {
				t.Fatalf("%q is no link: %v", l.link, err)
			}
			again := httptest.NewRequest(l.method, l.link, nil)
			w := httptest.NewRecorder()
			a.With(http.NotFoundHandler()).ServeHTTP(w, again)
			if w.Code != http.StatusOK && w.Code != http.StatusAccepted {
				t.Errorf("%s %s is answered with %d: %s", l.method, target, w.Code, w.Body)
			}
		}
		if len(client.events) != 1 || client.events[0].Instance != id || len(client.commands) != 1 || client.commands[0].Instance != id || client.commands[0].Reason != "why" {
			t.Errorf("the links of %q lead to %+v and %+v", id, client.events, client.commands)
		}
	})
}
