package awslambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/links"
)

// TestAPanicOverOneMessageHoldsUpNoOther: it must not end the process, or what is behind it in every batch becomes a dead letter with it.
func TestAPanicOverOneMessageHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	var handled []string
	s, h := newTestStarter(t, Routes{Message: func(_ context.Context, m Message) error {
		if m.Body == "poison" {
			var nothing map[string]int
			nothing[m.Body]++
		}
		handled = append(handled, m.ID)
		return nil
	}})
	answer, err := s.handle(t.Context(), startMessages(t, Message{ID: "m1", Body: "1"}, Message{ID: "m2", Body: "poison"}, Message{ID: "m3", Body: "3"}))
	if err != nil || fmt.Sprint(answer) != "{[{m2}]}" || fmt.Sprint(handled) != "[m1 m3]" {
		t.Errorf("it answers %v, %v, and has handled %v", answer, err, handled)
	}
	if log := h.log.String(); !strings.Contains(log, "m2") || !strings.Contains(log, "nil map") || !strings.Contains(log, "poison_test.go") {
		t.Errorf("the log does not say where it panicked: %s", log)
	}
}

// TestAPanicLeavesNoLinkInTheLog: what a path has in it may be all that somebody needs.
func TestAPanicLeavesNoLinkInTheLog(t *testing.T) {
	t.Parallel()
	s, h := newTestStarter(t, Routes{HTTP: func(mux *http.ServeMux, _ *api.API) {
		mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { panic("on fire") })
	}})
	token := strings.Repeat("c2VjcmV0", 30)
	if status, _ := s.request(t, "GET", links.Path+token, ""); status != 500 {
		t.Fatalf("it is answered %d", status)
	}
	if log := h.log.String(); strings.Contains(log, token[:100]) || !strings.Contains(log, links.Path) || !strings.Contains(log, "on fire") {
		t.Errorf("the log has %s", log)
	}
}

// TestWhyATickIsRejected: the reason is all that whoever made the rule has.
func TestWhyATickIsRejected(t *testing.T) {
	t.Parallel()
	for detail, want := range map[string]string{`{}`: "names no orchestration", `{"orchestration":"Hello","inputs":1}`: `unknown field "inputs"`, `7`: "cannot unmarshal number"} {
		err := Starts{}.Tick(t.Context(), Tick{Rule: "nightly", Time: time.Now(), Detail: json.RawMessage(detail)})
		if !isRejected(err) || !strings.Contains(fmt.Sprint(err), want) || strings.Contains(fmt.Sprint(err), "%!") {
			t.Errorf("%s: %v", detail, err)
		}
	}
}

// TestLinksHoldWhileTheirKeysCannotBeRead: anybody may ask for a link, and must not have SSM asked each time; it gives an account few answers.
func TestLinksHoldWhileTheirKeysCannotBeRead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 4, 5, 0, 0, time.UTC)
	f := &ssmFake{values: map[string]string{"url": "https://example.com/v1"}}
	p := &parameters{read: f.GetParameter, write: f.PutParameter, keys: "keys", address: "url", now: func() time.Time { return now }}
	first, err := p.ring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.fails = errors.New("throttled")
	now = now.Add(remembered)
	before := f.reads
	for range 100 {
		if ring, err := p.ring(t.Context()); err != nil || string(ring.Encode()) != string(first.Encode()) {
			t.Fatalf("it is %v, %v", ring, err)
		}
	}
	if f.reads != before+1 {
		t.Errorf("100 requests read it %d times", f.reads-before)
	}
	now = now.Add(stale)
	if _, err := p.ring(t.Context()); err == nil || !strings.Contains(err.Error(), "throttled") {
		t.Errorf("keys hold for ever when they cannot be read: %v", err)
	}
	strange := &parameters{read: f.GetParameter, write: f.PutParameter, keys: "keys", address: "url", now: func() time.Time { return now }}
	before = f.reads
	for range 100 {
		if _, err := strange.ring(t.Context()); err == nil || !strings.Contains(err.Error(), "throttled") {
			t.Fatalf("without keys it says %v", err)
		}
	}
	if f.reads != before+1 {
		t.Errorf("100 requests to a new process read it %d times", f.reads-before)
	}
	f.fails = nil
	now = now.Add(again)
	if _, err := strange.ring(t.Context()); err != nil {
		t.Errorf("SSM is well, and there are no keys: %v", err)
	}

	f.values["keys"] = "{}" // which is how somebody takes them all out
	now = now.Add(remembered)
	before = f.reads
	for range 100 {
		if _, err := strange.ring(t.Context()); err == nil || !strings.Contains(err.Error(), "current key") {
			t.Fatalf("keys hold that were taken out: %v", err)
		}
	}
	if f.reads != before+2 {
		t.Errorf("100 requests read what is no ring %d times", f.reads-before)
	}
}

// current is an orchestration of which a version is the current one.
type current struct {
	api.Definition
	version uint32
}

func (c current) CurrentVersion() uint32 { return c.version }

// TestAMessageThatComesAgainAfterADeployment has started its instance already, under the version that was the current one then.
func TestAMessageThatComesAgainAfterADeployment(t *testing.T) {
	t.Parallel()
	h := newTestHub(t)
	start := func(version uint32, m Message) error {
		return Starts{Client: h.Client, Definitions: []api.Definition{current{hello, version}}}.Message(t.Context(), m)
	}
	m := Message{ID: "m1", Body: `"Ada"`}
	for _, version := range []uint32{1, 2, 1} {
		if err := start(version, m); err != nil {
			t.Errorf("where %d is the current version: %v", version, err)
		}
	}
	if in, err := h.Client.Get(t.Context(), "m1"); err != nil || in.Version != 1 {
		t.Errorf("it is %+v, %v", in, err)
	}
	m.Attributes = map[string]string{AttributeVersion: "2"}
	if err := start(1, m); !isRejected(err) {
		t.Errorf("another version that is asked for: %v", err)
	}
	if err := start(2, Message{ID: "m1", Body: `"Grace"`}); !isRejected(err) {
		t.Errorf("another input: %v", err)
	}
}
