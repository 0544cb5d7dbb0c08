//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every request costs LocalStack some of the few calls a second that it can do, so the pauses between questions grow.
const (
	firstPause   = time.Second
	longestPause = 5 * time.Second
	patience     = 5 * time.Minute
)

// eventually asks until it is so: what happens in the deployment has no other signal to the outside.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for pause := firstPause; time.Now().Before(deadline); pause = min(pause*3/2, longestPause) {
		if done() {
			return
		}
		select {
		case <-time.After(pause):
		case <-t.Context().Done():
			t.Fatalf("the test ended before it came true that %s", what)
		}
	}
	t.Fatalf("after %v it has not come true that %s", patience, what)
}

var client = &http.Client{Timeout: 35 * time.Second}

// request sends a request to the API. The URL is a link of an answer, or a path below the API's URL.
func request(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	if !strings.HasPrefix(url, "http") {
		url = hub.api + url
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(reply)
}

// fetch reads one of LocalStack's own pages. What it is asked for decides in which form it answers.
func fetch(t *testing.T, path string) []byte {
	t.Helper()
	resp, err := client.Get(hub.endpoint + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s was answered with %s, %v: %s", path, resp.Status, err, page)
	}
	return page
}

const management = "/runtime/webhooks/durabletask"

// instance is one that a test has started, or knows of.
type instance struct {
	t  *testing.T
	id string
	// The links of the answer to the start.
	StatusQueryGetURI, SendEventPostURI string
}

// begin starts an instance by a request, and has the log say what became of it if the test fails.
func begin(t *testing.T, id, path, body string) *instance {
	t.Helper()
	code, reply := request(t, "POST", path, body)
	if code != http.StatusAccepted {
		t.Fatalf("the start of %s was answered with %d %s", id, code, reply)
	}
	in := known(t, id)
	if err := json.Unmarshal([]byte(reply), in); err != nil {
		t.Fatalf("the answer to the start: %v: %s", err, reply)
	}
	if !strings.HasPrefix(in.StatusQueryGetURI, hub.api) || !strings.Contains(in.StatusQueryGetURI, id) {
		t.Fatalf("the link to the status of %s is %s; it does not begin with the API's URL %s", id, in.StatusQueryGetURI, hub.api)
	}
	return in
}

// known is an instance that somebody else has started.
func known(t *testing.T, id string) *instance {
	in := &instance{t: t, id: id, StatusQueryGetURI: hub.api + management + "/instances/" + id + "?taskHub=" + stack}
	begun := time.Now()
	t.Cleanup(func() {
		if t.Failed() {
			in.explain(begun)
		}
	})
	return in
}

// start starts an orchestration through the management API, under an id made of the test's own word.
func start(t *testing.T, orchestration, word, input string) *instance {
	t.Helper()
	id := run + "-" + word
	return begin(t, id, management+"/orchestrators/"+orchestration+"/"+id, input)
}

// status is an instance as the API shows it.
type status struct {
	RuntimeStatus string
	CustomStatus  struct{ Step, Detail string }
	Output        json.RawMessage
	// FailureDetails is there when it has failed.
	FailureDetails *struct{ ErrorType, ErrorMessage string }
	HistoryEvents  []event
}

type event struct {
	EventType, FunctionName  string
	Timestamp, ScheduledTime time.Time
	FireAt                   time.Time
	Reason                   string
}

func (s status) ended() bool {
	return s.RuntimeStatus == "Completed" || s.RuntimeStatus == "Failed" || s.RuntimeStatus == "Terminated"
}

// completed returns the outcomes of an activity.
func (s status) completed(function string) (events []event) {
	for _, e := range s.HistoryEvents {
		if e.EventType == "TaskCompleted" && e.FunctionName == function {
			events = append(events, e)
		}
	}
	return events
}

// get reads the instance; options are added to the link. The status is empty when the instance is not there yet.
func (in *instance) get(options string) (s status) {
	in.t.Helper()
	code, reply := request(in.t, "GET", in.StatusQueryGetURI+options, "")
	if code >= 500 {
		in.t.Logf("the status of %s was answered with %d %s", in.id, code, reply)
		return s
	}
	if err := json.Unmarshal([]byte(reply), &s); err != nil {
		in.t.Fatalf("the status of %s: %v: %s", in.id, err, reply)
	}
	return s
}

// history reads the instance with its history.
func (in *instance) history() status {
	in.t.Helper()
	return in.get("&showHistory=true")
}

// until waits until the instance is so.
func (in *instance) until(what string, so func(status) bool) {
	in.t.Helper()
	eventually(in.t, in.id+" "+what, func() bool { return so(in.get("")) })
}

// end waits for the end of the instance, wants it to be the one given, and returns it with the history.
func (in *instance) end(want string) status {
	in.t.Helper()
	in.until("has ended", status.ended)
	s := in.history()
	if s.RuntimeStatus != want {
		in.t.Fatalf("%s is %s, %s; want %s", in.id, s.RuntimeStatus, s.Output, want)
	}
	return s
}

// explain logs the history of the instance and what the functions said meanwhile.
func (in *instance) explain(since time.Time) {
	resp, err := client.Get(in.StatusQueryGetURI + "&showHistory=true&showHistoryOutput=true")
	if err != nil {
		in.t.Logf("what became of %s cannot be read: %v", in.id, err)
		return
	}
	defer resp.Body.Close()
	var shown map[string]json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&shown); err != nil {
		in.t.Logf("what became of %s cannot be read: %s, %v", in.id, resp.Status, err)
		return
	}
	var events []json.RawMessage
	_ = json.Unmarshal(shown["historyEvents"], &events) // there are none in an answer that is a problem
	delete(shown, "historyEvents")
	var b strings.Builder
	for _, member := range slices.Sorted(maps.Keys(shown)) {
		fmt.Fprintf(&b, "  %s: %s\n", member, shown[member])
	}
	for _, e := range events {
		fmt.Fprintf(&b, "    %s\n", e)
	}
	in.t.Logf("%s: %s\n%s", in.id, resp.Status, &b)
	in.t.Logf("the functions' logs meanwhile:\n%s", relevant(since, in.id))
}

