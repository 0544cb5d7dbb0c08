package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/examples/orders/web"
)

const sample = `{"id":"1001","customer":{"name":"Ada","email":"ada@example.com"},"currency":"EUR",
 "items":[{"sku":"BOOK-1","quantity":2,"unitPrice":1250}],
 "shipTo":{"street":"1 Main St","city":"Berlin","postcode":"10115","country":"DE"},"payment":{"token":"tok_visa"}}`

// fakeClient keeps what was started and runs nothing.
type fakeClient struct {
	durable.Client
	started map[string]durable.Instance
	err     error
}

func (c *fakeClient) Start(_ context.Context, req durable.StartRequest) (durable.InstanceRef, error) {
	if c.err != nil {
		return durable.InstanceRef{}, c.err
	}
	if _, taken := c.started[req.ID]; taken {
		return durable.InstanceRef{}, durable.ErrExists
	}
	c.started[req.ID] = durable.Instance{ID: req.ID, Name: req.Name, Input: req.Input, Status: durable.Completed}
	return durable.InstanceRef{ID: req.ID}, nil
}

func (c *fakeClient) Get(_ context.Context, id string, _ ...durable.GetOption) (durable.Instance, error) {
	return c.started[id], nil
}

func newDoor(client durable.Client) http.Handler {
	return web.Handler(web.Config{
		Client: client,
		Accepted: func(w http.ResponseWriter, _ *http.Request, id string) {
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, id)
		},
		Problem: func(w http.ResponseWriter, status int, message, detail string) {
			w.WriteHeader(status)
			fmt.Fprintf(w, "%s: %s", message, detail)
		},
	})
}

func post(t *testing.T, door http.Handler, method, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	door.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/orders", strings.NewReader(body)))
	return w
}

func TestOrders(t *testing.T) {
	t.Parallel()
	client := &fakeClient{started: map[string]durable.Instance{}}
	door := newDoor(client)
	for _, c := range []struct {
		name, method, body string
		code               int
		text               string
		started            int
	}{
		{"not valid", "POST", strings.Replace(sample, `"quantity":2`, `"quantity":0`, 1), 400, "items[0].quantity must be from 1 to 10000; got 0", 0},
		{"no JSON", "POST", "id=1001", 400, "not valid JSON", 0},
		{"empty", "POST", "", 400, "the body is empty", 0},
		{"too large", "POST", strings.Repeat(" ", 64<<10) + sample, 413, "at most 64 KiB", 0},
		{"wrong method", "GET", "", 405, "sent with POST", 0},
		{"new", "POST", sample, 202, "order-1001", 1},
		{"the same", "POST", sample, 202, "order-1001", 1},
		{"the same, written otherwise", "POST", strings.ReplaceAll(sample, ",\"", " ,\n \""), 202, "order-1001", 1},
		{"another", "POST", strings.Replace(sample, "1250", "1251", 1), 409, "Give the new order another id.", 1},
		{"another id", "POST", strings.Replace(sample, "1001", "1002", 1), 202, "order-1002", 2},
	} {
		w := post(t, door, c.method, c.body)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s: %d %q; want %d with %q", c.name, w.Code, w.Body, c.code, c.text)
		}
		if len(client.started) != c.started {
			t.Errorf("%s: %d instances; want %d", c.name, len(client.started), c.started)
		}
	}
}

func TestFailuresOfTheClient(t *testing.T) {
	t.Parallel()
	secret := errors.New("table at 10.0.0.1 is down")
	w := post(t, newDoor(&fakeClient{err: secret}), "POST", sample)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "10.0.0.1") {
		t.Errorf("%d %v %q; want 503 with Retry-After and without the cause", w.Code, w.Header(), w.Body)
	}
	w = post(t, newDoor(&fakeClient{err: fmt.Errorf("%w: too long", durable.ErrInvalid)}), "POST", sample)
	if w.Code != http.StatusBadRequest {
		t.Errorf("%d; want 400", w.Code)
	}
}
