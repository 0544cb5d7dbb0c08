package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/dev"
)

// connections keeps the connections of all clients of a benchmark.
var connections = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}}

// server is the demonstration over a folder of the test, driven over HTTP as with curl.
type server struct {
	t    testing.TB
	base string
	stop func()
}

func serve(t testing.TB, data string) *server {
	t.Helper()
	c := demonstration("127.0.0.1:0", data, time.Hour)
	out, in := io.Pipe()
	c.Out = in
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- dev.Serve(ctx, c); in.Close() }()
	s := &server{t: t, base: where(t, out)}
	s.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		s.stop = func() {}
	}
	t.Cleanup(func() { s.stop() })
	return s
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)

// where reads from what a server says where it is.
func where(t testing.TB, said io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if found := address.FindString(lines.Text()); found != "" {
			go func() { _, _ = io.Copy(io.Discard, said) }()
			return found
		}
	}
	t.Fatal("the server does not say where it is")
	return ""
}

// eventually polls: what happens in the server has no other signal to the outside.
func (s *server) eventually(what string, done func() bool) {
	s.t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("it does not come true that %s", what)
}

func (s *server) request(method, url, body string) (int, string) {
	s.t.Helper()
	if !strings.HasPrefix(url, "http") {
		url = s.base + url
	}
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := connections.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(reply)
}

type links struct{ StatusQueryGetURI, SendEventPostURI, TerminatePostURI string }

// place posts an order and returns its links.
func (s *server) place(order string) links {
	s.t.Helper()
	status, reply := s.request("POST", "/orders", order)
	if status != http.StatusAccepted {
		s.t.Fatalf("the order was answered with %d %s", status, reply)
	}
	var l links
	if err := json.Unmarshal([]byte(reply), &l); err != nil {
		s.t.Fatal(err)
	}
	return l
}

type instance struct {
	RuntimeStatus string
	CustomStatus  struct{ Step, Detail string }
	Output        any
	HistoryEvents []struct{ EventType, FunctionName string }
}

// await waits until the custom status has the step.
func (s *server) await(l links, step string) (in instance) {
	s.t.Helper()
	s.eventually("the order is "+step, func() bool {
		_, reply := s.request("GET", l.StatusQueryGetURI+"&showHistory=true", "")
		in = instance{}
		if err := json.Unmarshal([]byte(reply), &in); err != nil {
			s.t.Fatalf("%v: %s", err, reply)
		}
		ended := in.RuntimeStatus == "Completed" || in.RuntimeStatus == "Failed"
		return in.CustomStatus.Step == step && (ended || step == "awaiting approval")
	})
	return in
}

// mails are the subjects of an order's mails, oldest first.
func (s *server) mails(id string) (subjects []string, last string) {
	_, reply := s.request("GET", "/mail.json", "")
	var mails []struct{ InstanceID, Subject, Text string }
	if err := json.Unmarshal([]byte(reply), &mails); err != nil {
		s.t.Fatal(err)
	}
	for _, m := range mails { // newest first
		if m.InstanceID == "order-"+id {
			subjects = append([]string{strings.TrimPrefix(m.Subject, "Order "+id+": ")}, subjects...)
			if last == "" {
				last = m.Text
			}
		}
	}
	return subjects, last
}

func order(id string, change ...string) string {
	o := `{"id":"ID","customer":{"name":"Ada","email":"ada@example.com"},"currency":"EUR",
		"items":[{"sku":"BOOK-1","quantity":2,"unitPrice":1250}],
		"shipTo":{"street":"1 Main St","city":"Berlin","postcode":"10115","country":"DE"},"payment":{"token":"tok_visa"}}`
	return strings.NewReplacer(append([]string{`"ID"`, `"` + id + `"`}, change...)...).Replace(o)
}

