//go:build e2e

package e2e_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestBadInputIsRefusedAtTheDoor(t *testing.T) {
	undisturbed(t)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"an order without most fields", "POST", "/orders", `{"id":"1"}`, 400, "customer"},
		{"a line break in a name", "POST", "/orders", order("bad", "Ada", `A\r\nBcc: x`), 400, "customer.name"},
		{"no JSON", "POST", "/orders", `{`, 400, "JSON"},
		{"no body", "POST", "/orders", ``, 400, "empty"},
		{"a misspelt field", "POST", "/orders", order("bad", "quantity", "qty"), 400, "qty"},
		{"an order that is too large", "POST", "/orders", strings.Repeat(" ", 100<<10), 413, "64 KiB"},
		{"an unknown orchestration", "POST", management + "/orchestrators/Nobody", `{}`, 400, "Nobody"},
		{"an input of another type", "POST", management + "/orchestrators/ProcessOrder", `7`, 400, "ProcessOrder"},
		{"a drill outside its limits", "POST", management + "/orchestrators/Chain", `{"activities":1000000}`, 400, "1000"},
		{"an id that is kept for entities", "POST", management + "/orchestrators/Chain/@x", `{"activities":1}`, 400, "@"},
		{"an unknown instance", "GET", management + "/instances/nobody", ``, 404, ""},
		{"an event for an unknown instance", "POST", management + "/instances/nobody/raiseEvent/x", `{}`, 404, ""},
		{"a purge of nobody", "DELETE", management + "/instances/nobody", ``, 404, "no such instance"},
		{"what cannot be done yet", "GET", management + "/entities/counter/one", ``, 501, ""},
		{"a restart of nobody", "POST", management + "/instances/nobody/restart", ``, 404, "no such instance"},
		{"a rewind of nobody", "POST", management + "/instances/nobody/rewind", ``, 404, "no such instance"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, reply := request(t, c.method, c.path, c.body)
			if code != c.status || !strings.Contains(reply, c.says) {
				t.Errorf("it was answered with %d %s, want %d and a word about %q", code, reply, c.status, c.says)
			}
			if strings.Contains(reply, "goroutine") || strings.Contains(reply, ".go:") {
				t.Errorf("the answer shows the inside: %s", reply)
			}
		})
	}
	if code, reply := request(t, "GET", management+"/instances/order-"+run+"-bad", ""); code != http.StatusNotFound {
		t.Errorf("a refused order has an instance: %d %s", code, reply)
	}
}
