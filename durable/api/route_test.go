package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	const base = "/runtime/webhooks/durabletask"
	for _, tc := range []struct {
		rule, method, path string
		status             int
		empty              bool
	}{
		{"literals match in any case", "GET", "/Runtime/WebHooks/DurableTask/Instances/x", 202, false},
		{"operations match in any case", "POST", base + "/instances/x/TERMINATE", 202, true},
		{"raiseEvent matches in any case", "POST", base + "/instances/x/RAISEEVENT/go", 202, true},
		{"a trailing slash is ignored", "GET", base + "/instances/x/", 202, false},
		{"trailing slashes are ignored", "GET", base + "/instances//", 200, false},
		{"literals may be percent-encoded", "GET", base + "/%69nstances/x", 202, false},
		{"a plus in the path stays a plus", "GET", base + "/instances/a+b", 202, false},
		{"a space in the path is %20", "GET", base + "/instances/a%20b", 202, false},
		{"ids of any script are decoded", "GET", base + "/instances/%E6%B3%A8%E6%96%87-%D0%96", 202, false},
		{"an id in plain UTF-8 is taken too", "GET", base + "/instances/注文-Ж", 202, false},
		{"an encoded slash does not separate", "GET", base + "/instances/x%2Fterminate", 404, false},
		{"an encoded slash is no operation", "POST", base + "/instances/x%2Fterminate", 404, true},
		{"an id that cannot be is not found", "POST", base + "/instances/%40x%40y/suspend", 404, false},
		{"an empty id is no route", "GET", base + "/instances//terminate", 404, true},
		{"an event has a name", "POST", base + "/instances/x/raiseEvent", 404, true},
		{"a wrong verb is 404", "PUT", base + "/instances/x", 404, true},
		{"a wrong verb of an operation is 404", "GET", base + "/instances/x/terminate", 404, true},
		{"HEAD is a wrong verb", "HEAD", base + "/instances/x", 404, true},
		{"an unknown route is 404", "GET", base + "/nothing", 404, true},
		{"the base alone is 404", "GET", base, 404, true},
		{"a longer base is another path", "GET", base + "s/instances", 404, true},
		{"outside the base is 404", "GET", "/", 404, true},
		{"a wrong verb of what is not there yet is 404", "GET", base + "/instances/x/restart", 404, true},
		{"an entity has no operations below it", "GET", base + "/entities/counter/a/b", 404, true},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			for _, id := range []string{"x", "a+b", "a b", "注文-Ж"} {
				f.put(durable.Instance{ID: id, Status: durable.Running})
			}
			w := serve(t, f, tc.method, tc.path, "")
			if w.Code != tc.status {
				t.Errorf("%s %s is %d, want %d: %s", tc.method, tc.path, w.Code, tc.status, w.Body)
			}
			if empty := w.Body.Len() == 0; empty != tc.empty {
				t.Errorf("%s %s answers %q, want an empty body: %v", tc.method, tc.path, w.Body, tc.empty)
			}
		})
	}
}

func TestWhatIsNotThereYetSaysSo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ method, path, says string }{
		{"GET", "/entities", "This version cannot list entities."},
		{"GET", "/entities/counter/", "This version cannot list entities."},
		{"GET", "/entities/counter/$", "This version cannot read an entity."},
		{"POST", "/entities/counter?op=add", "This version cannot signal an entity."},
		{"POST", "/entities/counter/a?op=add", "This version cannot signal an entity."},
		{"DELETE", "/entities/counter/a", "This version cannot delete an entity."},
	} {
		f := newFake(durable.Instance{ID: "x", Status: durable.Failed})
		w := serve(t, f, tc.method, api.Base+tc.path, "")
		var got struct{ Message, Detail string }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Errorf("%s %s: %v", tc.method, tc.path, err)
		}
		if w.Code != http.StatusNotImplemented || got.Message != "Not available yet." || got.Detail != tc.says {
			t.Errorf("%s %s is %d %s, want 501 with %q", tc.method, tc.path, w.Code, w.Body, tc.says)
		}
		if len(f.instances) != 1 || f.gets != 0 {
			t.Errorf("%s %s looked at an instance", tc.method, tc.path)
		}
	}
}

func TestWithServesTheRestFromNext(t *testing.T) {
	t.Parallel()
	a, err := api.New(api.Config{Client: newFake(), Hub: "Orders"})
	if err != nil {
		t.Fatal(err)
	}
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for path, want := range map[string]int{
		"/":       http.StatusTeapot,
		"/orders": http.StatusTeapot,
		"/runtime/webhooks/durabletask/instances":   http.StatusOK,
		"/RUNTIME/webhooks/durabletask/instances/":  http.StatusOK,
		"/runtime/webhooks/durabletask/instances/x": http.StatusNotFound,
		"/runtime/webhooks/durabletask":             http.StatusNotFound,
	} {
		w := httptest.NewRecorder()
		a.With(next).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("GET %s is %d, want %d", path, w.Code, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	client := newFake()
	for _, tc := range []struct {
		rule string
		cfg  api.Config
		ok   bool
	}{
		{"no client", api.Config{Hub: "Orders"}, false},
		{"no hub", api.Config{Client: client}, false},
		{"a hub whose name occurs in the base", api.Config{Client: client, Hub: "durable"}, false},
		{"a hub whose name occurs in the host", api.Config{Client: client, Hub: "shop", PublicURL: "https://shop.example"}, false},
		{"a public URL without a scheme", api.Config{Client: client, Hub: "Orders", PublicURL: "example.com"}, false},
		{"a public URL with a query", api.Config{Client: client, Hub: "Orders", PublicURL: "https://example.com?a=b"}, false},
		{"a public URL with a path is fine", api.Config{Client: client, Hub: "Orders", PublicURL: "https://example.com/prod/"}, true},
	} {
		if _, err := api.New(tc.cfg); (err == nil) != tc.ok {
			t.Errorf("%s: New gives %v", tc.rule, err)
		}
	}
}
