package awslambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
)

// startMessages is an event of SQS with messages that have attributes.
func startMessages(t *testing.T, all ...Message) json.RawMessage {
	t.Helper()
	var records []map[string]any
	for _, m := range all {
		attributes := map[string]any{}
		for name, value := range m.Attributes {
			attributes[name] = map[string]string{"dataType": "String", "stringValue": value}
		}
		records = append(records, map[string]any{"messageId": m.ID, "body": m.Body, "messageAttributes": attributes, "receiptHandle": "r",
			"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:1:starts", "attributes": map[string]string{"ApproximateReceiveCount": "1"}})
	}
	b, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rejects is a starter for messages, and what it has put away.
func rejects(t *testing.T, fails error) (*starter, *[]string) {
	t.Helper()
	h := newTestHub(t)
	starts := Starts{Client: h.Client, Definitions: []api.Definition{hello}}
	s, err := newStarter(h.hub, Routes{Message: starts.Message, Schedule: starts.Tick}, "orders", "")
	if err != nil {
		t.Fatal(err)
	}
	var away []string
	s.reject = func(_ context.Context, m Message, why error) error {
		away = append(away, m.ID+": "+why.Error())
		return fails
	}
	return s, &away
}

func TestMessagesStartOrchestrations(t *testing.T) {
	t.Parallel()
	s, away := rejects(t, nil)
	at := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	event := startMessages(t,
		Message{ID: "m1", Body: `"Ada"`},
		Message{ID: "m2", Body: ` "Grace" `, Attributes: at("orchestration", "Hello", "id", "grace", "tags", `{"team":"navy"}`)},
		Message{ID: "m3", Body: `"Grace"`, Attributes: at("id", "grace")},
		Message{ID: "m4", Body: `"Somebody else"`, Attributes: at("id", "grace")},
		Message{ID: "m5", Body: `{`},
		Message{ID: "m6", Body: `7`},
		Message{ID: "m7", Attributes: at("orchestration", "Nobody")},
		Message{ID: "m8", Body: `"x"`, Attributes: at("id", "a/b")},
		Message{ID: "m9", Body: `"x"`, Attributes: at("tags", "navy")},
		Message{ID: "m10", Body: `"x"`, Attributes: at("version", "new")},
		Message{ID: "m11", Body: `"x"`, Attributes: at("version", "7")},
	)
	for range 2 { // each is delivered twice
		answer, err := s.handle(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := json.Marshal(answer); string(b) != `{"batchItemFailures":[]}` {
			t.Errorf("it answers %s", b)
		}
	}
	for i, want := range []string{"m4: ", "m5: the body is not valid JSON", "m6: the orchestration \"Hello\" does not take this input", "m7: there is no orchestration \"Nobody\": there are Hello",
		"m8: ", "m9: the attribute tags", "m10: the attribute version"} {
		if len(*away) != 14 || !strings.HasPrefix((*away)[i], want) || (*away)[i+7] != (*away)[i] {
			t.Fatalf("it has put away, and not %q:\n%s", want, strings.Join(*away, "\n"))
		}
	}
	page, err := s.Client.List(t.Context(), durable.Query{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, in := range page.Instances {
		got[in.ID] = fmt.Sprintf("%s %s %d %v", in.Name, in.Input, in.Version, in.Tags)
	}
	want := map[string]string{"m1": `Hello "Ada" 0 map[]`, "grace": `Hello "Grace" 0 map[team:navy]`, "m11": `Hello "x" 7 map[]`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the instances differ (-want +got):\n%s", diff)
	}
}

func TestARejectedMessageThatCannotBePutAwayIsDeliveredAgain(t *testing.T) {
	t.Parallel()
	bad := startMessages(t, Message{ID: "m1", Body: `{`})
	s, _ := rejects(t, errors.New("throttled"))
	if answer, err := s.handle(t.Context(), bad); err != nil || fmt.Sprint(answer) != "{[{m1}]}" {
		t.Errorf("it answers %v, %v", answer, err)
	}
	s.reject = nil // nowhere to put it
	if answer, err := s.handle(t.Context(), bad); err != nil || fmt.Sprint(answer) != "{[{m1}]}" {
		t.Errorf("it answers %v, %v", answer, err)
	}
}

func TestTicksStartOrchestrations(t *testing.T) {
	t.Parallel()
	s, _ := rejects(t, nil)
	at := time.Date(2026, 3, 1, 4, 5, 0, 0, time.UTC)
	tick := func(detail string) json.RawMessage {
		return json.RawMessage(strings.Replace(string(tickOf("nightly", at)), `"detail":{}`, `"detail":`+detail, 1))
	}
	for range 2 {
		if _, err := s.handle(t.Context(), tick(`{"orchestration":"Hello","input":"Ada","tags":{"by":"schedule"},"version":3}`)); err != nil {
			t.Fatal(err)
		}
	}
	in, err := s.Client.Get(t.Context(), "nightly-20260301T040500Z")
	if err != nil || in.Name != "Hello" || string(in.Input) != `"Ada"` || in.Tags["by"] != "schedule" || in.Version != 3 {
		t.Errorf("the instance is %+v, %v", in, err)
	}
	for _, detail := range []string{`{"orchestration":"Nobody"}`, `{"input":7}`, `{"orchestration":"Hello","inputs":"Ada"}`, `7`, `{"orchestration":"Hello","input":"another"}`} {
		// An error would have Lambda deliver it again, which makes nothing right.
		if _, err := s.handle(t.Context(), tick(detail)); err != nil {
			t.Errorf("%s: %v", detail, err)
		}
	}
	if page, err := s.Client.List(t.Context(), durable.Query{}); err != nil || len(page.Instances) != 1 {
		t.Errorf("there are %v, %v", page, err)
	}
}

// TestWhatIsSentToTheQueueOfRejectedMessages looks at the request that the SDK makes.
func TestWhatIsSentToTheQueueOfRejectedMessages(t *testing.T) {
	t.Parallel()
	var sent struct {
		QueueURL, MessageBody, MessageGroupID, MessageDeduplicationID string
		MessageAttributes                                             map[string]struct{ DataType, StringValue string }
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte(`{"MessageId":"x"}`))
	}))
	defer server.Close()
	cfg := sdk.Config{Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}
	m := Message{ID: "m1", Body: "{", Group: "g", Attributes: map[string]string{"orchestration": "Hello", "empty": ""}}
	for i := range 12 {
		m.Attributes[fmt.Sprint("a", i)] = "x"
	}
	if err := rejectTo(cfg, server.URL+"/q.fifo")(t.Context(), m, errors.New("no\x00JSON\n"+strings.Repeat("ü", 600))); err != nil {
		t.Fatal(err)
	}
	reason := sent.MessageAttributes["reason"]
	if len(sent.MessageAttributes) != 10 || sent.MessageBody != "{" || sent.MessageGroupID != "g" || sent.MessageDeduplicationID != "m1" ||
		reason.DataType != "String" || !strings.HasPrefix(reason.StringValue, "no JSON ü") || len(reason.StringValue) > 1000 {
		t.Errorf("it sends %+v", sent)
	}
	if rejectTo(cfg, "") != nil {
		t.Error("it sends to no queue")
	}
}
