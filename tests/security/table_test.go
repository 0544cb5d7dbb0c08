package security_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// row is something that is refused.
type row struct {
	sent string // what it is, for people
	request
	answered int
	says     string // what the answer has in it, if that matters
}

// refused sends what the rows say, and holds the answers to them. Nothing may have changed afterwards.
func (w *world) refused(rows []row) {
	w.t.Helper()
	first := w.snapshot()
	t := w.t
	for _, r := range rows {
		t.Run(r.sent, func(t *testing.T) {
			w.t = t
			before := w.snapshot()
			a := w.send(r.request)
			if a.status != r.answered || !strings.Contains(a.body, r.says) {
				t.Errorf("%s %.200s is answered %d %.500s, want %d and %q", r.method, r.target, a.status, a.body, r.answered, r.says)
			}
			w.decent(a)
			if diff := cmp.Diff(before, w.snapshot()); diff != "" {
				t.Errorf("something has changed (-before +after):\n%s", diff)
			}
		})
	}
	w.t = t
	w.fence()
	if diff := cmp.Diff(first, w.snapshot()); diff != "" {
		t.Errorf("after all of it something has changed (-before +after):\n%s", diff)
	}
}

// decent holds every answer to what holds for all: it shows nothing of the inside, and no browser takes it for something else.
func (w *world) decent(a answer) {
	w.t.Helper()
	for _, inside := range []string{"goroutine ", ".go:", "panic", "pebble", w.data} {
		if strings.Contains(a.body, inside) {
			w.t.Errorf("the answer shows %q of the inside: %.500s", inside, a.body)
		}
	}
	if a.header.Get("Set-Cookie") != "" || a.header.Get("X-Injected") != "" {
		w.t.Errorf("the answer has headers that were sent: %v", a.header)
	}
	if a.body != "" && a.status < 500 && strings.Contains(a.header.Get("Content-Type"), "html") && a.header.Get("X-Content-Type-Options") != "nosniff" && a.status/100 != 3 {
		w.t.Errorf("a browser may guess what it is: %v", a.header)
	}
}

const fence = "Fence"

// snapshot is all that there is: instances with their histories, and mail, but for what is sent to fence.
func (w *world) snapshot() map[string]any {
	w.t.Helper()
	all := map[string]any{"mail": w.mails()}
	for _, id := range w.ids() {
		var in map[string]any
		a := w.send(w.signed(request{method: "GET", target: instances + "/" + escape(id) + "?showHistory=true&showHistoryOutput=true"}))
		if err := json.Unmarshal([]byte(a.body), &in); err != nil {
			w.t.Fatalf("%s is answered %d %s: %v", id, a.status, a.body, err)
		}
		var history []any
		events, _ := in["historyEvents"].([]any)
		for _, e := range events {
			if e.(map[string]any)["Name"] != fence {
				history = append(history, e)
			}
		}
		in["historyEvents"] = history
		delete(in, "lastUpdatedTime") // a fence is an update, too
		all["instance "+id] = in
	}
	return all
}

func (w *world) ids() (all []string) {
	w.t.Helper()
	var list []struct{ InstanceID string }
	if err := json.Unmarshal([]byte(w.do("GET", instances+"?top=1000", "", 200)), &list); err != nil {
		w.t.Fatal(err)
	}
	for _, in := range list {
		all = append(all, in.InstanceID)
	}
	return all
}

// fence waits until every message that was sent to an instance so far has arrived: those of an instance keep their order, so that an event
// that is sent now arrives behind them. Nobody waits for it.
func (w *world) fence() {
	w.t.Helper()
	w.fences++
	for _, id := range w.ids() {
		a := w.send(w.signed(request{method: "POST", target: instances + "/" + escape(id) + "/raiseEvent/" + fence, body: strconv.Itoa(w.fences)}))
		if a.status == 410 {
			continue // it has ended
		}
		if a.status != 202 {
			w.t.Fatalf("%s takes no event: %d %s", id, a.status, a.body)
		}
		w.eventually(id+" has got its fence", func() bool {
			a := w.send(w.signed(request{method: "GET", target: instances + "/" + escape(id) + "?showHistory=true"}))
			return strings.Count(a.body, `"Name":"`+fence+`"`) == w.fences || !strings.Contains(a.body, `"runtimeStatus":"Running"`) && !strings.Contains(a.body, `"runtimeStatus":"Suspended"`)
		})
	}
}

func (w *world) eventually(what string, done func() bool) {
	w.t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Fatalf("it does not come true that %s", what)
}

// escape encodes all of a path's segment that could be anything else.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(s[i])|0x100, 16)[1:]))
	}
	return b.String()
}
