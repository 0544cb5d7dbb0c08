package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

func TestAHistoryIsShownInPages(t *testing.T) {
	t.Parallel()
	f := newFake(durable.Instance{ID: "x", Name: "Hello"})
	big := json.RawMessage(`"` + strings.Repeat("x", 2<<20) + `"`)
	record := func(start time.Time) {
		f.history["x"] = nil
		for i, k := range []history.Kind{history.ExecutionStarted, history.TaskScheduled, history.TaskCompleted, history.ExecutionCompleted} {
			f.history["x"] = append(f.history["x"], durable.HistoryEvent{Event: history.Event{Kind: k, Op: "0", Name: "Hello", Data: history.Payload{Bytes: big}}, Time: start, Segment: uint64(i)})
		}
	}
	record(created)
	a, err := api.New(api.Config{Client: f, Hub: "Orders"})
	if err != nil {
		t.Fatal(err)
	}
	page := func(token string) (events []map[string]any, next string, status int) {
		r := httptest.NewRequest(http.MethodGet, api.Base+"/instances/x/history", nil)
		if token != "" {
			r.Header.Set("x-ms-continuation-token", token)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			if err := json.Unmarshal(w.Body.Bytes(), &events); err != nil {
				t.Fatal(err)
			}
		}
		return events, w.Header().Get("x-ms-continuation-token"), w.Code
	}
	var kinds []string
	token, first := "", ""
	for range 4 {
		events, next, status := page(token)
		if status != 200 || len(events) != 1 {
			t.Fatalf("a page has %d events, status %d", len(events), status)
		}
		if events[0]["data"] != strings.Repeat("x", 2<<20) || events[0]["time"] == nil {
			t.Error("a payload is not shown as it is")
		}
		kinds = append(kinds, events[0]["kind"].(string))
		if token = next; first == "" {
			first = next
		}
	}
	if got := strings.Join(kinds, " "); token != "" || got != "ExecutionStarted TaskScheduled TaskCompleted ExecutionCompleted" {
		t.Errorf("shown are %s, and then %q", got, token)
	}
	record(created.Add(time.Hour))
	for _, bad := range []string{first, "nonsense!", "OTk"} {
		if _, _, status := page(bad); status != http.StatusBadRequest {
			t.Errorf("a token of another history is answered with %d", status)
		}
	}
}

// TestStartsOnTerms: what cannot be read of the terms is refused, and nothing is started.
func TestStartsOnTerms(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := serve(t, f, "POST", api.Base+"/orchestrators/Hello/x?startAt=2030-01-02T03:04:05.5Z&tag=a=b=c&tag=d=&reuse=Failed,terminated&conflict=useSame", "1")
	if w.Code != 202 || len(f.starts) != 1 {
		t.Fatalf("answered with %d %s", w.Code, w.Body)
	}
	got := f.starts[0]
	if !got.At.Equal(time.Date(2030, 1, 2, 3, 4, 5, 5e8, time.UTC)) || got.Tags["a"] != "b=c" || len(got.Tags) != 2 ||
		got.Reuse != durable.ReuseWhen(durable.Failed, durable.Terminated) || got.Conflict != durable.UseSame {
		t.Errorf("started %+v", got)
	}
	for _, q := range []string{"startAt=tomorrow", "reuse=Running", "reuse=x", "conflict=perhaps", "tag=x", "tag==x"} {
		if w := serve(t, f, "POST", api.Base+"/orchestrators/Hello/x?"+q, "1"); w.Code != 400 {
			t.Errorf("%s is answered with %d", q, w.Code)
		}
	}
	if len(f.starts) != 1 {
		t.Errorf("%d were started", len(f.starts))
	}
}
