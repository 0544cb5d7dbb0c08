package awslambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/backend"
)

func newTestStarter(t *testing.T, r Routes) (*starter, *testHub) {
	t.Helper()
	h := newTestHub(t)
	s, err := newStarter(h.hub, r, "orders", "")
	if err != nil {
		t.Fatal(err)
	}
	return s, h
}

// messages are deliveries with these bodies, each in the group that is its first letter.
func messages(bodies ...string) (batch []backend.Delivery) {
	for _, b := range bodies {
		batch = append(batch, backend.Delivery{Message: backend.Message{Body: []byte(b), Group: b[:1]}})
	}
	return batch
}

func TestMessagesOfTheApplication(t *testing.T) {
	t.Parallel()
	for queue, want := range map[string]struct{ handled, failed []string }{
		"orders":      {handled: []string{"a1", "a2 bad", "b1", "a3"}, failed: []string{"1"}},
		"orders.fifo": {handled: []string{"a1", "a2 bad", "b1"}, failed: []string{"1", "3"}},
	} {
		t.Run(queue, func(t *testing.T) {
			t.Parallel()
			var handled []string
			s, _ := newTestStarter(t, Routes{Message: func(_ context.Context, m Message) error {
				handled = append(handled, m.Body)
				if strings.HasSuffix(m.Body, "bad") {
					return errors.New("no order")
				}
				return nil
			}})
			event := eventOf(queue, messages("a1", "a2 bad", "b1", "a3"))
			// Other than those of the hub's own queues, such bodies are plain text.
			event = json.RawMessage(strings.NewReplacer(`"body":"YTE="`, `"body":"a1"`, `"body":"YTIgYmFk"`, `"body":"a2 bad"`,
				`"body":"YjE="`, `"body":"b1"`, `"body":"YTM="`, `"body":"a3"`).Replace(string(event)))
			answer, err := s.handle(t.Context(), event)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.failed, failuresOf(t, answer)); diff != "" {
				t.Errorf("the failures differ (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.handled, handled); diff != "" {
				t.Errorf("what was handled differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTicksOfASchedule(t *testing.T) {
	t.Parallel()
	var got []Tick
	s, _ := newTestStarter(t, Routes{Schedule: func(_ context.Context, tick Tick) error {
		if got = append(got, tick); len(got) > 1 {
			return errors.New("no")
		}
		return nil
	}})
	at := time.Date(2026, 3, 1, 4, 5, 0, 0, time.UTC)
	if _, err := s.handle(t.Context(), tickOf("nightly", at)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.handle(t.Context(), tickOf("nightly", at)); err == nil {
		t.Error("Lambda is not told that a tick failed, and does not deliver it again")
	}
	if diff := cmp.Diff([]Tick{{"nightly", at, json.RawMessage("{}")}, {"nightly", at, json.RawMessage("{}")}}, got); diff != "" {
		t.Errorf("the ticks differ (-want +got):\n%s", diff)
	}
	if id := got[0].ID(); id != "nightly-20260301T040500Z" {
		t.Errorf("the tick's id is %s", id)
	}
	long := Tick{Rule: strings.Repeat("x", 60) + "7HQK", Time: at}
	if id := long.ID(); len(id) > 64 || !strings.HasSuffix(id, "7HQK-20260301T040500Z") {
		t.Errorf("of a long rule the tick's id is %s", id)
	}
	for _, event := range []string{`{"source":"aws.events"}`, `{"source":"aws.events","time":"2026-03-01T04:05:00Z"}`, `{"source":"aws.events","resources":["x"]}`} {
		if _, err := s.handle(t.Context(), json.RawMessage(event)); err == nil {
			t.Errorf("%s was accepted", event)
		}
	}
}

func TestTriggersWithoutARouteAreErrors(t *testing.T) {
	t.Parallel()
	s, _ := newTestStarter(t, Routes{})
	for _, event := range []json.RawMessage{eventOf("orders", messages("a")), tickOf("nightly", time.Now()), json.RawMessage(`{}`), json.RawMessage(`8`)} {
		if _, err := s.handle(t.Context(), event); err == nil {
			t.Errorf("%s was accepted", event)
		}
	}
}

func TestTheStarterServesTheAPIAndTheApplication(t *testing.T) {
	t.Parallel()
	s, _ := newTestStarter(t, Routes{
		Definitions: []api.Definition{hello},
		HTTP: func(mux *http.ServeMux, a *api.API) {
			mux.HandleFunc("POST /hello", func(w http.ResponseWriter, r *http.Request) { a.Accepted(w, r, "hello-1") })
		},
	})
	const base = "https://api.example.com/v1" + api.Base
	for _, c := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"POST", "/hello", 202, base + "/instances/hello-1?taskHub=orders"},
		{"POST", api.Base + "/orchestrators/Hello/one", 202, base + "/instances/one?taskHub=orders"},
		{"POST", api.Base + "/orchestrators/Nobody", 400, "Nobody"},
		{"GET", api.Base + "/instances/one", 202, `"runtimeStatus":"Pending"`},
		{"GET", "/nothing", 404, ""},
	} {
		status, body := s.request(t, c.method, c.path, "")
		if status != c.status || !strings.Contains(body, c.says) || strings.Contains(body, "evil") {
			t.Errorf("%s %s: got %d %s, want %d and %q", c.method, c.path, status, body, c.status, c.says)
		}
	}
	s, err := newStarter(s.hub, Routes{}, "orders", "https://shop.example.com/live")
	if err != nil {
		t.Fatal(err)
	}
	if _, body := s.request(t, "POST", api.Base+"/orchestrators/Hello", ""); !strings.Contains(body, "https://shop.example.com/live"+api.Base) {
		t.Errorf("with a public URL the links are %s", body)
	}
}

func TestWhoMayUseTheStarter(t *testing.T) {
	h := newTestHub(t)
	log := new(bytes.Buffer)
	h.Log = slog.New(slog.NewJSONHandler(log, nil))
	open := func(mode, origins string) *starter {
		t.Setenv(EnvAccess, mode)
		t.Setenv(EnvOrigins, origins)
		s, err := newStarter(h.hub, Routes{HTTP: func(mux *http.ServeMux, a *api.API) {
			mux.HandleFunc("/hello", func(http.ResponseWriter, *http.Request) {})
		}}, "orders", "")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	start := api.Base + "/orchestrators/Hello"
	s := open("", "")
	if status, _ := s.request(t, "POST", start+"/one", ""); status != 202 || !strings.Contains(log.String(), `"action":"start","caller":"arn:aws:iam::1:user/ada","status":202,"address":"192.0.2.1","instance":"one"`) {
		t.Errorf("where the gateway decides it is %d, audited as %s", status, log)
	}
	s = open("keys", "https://shop.example.com")
	for _, path := range []string{start, api.Base + "/nothing", "/hello"} {
		if status, _ := s.request(t, "POST", path, ""); status != 401 {
			t.Errorf("without a key %s is answered %d", path, status)
		}
	}
	text, key, err := access.NewKey("shop", access.Operate, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := (access.Stored{Table: h.Table}).Edit(t.Context(), func(f *access.File) error { return f.Add(key) }); err != nil {
		t.Fatal(err)
	}
	s, log2 := open("keys", ""), len(log.String())
	for _, c := range []struct {
		method, path string
		status       int
	}{{"POST", start, 202}, {"POST", "/hello", 200}, {"GET", "/hello", 403}, {"GET", api.Base + "/instances", 403}, {"DELETE", api.Base + "/instances/x", 403}} {
		if status, body := s.request(t, c.method, c.path, "code="+text); status != c.status {
			t.Errorf("with a key %s %s is answered %d %s", c.method, c.path, status, body)
		}
	}
	if lines := log.String()[log2:]; !strings.Contains(lines, `"caller":"shop"`) || strings.Contains(lines, text) {
		t.Errorf("the log has the key, or not its name: %s", lines)
	}
	t.Setenv(EnvAccess, "kyes")
	if _, err := newStarter(h.hub, Routes{}, "orders", ""); err == nil || !strings.Contains(err.Error(), EnvAccess) {
		t.Errorf("a mode that is none: %v", err)
	}
}

func TestARequestDoesNotWaitForLongerThanAPIGateway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStarter(t, Routes{})
		begin := time.Now()
		if status, body := s.request(t, "POST", api.Base+"/orchestrators/Hello", "timeout=3600"); status != http.StatusAccepted {
			t.Errorf("got %d %s", status, body)
		}
		if took := time.Since(begin); took < maxWait || took > maxWait+time.Second {
			t.Errorf("it waited for %v", took)
		}
	})
}

func TestAHubsNameMustNotOccurInLinks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"api", "v1", "amazonaws", "durabletask"} {
		if _, err := newStarter(newTestHub(t).hub, Routes{}, name, ""); err == nil {
			t.Errorf("the name %s was accepted", name)
		}
	}
}

// request sends a request through API Gateway.
func (s *starter) request(t *testing.T, method, path, query string) (status int, body string) {
	t.Helper()
	parameters, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	event, err := json.Marshal(map[string]any{
		"resource": "/{proxy+}", "path": path, "httpMethod": method, "headers": map[string]string{"Host": "evil.example"}, "body": `"Ada"`,
		"multiValueQueryStringParameters": parameters,
		"requestContext": map[string]any{"resourceId": "x", "stage": "v1", "path": "/v1" + path, "httpMethod": method, "domainName": "api.example.com",
			"apiId": "a1b2", "requestId": "r", "identity": map[string]string{"sourceIp": "192.0.2.1", "userArn": "arn:aws:iam::1:user/ada"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.handle(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		StatusCode int
		Body       string
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Body
}

func TestTheStarterNeedsAHub(t *testing.T) {
	t.Parallel()
	if _, err := newStarter(newTestHub(t).hub, Routes{}, "", ""); err == nil || !strings.Contains(err.Error(), EnvHub) {
		t.Errorf("got error %v, want one that names %s", err, EnvHub)
	}
}