// order is the JSON of an order under an id that is unique to this run. Changes are pairs of what to replace and by what.
func order(word string, change ...string) string {
	o := fmt.Sprintf(`{"id":"%s-%s","customer":{"name":"Ada","email":"ada@example.com"},"currency":"EUR",`+
		`"items":[{"sku":"BOOK-1","quantity":2,"unitPrice":1250}],`+
		`"shipTo":{"street":"1 Main St","city":"Berlin","postcode":"10115","country":"DE"},"payment":{"token":"tok_visa"}}`, run, word)
	return strings.NewReplacer(change...).Replace(o)
}

// place sends an order to the API.
func place(t *testing.T, word string, change ...string) *instance {
	t.Helper()
	return begin(t, "order-"+run+"-"+word, "/orders", order(word, change...))
}

// decide raises the event Approval.
func (in *instance) decide(decision string) {
	in.t.Helper()
	code, reply := request(in.t, "POST", strings.Replace(in.SendEventPostURI, "{eventName}", "Approval", 1), decision)
	if code != http.StatusAccepted {
		in.t.Fatalf("the decision on %s was answered with %d %s", in.id, code, reply)
	}
}

// wants checks how an order has ended.
func (in *instance) wants(s status, runtimeStatus, step, detail string) {
	in.t.Helper()
	if s.RuntimeStatus != runtimeStatus || s.CustomStatus.Step != step || !strings.Contains(s.CustomStatus.Detail, detail) {
		in.t.Errorf("%s is %s, %q, %q; want %s, %q and a word of %q", in.id, s.RuntimeStatus, s.CustomStatus.Step, s.CustomStatus.Detail,
			runtimeStatus, step, detail)
	}
}

func atStep(step string) func(status) bool {
	return func(s status) bool { return s.CustomStatus.Step == step }
}
