package awslambda

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// TestChangesArePutOnTheBus sends to a server that answers as EventBridge does: with 200 and an error in the entry, when it does not take an event.
func TestChangesArePutOnTheBus(t *testing.T) {
	var asked map[string]any
	answer := `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = nil
		if err := json.Unmarshal(body, &asked); err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutEvents") {
			t.Errorf("%s: %s", r.Header.Get("X-Amz-Target"), body)
		}
		io.WriteString(w, answer)
	}))
	defer server.Close()
	h := &hub{Services: Services{AWS: sdk.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("k", "s", "")}}}
	if h.openBus() != nil {
		t.Error("without a bus in the environment somebody is told")
	}
	t.Setenv(EnvEventBus, "news")
	t.Setenv(EnvHub, "shop")
	put := h.openBus()
	n := worker.Notification{ID: "1", Change: "Failed", Instance: "order-1", Status: "Failed", ErrorType: "Declined", Time: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)}
	if err := put(context.Background(), n); err != nil {
		t.Fatal(err)
	}
	entry := asked["Entries"].([]any)[0].(map[string]any)
	var detail map[string]any
	if err := json.Unmarshal([]byte(entry["Detail"].(string)), &detail); err != nil {
		t.Fatal(err)
	}
	if entry["EventBusName"] != "news" || entry["Source"] != "durable" || entry["DetailType"] != "Orchestration Failed" ||
		detail["hub"] != "shop" || detail["instanceId"] != "order-1" || detail["errorType"] != "Declined" || detail["time"] != "2026-01-02T03:04:05.006Z" {
		t.Errorf("put %v", asked)
	}
	for _, answer = range []string{`{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException","ErrorMessage":"Rate exceeded"}]}`, `{}`} {
		if err := put(context.Background(), n); err == nil {
			t.Errorf("%s is taken for success", answer)
		}
	}
}