func TestOrders(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	t.Run("an order completes, and is the same order when it is placed again", func(t *testing.T) {
		l := s.place(order("1"))
		if in := s.await(l, "completed"); in.RuntimeStatus != "Completed" {
			t.Errorf("it is %s", in.RuntimeStatus)
		}
		want := []string{"received", "billed", "completed", "shipped"}
		if got, _ := s.mails("1"); len(got) != len(want) || got[0] != "received" || got[3] != "completed" {
			t.Errorf("the mails are %v", got)
		}
		if again := s.place(order("1")); again != l {
			t.Errorf("placed again it is %v, was %v", again, l)
		}
		if got, _ := s.mails("1"); len(got) != len(want) {
			t.Errorf("after it was placed again the mails are %v", got)
		}
		if status, _ := s.request("POST", "/orders", order("1", "1250", "1300")); status != http.StatusConflict {
			t.Errorf("another order under the id was answered with %d, want 409", status)
		}
	})
	t.Run("a large order waits for its approval", func(t *testing.T) {
		l := s.place(order("2", "1250", "250000"))
		if in := s.await(l, "awaiting approval"); in.RuntimeStatus != "Running" {
			t.Errorf("it is %s", in.RuntimeStatus)
		}
		approve := strings.Replace(l.SendEventPostURI, "{eventName}", "Approval", 1)
		if status, reply := s.request("POST", approve, `{"approved":true,"by":"Bob","comment":"fine"}`); status != http.StatusAccepted {
			t.Fatalf("the approval was answered with %d %s", status, reply)
		}
		s.await(l, "completed")
	})
	t.Run("a large order is refused", func(t *testing.T) {
		l := s.place(order("3", "1250", "250000"))
		s.await(l, "awaiting approval")
		s.request("POST", strings.Replace(l.SendEventPostURI, "{eventName}", "approval", 1), `{"approved":false,"by":"Bob"}`)
		if in := s.await(l, "failed and refunded"); in.RuntimeStatus != "Failed" {
			t.Errorf("it is %s", in.RuntimeStatus)
		}
	})
	t.Run("a declined card undoes what was done", func(t *testing.T) {
		in := s.await(s.place(order("4", "tok_visa", "tok_declined")), "failed and refunded")
		var undone []string
		for _, e := range in.HistoryEvents {
			if e.EventType == "TaskCompleted" && strings.HasPrefix(e.FunctionName, "Re") && e.FunctionName != "ReserveStock" {
				undone = append(undone, e.FunctionName)
			}
		}
		if diff := cmp.Diff([]string{"RefundCard", "RecallParcel", "ReleaseStock"}, undone); diff != "" {
			t.Errorf("the compensations differ (-want +got):\n%s", diff)
		}
		if _, last := s.mails("4"); !strings.Contains(last, "the card was declined") {
			t.Errorf("the last mail says %s", last)
		}
	})
	t.Run("a flaky card works in the end", func(t *testing.T) {
		s.await(s.place(order("5", "tok_visa", "tok_flaky")), "completed")
	})
	t.Run("what is out of stock fails", func(t *testing.T) {
		s.await(s.place(order("6", "BOOK-1", "SOLD-OUT-1")), "failed and refunded")
	})
	t.Run("a carrier that does not answer fails after its retries", func(t *testing.T) {
		s.await(s.place(order("7", `"DE"`, `"ZZ"`)), "failed and refunded")
	})
}

func TestBadInputIsRefusedAtTheDoor(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	const api = "/runtime/webhooks/durabletask"
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"a field is missing", "POST", "/orders", `{"id":"1"}`, 400, "customer"},
		{"a line break in a name", "POST", "/orders", order("1", "Ada", `A\r\nBcc: x`), 400, "customer.name"},
		{"no JSON", "POST", "/orders", `{`, 400, "JSON"},
		{"a misspelt field", "POST", "/orders", order("1", "quantity", "qty"), 400, "qty"},
		{"a huge body", "POST", "/orders", strings.Repeat(" ", 1<<20), 413, ""},
		{"an unknown orchestration", "POST", api + "/orchestrators/Nobody", `{}`, 400, "Nobody"},
		{"an input of another type", "POST", api + "/orchestrators/ProcessOrder", `7`, 400, ""},
		{"an id that is too long", "POST", api + "/orchestrators/ProcessOrder/" + strings.Repeat("x", 257), `{}`, 400, "256"},
		{"an id that is kept for entities", "POST", api + "/orchestrators/ProcessOrder/@x", `{}`, 400, "@"},
		{"an unknown instance", "GET", api + "/instances/nobody", ``, 404, ""},
		{"an event for an unknown instance", "POST", api + "/instances/nobody/raiseEvent/x", `{}`, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, reply := s.request(c.method, c.path, c.body)
			if status != c.status || !strings.Contains(reply, c.says) {
				t.Errorf("it was answered with %d %s, want %d and a word about %q", status, reply, c.status, c.says)
			}
			if strings.Contains(reply, "goroutine") || strings.Contains(reply, ".go:") {
				t.Errorf("the answer shows the inside: %s", reply)
			}
		})
	}
	if _, reply := s.request("GET", api+"/instances", ""); reply != "[]" {
		t.Errorf("something was started: %s", reply)
	}
}
