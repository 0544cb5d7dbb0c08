package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// named recognizes callers by the header Who, which is what they may do.
type named struct{ err error }

func (n named) Caller(r *http.Request) (access.Caller, error) {
	who := r.Header.Get("Who")
	if n.err != nil || who == "" {
		return access.Caller{}, errors.Join(n.err, access.ErrUnknown)
	}
	may, err := access.Parse(strings.Split(who, ",")...)
	return access.Caller{Name: "key of " + who, May: may}, err
}

// guarded is an API that asks who calls, its audit lines, and the client behind it.
func guarded(t *testing.T) (http.Handler, *bytes.Buffer, *fake) {
	t.Helper()
	f := newFake(durable.Instance{ID: "x", Name: "Hello", Status: durable.Running}, durable.Instance{ID: "over", Status: durable.Completed},
		durable.Instance{ID: "bad", Status: durable.Failed})
	log := new(bytes.Buffer)
	a, err := api.New(api.Config{Client: f, Hub: "TestHub", Callers: named{}, Audit: slog.New(slog.NewJSONHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return a.With(a.Guard(access.Operate, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))), log, f
}

func send(h http.Handler, method, path, body, who string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if who != "" {
		r.Header.Set("Who", who)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestEachRouteNeedsItsPermission sends every request as nobody, with every other permission, and with the one that it needs.
func TestEachRouteNeedsItsPermission(t *testing.T) {
	t.Parallel()
	const base = api.Base
	for _, c := range []struct {
		method, path, body, needs string
		status                    int
		action                    string // audited; empty: it changes nothing
	}{
		{"POST", base + "/orchestrators/Hello", `"a"`, "operate", 202, "start"},
		{"POST", base + "/orchestrators/Hello/new", `"a"`, "operate", 202, "start"},
		{"GET", base + "/instances", "", "read", 200, ""},
		{"GET", base + "/instances/x", "", "read", 202, ""},
		{"GET", base + "/instances/x?showHistory=true", "", "read", 202, ""},
		{"POST", base + "/instances/x/raiseEvent/Go", `1`, "operate", 202, "raise event"},
		{"POST", base + "/instances/x/terminate", "", "operate", 202, "terminate"},
		{"POST", base + "/instances/x/suspend", "", "operate", 202, "suspend"},
		{"POST", base + "/instances/x/resume", "", "operate", 409, "resume"},
		{"POST", base + "/instances/over/restart", "", "operate", 202, "restart"},
		{"POST", base + "/activities/t/complete", `1`, "operate", 202, "complete activity"},
		{"POST", base + "/activities/t/fail", `{"message":"no"}`, "operate", 202, "fail activity"},
		{"POST", base + "/activities/t/heartbeat", "", "operate", 202, "heartbeat"},
		{"POST", base + "/instances/bad/rewind", "", "administer", 202, "rewind"},
		{"POST", base + "/instances/x/reset", `{"operation":"0"}`, "administer", 202, "reset"},
		{"DELETE", base + "/instances/over", "", "administer", 200, "purge"},
		{"DELETE", base + "/instances?createdTimeFrom=2020-01-01T00:00:00Z", "", "administer", 404, "purge many"},
		{"GET", base + "/entities", "", "read", 501, ""},
		{"POST", base + "/entities/counter/a", "1", "operate", 501, "signal an entity"},
		{"DELETE", base + "/entities/counter/a", "", "operate", 501, "delete an entity"},
		{"GET", "/orders", "", "read", 418, ""},
		{"POST", "/orders", "", "operate", 418, ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			h, log, f := guarded(t)
			if w := send(h, c.method, c.path, c.body, ""); w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("nobody is answered %d", w.Code)
			}
			others := strings.Join(strings.FieldsFunc(strings.Replace("read,operate,administer", c.needs, "", 1), func(r rune) bool { return r == ',' }), ",")
			if w := send(h, c.method, c.path, c.body, others); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), c.needs) {
				t.Errorf("one who may %s is answered %d %s", others, w.Code, w.Body)
			}
			if len(f.starts)+len(f.events)+len(f.commands)+len(f.purged)+len(f.reports)+len(f.purges)+len(f.restarts)+len(f.resets)+len(f.queries)+f.gets > 0 {
				t.Errorf("it reached the client: %+v", f)
			}
			refused := strings.Count(log.String(), `"level":"WARN"`)
			log.Reset()
			if w := send(h, c.method, c.path, c.body, c.needs); w.Code != c.status {
				t.Errorf("one who may is answered %d %s, want %d", w.Code, w.Body, c.status)
			}
			var line struct {
				Msg, Action, Caller string
				Status              int
			}
			_ = json.Unmarshal(log.Bytes(), &line)
			if refused != 2 || line.Action != c.action || c.action != "" && (line.Msg != "audit" || line.Status != c.status || line.Caller != "key of "+c.needs) {
				t.Errorf("%d refusals, and then the audit line %s", refused, log)
			}
		})
	}
}

