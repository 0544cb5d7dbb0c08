package api_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/api"
)

const base = "http://localhost:7071/runtime/webhooks/durabletask"

func TestCheckStatus(t *testing.T) {
	t.Parallel()
	w := serve(t, newFake(), "POST", api.Base+"/orchestrators/ProcessOrder/order%2042", `{"total":1}`)
	if w.Header().Get("Durable-Incarnation") != "1" {
		t.Errorf("the answer does not name the life: %v", w.Header())
	}
	w.Header().Del("Durable-Incarnation") // only a start has it
	golden(t, w, "check-status")
}

func TestApplicationsAnswerWithTheSameCheckStatus(t *testing.T) {
	t.Parallel()
	a, err := api.New(api.Config{Client: newFake(), Hub: "Orders"})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "http://localhost:7071/orders", nil)
	w := httptest.NewRecorder()
	a.Accepted(w, r, "order 42")
	golden(t, w, "check-status")
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, public, query, id, want string
		tls                           bool
		ctx                           context.Context
	}{
		{rule: "the hub is always there", id: "x", want: base + "/instances/x?taskHub=Orders"},
		{rule: "a space is %20", id: "a b", want: base + "/instances/a%20b?taskHub=Orders"},
		{rule: "a plus is encoded", id: "a+b", want: base + "/instances/a%2Bb?taskHub=Orders"},
		{rule: "any script is encoded", id: "注文", want: base + "/instances/%E6%B3%A8%E6%96%87?taskHub=Orders"},
		{rule: "taskHub is carried", query: "TASKHUB=Other%20Hub", id: "x", want: base + "/instances/x?taskHub=Other%20Hub"},
		{rule: "a blank taskHub is none", query: "taskHub=+", id: "x", want: base + "/instances/x?taskHub=Orders"},
		{rule: "connection and code are carried", query: "code=a%2Fb==&connection=Storage", id: "x",
			want: base + "/instances/x?taskHub=Orders&connection=Storage&code=a%2Fb%3D%3D"},
		{rule: "connectionName is a connection", query: "connectionName=S", id: "x", want: base + "/instances/x?taskHub=Orders&connection=S"},
		{rule: "other keys are not carried", query: "timeout=0&a=b", id: "x", want: base + "/instances/x?taskHub=Orders"},
		{rule: "TLS is https", tls: true, id: "x", want: "https://localhost:7071/runtime/webhooks/durabletask/instances/x?taskHub=Orders"},
		{rule: "a public URL wins over the host", public: "https://example.com/prod/", id: "x",
			want: "https://example.com/prod/runtime/webhooks/durabletask/instances/x?taskHub=Orders"},
		{rule: "the request's public URL wins over the host", ctx: api.WithPublicURL(t.Context(), "https://abc.example/v1/"), id: "x",
			want: "https://abc.example/v1/runtime/webhooks/durabletask/instances/x?taskHub=Orders"},
		{rule: "the configured public URL wins over the request's", public: "https://example.com", id: "x",
			ctx: api.WithPublicURL(t.Context(), "https://abc.example/v1"), want: "https://example.com/runtime/webhooks/durabletask/instances/x?taskHub=Orders"},
		{rule: "an empty public URL of the request is a path", ctx: api.WithPublicURL(t.Context(), ""), id: "x",
			want: "/runtime/webhooks/durabletask/instances/x?taskHub=Orders"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			a, err := api.New(api.Config{Client: newFake(), Hub: "Orders", PublicURL: tc.public})
			if err != nil {
				t.Fatal(err)
			}
			r := &http.Request{Host: "localhost:7071", URL: &url.URL{Path: "/orders", RawQuery: tc.query}}
			if tc.ctx != nil {
				r = r.WithContext(tc.ctx)
			}
			if tc.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if got := a.Links(r, tc.id).StatusQueryGetURI; got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestLinksLeadBack(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"x", "a b", "a+b", "100%25", "50% & more", "注文-Ж", "a;b,c=d", "~'()*!"} {
		f := newFake()
		var links api.Links
		w := serve(t, f, "POST", "/runtime/webhooks/durabletask/orchestrators/Hello/"+url.PathEscape(id), "")
		if err := json.Unmarshal(w.Body.Bytes(), &links); err != nil {
			t.Fatal(err)
		}
		if links.ID != id {
			t.Errorf("started %q, want %q", links.ID, id)
		}
		w = serve(t, f, "GET", strings.TrimPrefix(links.StatusQueryGetURI, "http://localhost:7071")+"&showInput=false", "")
		if w.Code != http.StatusAccepted {
			t.Errorf("the status link of %q answers %d: %s", id, w.Code, links.StatusQueryGetURI)
		}
		if got := w.Header().Get("Location"); got != links.StatusQueryGetURI+"&showInput=false" {
			t.Errorf("the Location of a status is %s, want its own URL %s", got, links.StatusQueryGetURI)
		}
	}
}
