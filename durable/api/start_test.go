package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/google/go-cmp/cmp"
)

const start = "/runtime/webhooks/durabletask/orchestrators/"

// order is a definition that takes objects only.
type order struct{}

func (order) Name() string { return "ProcessOrder" }

func (order) CheckInput(input json.RawMessage) (json.RawMessage, error) {
	if len(input) == 0 || input[0] == '{' {
		return input, nil
	}
	return nil, errors.New("the input is no Order")
}

func TestStart(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, target, body string
		headers            []string
		want               durable.StartRequest
	}{
		{rule: "the body is the input, as received", target: "Hello/x", body: " {\"n\": 1.0, \"big\": 12345678901234567890}\n",
			want: durable.StartRequest{Name: "Hello", ID: "x", Input: json.RawMessage(`{"n": 1.0, "big": 12345678901234567890}`)}},
		{rule: "a string stays a string", target: "Hello/x", body: `"{\"n\":1}"`,
			want: durable.StartRequest{Name: "Hello", ID: "x", Input: json.RawMessage(`"{\"n\":1}"`)}},
		{rule: "an empty body is null", target: "Hello/x", want: durable.StartRequest{Name: "Hello", ID: "x"}},
		{rule: "a blank body is null", target: "Hello/x", body: " \r\n", want: durable.StartRequest{Name: "Hello", ID: "x"}},
		{rule: "a byte-order mark is none of the input", target: "Hello/x", body: "\uFEFF1",
			want: durable.StartRequest{Name: "Hello", ID: "x", Input: json.RawMessage("1")}},
		{rule: "any content type will do", target: "Hello/x", body: "1", headers: []string{"Content-Type", "text/plain"},
			want: durable.StartRequest{Name: "Hello", ID: "x", Input: json.RawMessage("1")}},
		{rule: "the id may be missing", target: "Hello", want: durable.StartRequest{Name: "Hello"}},
		{rule: "a slash after the name is no id", target: "Hello/", want: durable.StartRequest{Name: "Hello"}},
		{rule: "version", target: "Hello?version=2", want: durable.StartRequest{Name: "Hello", Version: 2}},
		{rule: "a version that is none is ignored", target: "Hello?version=two", want: durable.StartRequest{Name: "Hello"}},
		{rule: "trace context", target: "Hello",
			headers: []string{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate", "a=1", "tracestate", "b=2"},
			want:    durable.StartRequest{Name: "Hello", TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", TraceState: "a=1,b=2"}},
		{rule: "a trace parent that is none is ignored", target: "Hello", headers: []string{"traceparent", "x", "tracestate", "a=1"},
			want: durable.StartRequest{Name: "Hello"}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			w := serve(t, f, "POST", start+tc.target, tc.body, tc.headers...)
			if w.Code != http.StatusAccepted {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if diff := cmp.Diff([]durable.StartRequest{tc.want}, f.starts); diff != "" {
				t.Errorf("started (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, target, body string
		status             int
		message            string
	}{
		{"invalid JSON", "ProcessOrder/x", "{", 400, "not valid JSON"},
		{"two values", "ProcessOrder/x", "{} {}", 400, "not valid JSON"},
		{"what is not UTF-8", "ProcessOrder/x", "{\"a\":\"\xff\"}", 400, "not valid JSON"},
		{"an unknown orchestration", "processorder/x", "{}", 400, `no orchestration \"processorder\"`},
		{"an unknown orchestration: each that there is once", "nobody/x", "{}", 400, `The orchestrations are \"ProcessOrder\"."`},
		{"an input that the type refuses", "ProcessOrder/x", "[1]", 400, "the input is no Order"},
		{"an id with a slash", "ProcessOrder/a%2Fb", "{}", 400, "instance id"},
		{"an id with a question mark", "ProcessOrder/a%3Fb", "{}", 400, "instance id"},
		{"an id of an entity", "ProcessOrder/@a@b", "{}", 400, "instance id"},
		{"an id that is too long", "ProcessOrder/" + strings.Repeat("x", 257), "{}", 400, "instance id"},
		{"an id that is not UTF-8", "ProcessOrder/%FF", "{}", 400, "instance id"},
		{"a live instance", "ProcessOrder/live", "{}", 409, "exists"},
		{"a body over 4 MiB", "ProcessOrder/x", `{"a":"` + strings.Repeat("x", 4<<20) + `"}`, 413, "4 MiB"},
		{"an interval longer than the timeout", "ProcessOrder/x?timeout=1&pollingInterval=2", "{}", 400, "longer than the timeout"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := newFake(durable.Instance{ID: "live", Status: durable.Suspended})
			w := serveWith(t, api.Config{Client: f, Hub: "Orders", Definitions: []api.Definition{order{}, order{}}}, "POST", start+tc.target, tc.body)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.message) {
				t.Errorf("status %d, want %d with %q: %s", w.Code, tc.status, tc.message, w.Body)
			}
			if _, started := f.instances["x"]; started {
				t.Error("an instance was started all the same")
			}
		})
	}
}

func TestStartOverAnEndedInstance(t *testing.T) {
	t.Parallel()
	f := newFake(durable.Instance{ID: "x", Status: durable.Failed})
	if w := serve(t, f, "POST", start+"Hello/x", ""); w.Code != http.StatusAccepted {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestStartTakes4MiB(t *testing.T) {
	t.Parallel()
	f := newFake()
	body := `"` + strings.Repeat("x", 4<<20-2) + `"`
	if w := serve(t, f, "POST", start+"Hello/x", body); w.Code != http.StatusAccepted || len(f.starts[0].Input) != 4<<20 {
		t.Errorf("status %d, want 202 for a body of exactly 4 MiB", w.Code)
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	send := func(f *fake, target, key string) (int, string) {
		w := serve(t, f, "POST", start+target, "1", "Idempotency-Key", key)
		var links api.Links
		if err := json.Unmarshal(w.Body.Bytes(), &links); err != nil {
			t.Fatal(err)
		}
		return w.Code, links.ID
	}
	for _, target := range []string{"Hello", "Hello/x"} {
		for _, status := range []durable.Status{durable.Running, durable.Completed} {
			f := newFake()
			_, first := send(f, target, "k1")
			in := f.instances[first]
			in.Status = status
			f.put(in)
			if code, second := send(f, target, "k1"); code != http.StatusAccepted || second != first || len(f.instances) != 1 {
				t.Errorf("%s again, %s: status %d and instance %q, want 202 and %q", target, status, code, second, first)
			}
			if f.instances[first].Status != status {
				t.Errorf("%s again, %s: the instance was replaced", target, status)
			}
		}
	}
	f := newFake()
	_, first := send(f, "Hello", "k1")
	if _, second := send(f, "Hello", "k2"); second == first {
		t.Error("another key gives the same instance")
	}
	if _, second := send(f, "Goodbye", "k1"); second == first {
		t.Error("the same key gives the same instance to another orchestration")
	}
	send(f, "Hello/x", "k1")
	if code, _ := send(f, "Hello/x", "k2"); code != http.StatusConflict {
		t.Errorf("another key for a live id is %d, want 409", code)
	}
}

func TestStartOfTheCurrentVersion(t *testing.T) {
	t.Parallel()
	third := durable.NewOrchestration[int, int]("Third", durable.CurrentVersion(3))
	for query, want := range map[string]uint32{"": 3, "?version=": 3, "?version=two": 3, "?version=2": 2, "?version=0": 0} {
		f := newFake()
		w := serveWith(t, api.Config{Client: f, Hub: "Orders", Definitions: []api.Definition{third}}, "POST", start+"Third"+query, "1")
		if w.Code != http.StatusAccepted || len(f.starts) != 1 || f.starts[0].Version != want {
			t.Errorf("%s: status %d, started %+v, want version %d", query, w.Code, f.starts, want)
		}
	}
}