func TestStrangersDoNotLearnWhatThereIs(t *testing.T) {
	t.Parallel()
	h, _, _ := guarded(t)
	var first string
	for _, path := range []string{"/instances/x", "/instances/none", "/instances/@no", "/nothing", "", "/orchestrators"} {
		w := send(h, "GET", api.Base+path, "", "")
		if first == "" {
			first = w.Body.String()
		}
		if w.Code != http.StatusUnauthorized || w.Body.String() != first {
			t.Errorf("%q is answered %d %s", path, w.Code, w.Body)
		}
	}
	if w := send(h, "GET", api.Base+"/nothing", "", "read"); w.Code != http.StatusNotFound || w.Body.Len() > 0 {
		t.Errorf("an unknown route is answered %d %s", w.Code, w.Body)
	}
}

func TestAuditLinesSayWhoWhatAndWhich(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/instances/x/terminate?reason=a+secret&code=my-key", "", `"action":"terminate","caller":"key of all","status":202,"address":"192.0.2.1:1234","instance":"x"}`},
		{"POST", "/instances/none/suspend", "", `"action":"suspend","caller":"key of all","status":404,"address":"192.0.2.1:1234","instance":"none"}`},
		{"POST", "/orchestrators/Hello?code=my-key", `"a secret"`, `"action":"start","caller":"key of all","status":202,"address":"192.0.2.1:1234","instance":"made-up","name":"Hello"}`},
		{"POST", "/instances/x/raiseEvent/Go", `"a secret"`, `"action":"raise event","caller":"key of all","status":202,"address":"192.0.2.1:1234","instance":"x","name":"Go"}`},
		{"DELETE", "/instances/over", "", `"action":"purge","caller":"key of all","status":200,"address":"192.0.2.1:1234","instance":"over","purged":1}`},
		{"POST", "/instances/x%0Ay/terminate", "", `"instance":"x\ny"}`},
	} {
		h, log, _ := guarded(t)
		send(h, c.method, api.Base+c.path, c.body, "all")
		if line := log.String(); strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, c.want+"\n") || strings.Contains(line, "secret") || strings.Contains(line, "my-key") {
			t.Errorf("%s %s is audited as\n%s, want\n%s", c.method, c.path, line, c.want)
		}
	}
}

