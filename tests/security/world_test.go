package security_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/dev"
	"github.com/durable-lambda/durable-lambda/durable/links"
	"github.com/durable-lambda/durable-lambda/examples/orders"
	"github.com/durable-lambda/durable-lambda/examples/orders/fulfilment"
	"github.com/durable-lambda/durable-lambda/examples/orders/notify"
	"github.com/durable-lambda/durable-lambda/examples/orders/shop"
	"github.com/durable-lambda/durable-lambda/examples/orders/web"
)

const (
	base      = api.Base
	instances = base + "/instances"
	starts    = base + "/orchestrators/ProcessOrder"
	approver  = "approver@example.com"
)

// world is a server of the order demonstration.
type world struct {
	t     *testing.T
	addr  string
	data  string
	table backend.Table
	// key is one that may do everything, of a server that asks for keys.
	key    string
	fences int
}

// announced catches the address that the server prints.
type announced chan string

var address = regexp.MustCompile(`127\.0\.0\.1:[0-9]+`)

func (a announced) Write(p []byte) (int, error) {
	if found := address.FindString(string(p)); found != "" {
		select {
		case a <- found:
		default:
		}
	}
	return len(p), nil
}

func newWorld(t *testing.T, edit ...func(*dev.Config)) *world {
	t.Helper()
	w := &world{t: t, data: t.TempDir()}
	where, ended := make(announced, 1), make(chan error, 1)
	c := dev.Config{
		Addr: "127.0.0.1:0", Data: w.data, Out: where, Log: slog.New(slog.DiscardHandler),
		Handlers: func(s dev.Services) []durable.Handler {
			w.table = s.Table
			handlers := append(shop.Embedded(s.Table).Handlers(), notify.Notifier{Mailer: s.Mailer, Approver: approver}.Handlers()...)
			return append(handlers, orders.ProcessOrder.Bind(fulfilment.ProcessOrder))
		},
		Routes: func(mux *http.ServeMux, s dev.Services, a *api.API) {
			mux.Handle("/orders", web.Handler(web.Config{Client: s.Client, ApprovalWindow: time.Hour, Accepted: a.Accepted, Problem: api.Problem}))
			mux.HandleFunc("/orders/", web.Elsewhere(api.Problem))
		},
	}
	for _, e := range edit {
		e(&c)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- dev.Serve(ctx, c) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	select {
	case w.addr = <-where:
	case err := <-ended:
		ended <- err
		t.Fatalf("the server ended with %v", err)
	}
	return w
}

// request is one as it goes over the wire. Headers are whole lines.
type request struct {
	method, target string
	body           string
	headers        []string
}

type answer struct {
	status int
	header http.Header
	body   string
}

// send writes a request as it is, which no client would do, and reads the answer.
func (w *world) send(r request) answer {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nConnection: close\r\n", r.method, r.target)
	all := append([]string{}, r.headers...)
	for name, line := range map[string]string{"Host:": "Host: " + w.addr, "Content-Type:": "Content-Type: application/json", "Content-Length:": fmt.Sprint("Content-Length: ", len(r.body))} {
		if !strings.Contains(strings.Join(all, "\n"), name) {
			all = append(all, line)
		}
	}
	head.WriteString(strings.Join(all, "\r\n") + "\r\n\r\n")
	go func() { _, _ = io.WriteString(conn, head.String()+r.body) }() // a server that refuses does not read to the end
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.method})
	if err != nil {
		w.t.Fatalf("%s %.100s: there is no answer: %v", r.method, r.target, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("%s %.100s: the answer breaks off: %v", r.method, r.target, err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// do sends what the test itself wants, which must be answered as it expects.
func (w *world) do(method, target, body string, status int) string {
	w.t.Helper()
	r := request{method: method, target: target, body: body}
	if w.key != "" {
		r.headers = []string{"x-functions-key: " + w.key}
	}
	a := w.send(r)
	if a.status != status {
		w.t.Fatalf("%s %s is answered %d %s, want %d", method, target, a.status, a.body, status)
	}
	return a.body
}

// order is one of 25.00 EUR, with edits, each a text and what stands in its place.
func order(id string, edits ...string) string {
	return strings.NewReplacer(append([]string{"ID", id}, edits...)...).Replace(`{"id":"ID","customer":{"name":"Ada","email":"ada@example.com"},"currency":"EUR",` +
		`"items":[{"sku":"BOOK-1","quantity":2,"unitPrice":1250}],` +
		`"shipTo":{"street":"1 Main St","city":"Berlin","postcode":"10115","country":"DE"},"payment":{"token":"tok_visa"}}`)
}

// large is an order that waits for its approval.
func large(id string, edits ...string) string { return order(id, append(edits, "1250", "250000")...) }

// place places an order, and waits until it is done or waits itself.
func (w *world) place(body string) {
	w.t.Helper()
	var o struct{ ID string }
	if err := json.Unmarshal([]byte(body), &o); err != nil {
		w.t.Fatal(err)
	}
	w.do("POST", "/orders", body, 202)
	w.settled("order-" + o.ID)
}

// becomes waits until an instance has a status.
func (w *world) becomes(id, status string) {
	w.t.Helper()
	w.eventually(id+" is "+status, func() bool {
		return strings.Contains(w.send(w.signed(request{method: "GET", target: instances + "/" + escape(id)})).body, `"runtimeStatus":"`+status+`"`)
	})
}

// settled waits until an order has ended, or waits for its approval and its mails are out.
func (w *world) settled(id string) {
	w.t.Helper()
	w.eventually(id+" has ended, or waits", func() bool {
		a := w.send(w.signed(request{method: "GET", target: instances + "/" + id + "?showHistory=true"}))
		return a.status == 200 || len(w.linksOf(id)) == 2 && strings.Contains(a.body, `"TimerCreated"`) // which is the last that it asks for
	})
}

// signed is a request with the key, where one is needed.
func (w *world) signed(r request) request {
	if w.key != "" {
		r.headers = append(r.headers, "x-functions-key: "+w.key)
	}
	return r
}

type sentMail struct{ To, From, Subject, Text, HTML, InstanceID string }

func (w *world) mails() (all []sentMail) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.do("GET", "/mail.json", "", 200)), &all); err != nil {
		w.t.Fatal(err)
	}
	return all
}

var link = regexp.MustCompile(`/links/([A-Za-z0-9_-]+)`)

// linksOf are the tokens by which an order is approved and rejected, of its newest mail to the approver.
func (w *world) linksOf(id string) (tokens []string) {
	w.t.Helper()
	for _, m := range w.mails() {
		if m.To == approver && m.InstanceID == id {
			for _, found := range link.FindAllStringSubmatch(m.Text, -1) {
				tokens = append(tokens, found[1])
			}
			return tokens
		}
	}
	return nil
}

// ring is the keys that the server signs links with.
func (w *world) ring() links.Ring {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.data, "LINKS"))
	if err != nil {
		w.t.Fatal(err)
	}
	ring, err := links.ParseRing(text)
	if err != nil {
		w.t.Fatal(err)
	}
	return ring
}
