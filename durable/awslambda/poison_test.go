package awslambda

import (
	"context"
	"encoding/json"
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