func TestWhoeverCannotBeRecognizedForNowIsToComeAgain(t *testing.T) {
	t.Parallel()
	log := new(bytes.Buffer)
	a, err := api.New(api.Config{Client: newFake(), Hub: "TestHub", Callers: broken{}, Audit: slog.New(slog.NewJSONHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	w := send(a, "GET", api.Base+"/instances", "", "all")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "parameter") || !strings.Contains(log.String(), "parameter") {
		t.Errorf("it is answered %d %s, and the log has %s", w.Code, w.Body, log)
	}
}

type broken struct{}

func (broken) Caller(*http.Request) (access.Caller, error) {
	return access.Caller{}, errors.New("the parameter is gone")
}

func TestWithoutCallersWhoeverStandsBeforeHasDecided(t *testing.T) {
	t.Parallel()
	log := new(bytes.Buffer)
	f := newFake(durable.Instance{ID: "x", Status: durable.Running})
	a, err := api.New(api.Config{Client: f, Hub: "TestHub", Audit: slog.New(slog.NewJSONHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", api.Base+"/instances/x/terminate", nil)
	r = r.WithContext(access.With(r.Context(), access.Caller{Name: "arn:aws:iam::1:user/ada"}))
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if w.Code != 202 || !strings.Contains(log.String(), `"caller":"arn:aws:iam::1:user/ada"`) {
		t.Errorf("it is answered %d, and audited as %s", w.Code, log)
	}
}

func TestPagesOfOtherOriginsNeedToBeNamed(t *testing.T) {
	t.Parallel()
	const site = "https://shop.example.com"
	serve := func(origins []string, edit func(*http.Request)) http.Header {
		a, err := api.New(api.Config{Client: newFake(), Hub: "TestHub", Origins: origins, Callers: named{}})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("OPTIONS", api.Base+"/instances", nil)
		r.Header.Set("Origin", site)
		r.Header.Set("Access-Control-Request-Method", "GET")
		edit(r)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w.Header()
	}
	same := func(*http.Request) {}
	for name, c := range map[string]struct {
		origins        []string
		edit           func(*http.Request)
		allow, methods string
	}{
		"by default":     {nil, same, "", ""},
		"another one is": {[]string{"https://other.example.com"}, same, "", ""},
		"a part of it":   {[]string{"https://shop.example.co"}, same, "", ""},
		"it is":          {[]string{"https://other.example.com", site}, same, site, "GET, POST, DELETE"},
		"no preflight":   {[]string{site}, func(r *http.Request) { r.Method = "GET" }, site, ""},
		"no origin":      {[]string{site}, func(r *http.Request) { r.Header.Del("Origin") }, "", ""},
	} {
		h := serve(c.origins, c.edit)
		if h.Get("Access-Control-Allow-Origin") != c.allow || h.Get("Access-Control-Allow-Methods") != c.methods || (h.Get("Vary") == "Origin") != (c.origins != nil) {
			t.Errorf("%s: %v", name, h)
		}
		if h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: browsers are to send what they know of the user", name)
		}
	}
	for _, origin := range []string{"*", "shop.example.com", "https://shop.example.com/", "ftp://x", "null", "https://"} {
		if _, err := api.New(api.Config{Client: newFake(), Hub: "TestHub", Origins: []string{origin}}); err == nil {
			t.Errorf("%q is taken for an origin", origin)
		}
	}
}

// TestWaitingShowsWhatOnlyReadersMaySee: the answer to a request that waits has the output, or the input and the history.
func TestWaitingShowsWhatOnlyReadersMaySee(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/instances/over/restart?timeout=1&showHistory=true", "/orchestrators/Hello?timeout=1", "/orchestrators/Hello/new?TimeOut=1"} {
		h, log, f := guarded(t)
		if w := send(h, "POST", api.Base+path, "", "operate"); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "read,operate") {
			t.Errorf("%s: one who may not read is answered %d %s", path, w.Code, w.Body)
		}
		if len(f.starts)+len(f.restarts) > 0 || !strings.Contains(log.String(), `"status":403`) {
			t.Errorf("%s: it was done, or not audited: %s", path, log)
		}
		f.put(durable.Instance{ID: "made-up", Status: durable.Completed})
		if w := send(h, "POST", api.Base+strings.Replace(path, "imeout=1", "imeout=0", 1), "", "operate,read"); w.Code == http.StatusForbidden {
			t.Errorf("%s: one who may is answered %d %s", path, w.Code, w.Body)
		}
	}
	h, _, _ := guarded(t)
	if w := send(h, "POST", api.Base+"/orchestrators/Hello?timeout=soon", "", "operate"); w.Code != http.StatusAccepted {
		t.Errorf("a timeout that is none is answered %d", w.Code)
	}
}

// TestPagesOfOtherSitesCannotUseThePasswordThatABrowserKeeps: it sends it with every form that any page has it send here.
func TestPagesOfOtherSitesCannotUseThePasswordThatABrowserKeeps(t *testing.T) {
	t.Parallel()
	f := newFake(durable.Instance{ID: "x", Name: "Hello", Status: durable.Running})
	log := new(bytes.Buffer)
	a, err := api.New(api.Config{Client: f, Hub: "TestHub", Callers: named{}, Origins: []string{"https://shop.example.com"}, Audit: slog.New(slog.NewJSONHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	h := a.With(a.Guard(access.All, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })))
	for name, c := range map[string]struct {
		headers map[string]string
		path    string
		status  int
	}{
		"another site's form":                {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, api.Base + "/instances/x/terminate", 403},
		"another site's, to another route":   {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, "/orders", 403},
		"a neighbour's":                      {map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://blog.example.com"}, api.Base + "/instances/x/terminate", 403},
		"an old browser":                     {map[string]string{"Origin": "https://evil.example"}, api.Base + "/instances/x/terminate", 403},
		"a page without an origin":           {map[string]string{"Origin": "null"}, api.Base + "/instances/x/terminate", 403},
		"this site's own":                    {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "https://example.com"}, api.Base + "/instances/x/terminate", 202},
		"one that is named":                  {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://shop.example.com"}, api.Base + "/instances/x/terminate", 202},
		"no browser":                         {nil, api.Base + "/instances/x/terminate", 202},
		"another site's with a key it has":   {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example", "Authorization": ""}, api.Base + "/instances/x/terminate", 202},
		"another site's, and a wrong scheme": {map[string]string{"Sec-Fetch-Site": "cross-site", "Authorization": "basic YTpi"}, api.Base + "/instances/x/terminate", 403},
	} {
		r := httptest.NewRequest("POST", "https://example.com"+c.path, nil)
		r.Header.Set("Who", "all")
		r.SetBasicAuth("", "key")
		for k, v := range c.headers {
			r.Header.Set(k, v)
		}
		f.commands = nil
		log.Reset()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || (len(f.commands) > 0) != (c.status == 202) || !strings.Contains(log.String(), `"audit"`) {
			t.Errorf("%s: it is answered %d %s, and did %v", name, w.Code, w.Body, f.commands)
		}
	}
}

// half purges the first instance that it is asked for, and then does not work.
type half struct {
	*fake
	purges int
}

func (h *half) Purge(ctx context.Context, id string) error {
	if h.purges++; h.purges > 1 {
		return errors.New("throttled")
	}
	return h.fake.Purge(ctx, id)
}

func TestAuditLinesSayWhatWasDoneBeforeAnError(t *testing.T) {
	t.Parallel()
	h, log, _ := guarded(t)
	if w := send(h, "POST", api.Base+"/orchestrators/Hello/x", "1", "all"); w.Code != 409 || !strings.Contains(log.String(), `"instance":"x","name":"Hello"`) {
		t.Errorf("a start that is refused is answered %d, and audited as %s", w.Code, log)
	}
	f := newFake(durable.Instance{ID: "top", Status: durable.Completed}, durable.Instance{ID: "child", Parent: "top", Status: durable.Completed})
	f.history["top"] = []durable.HistoryEvent{{Event: history.Event{Kind: history.SubOrchestrationCreated, Target: &history.Target{Instance: "child"}}}}
	log.Reset()
	a, err := api.New(api.Config{Client: &half{fake: f}, Hub: "TestHub", Audit: slog.New(slog.NewJSONHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if w := send(a, "DELETE", api.Base+"/instances/top?recursive=true", "", ""); w.Code != 500 || !strings.Contains(log.String(), `"instance":"top","purged":1`) {
		t.Errorf("a purge that breaks off is answered %d, and audited as %s", w.Code, log)
	}
}
