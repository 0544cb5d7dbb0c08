package security_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/api"
)

// nested is a value in so many arrays.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.place(order("0"))
	w.place(large("1"))
	const deep = 20_000 // encoding/json gives up at 10,000
	raise := instances + "/order-1/raiseEvent/Approval"
	tooMuch := `"` + strings.Repeat("x", api.MaxBody) + `"`
	objects := strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep)
	chunked := func(r request) request {
		r.headers = append(r.headers, "Transfer-Encoding: chunked")
		r.headers = append(r.headers, "X-Content-Length: none") // so that none is added
		r.body = "500000\r\n" + strings.Repeat("[", 0x500000) + "\r\n0\r\n\r\n"
		return r
	}
	rows := []row{
		{"an input of more than 4 MiB", request{method: "POST", target: starts, body: tooMuch}, 413, "too large"},
		{"an event of more than 4 MiB", request{method: "POST", target: raise, body: tooMuch}, 413, "too large"},
		{"a result of more than 4 MiB", request{method: "POST", target: base + "/activities/x/complete", body: tooMuch}, 413, "too large"},
		{"a reset of more than 4 MiB", request{method: "POST", target: instances + "/order-1/reset", body: tooMuch}, 413, "too large"},
		{"an order of more than 64 KiB", request{method: "POST", target: "/orders", body: strings.Repeat(" ", 64<<10) + order("2")}, 413, "too large"},
		{"a page's form of more than 16 MiB", request{method: "POST", target: "/i/order-1/raise", body: "event=Approval&data=" + strings.Repeat("1", 17<<20), headers: []string{form}}, 413, "too large"},
		{"an input in chunks, of 5 MiB", chunked(request{method: "POST", target: starts}), 413, "too large"},
		{"an event in chunks, of 5 MiB", chunked(request{method: "POST", target: raise}), 413, "too large"},
		{"an order in chunks, of 5 MiB", chunked(request{method: "POST", target: "/orders"}), 413, "too large"},

		{"an input of 20,000 arrays", request{method: "POST", target: starts, body: nested(deep)}, 400, "JSON"},
		{"an input of 20,000 objects", request{method: "POST", target: starts, body: objects}, 400, "JSON"},
		{"an input of a million arrays", request{method: "POST", target: starts, body: nested(1_000_000)}, 400, "JSON"},
		{"an input of a million arrays that do not end", request{method: "POST", target: starts, body: strings.Repeat("[", 1_000_000)}, 400, "JSON"},
		{"an input whose order is 9,000 arrays", request{method: "POST", target: starts, body: `{"order":` + nested(9000) + `}`}, 400, "must be an object"},
		{"an event of 20,000 arrays", request{method: "POST", target: raise, body: nested(deep)}, 400, "JSON"},
		{"an event of 20,000 objects", request{method: "POST", target: raise, body: objects}, 400, "JSON"},
		{"a result of 20,000 arrays", request{method: "POST", target: base + "/activities/x/complete", body: nested(deep)}, 400, "JSON"},
		{"a reset of 20,000 arrays", request{method: "POST", target: instances + "/order-1/reset", body: nested(deep)}, 400, "JSON"},
		{"an order of 20,000 arrays", request{method: "POST", target: "/orders", body: nested(deep)}, 400, ""},
		{"an order whose items are 9,000 arrays", request{method: "POST", target: "/orders", body: order("2", `[{"sku":"BOOK-1","quantity":2,"unitPrice":1250}]`, nested(9000))}, 400, "items"},
		{"an order with a field that is 9,000 arrays", request{method: "POST", target: "/orders", body: order("2", `"currency"`, `"x":`+nested(9000)+`,"currency"`)}, 400, ""},
		{"a page's form with 20,000 arrays", request{method: "POST", target: "/i/order-1/raise", body: "event=Approval&data=" + url.QueryEscape(nested(deep)), headers: []string{form}}, 400, "not valid JSON"},

		{"a batch of orders where one is asked for", request{method: "POST", target: "/orders", body: "[" + order("2") + "," + order("3") + "]"}, 400, ""},
		{"a batch of 100 orders", request{method: "POST", target: "/orders", body: "[" + strings.TrimSuffix(strings.Repeat(order("2")+",", 100), ",") + "]"}, 400, ""},
		{"a batch of inputs", request{method: "POST", target: starts, body: `[{"order":` + order("2") + `},{"order":` + order("3") + `}]`}, 400, "must be an object"},
		{"two orders, one behind the other", request{method: "POST", target: "/orders", body: order("2") + order("3")}, 400, ""},
		{"two inputs, one behind the other", request{method: "POST", target: starts, body: `{"order":` + order("2") + `}{}`}, 400, "JSON"},
		{"an order with 101 items", request{method: "POST", target: "/orders", body: order("2", `[{"sku":"BOOK-1","quantity":2,"unitPrice":1250}]`, "["+strings.TrimSuffix(strings.Repeat(`{"sku":"B","quantity":1,"unitPrice":1},`, 101), ",")+"]")}, 400, "items"},
		{"an order that says its price twice", request{method: "POST", target: "/orders", body: order("2", `"unitPrice":1250`, `"unitPrice":1250,"UNITPRICE":1`)}, 400, "twice"},
		{"an order whose total is more than a number holds", request{method: "POST", target: "/orders", body: order("2", "1250", "9223372036854775807")}, 400, "unitPrice"},
		{"an order with a negative price", request{method: "POST", target: "/orders", body: order("2", "1250", "-1250")}, 400, "unitPrice"},
		{"an order with a field that is none", request{method: "POST", target: "/orders", body: order("2", `"currency"`, `"approved":true,"currency"`)}, 400, "approved"},

		{"an input that is not in UTF-8", request{method: "POST", target: starts, body: "\"\xff\""}, 400, "UTF-8"},
		{"an event that is not in UTF-8", request{method: "POST", target: raise, body: "\"\xc0\xaf\""}, 400, "UTF-8"},
		{"an input in UTF-16", request{method: "POST", target: starts, body: "\xff\xfe{\x00}\x00"}, 400, "UTF-8"},
		{"an event of another type", request{method: "POST", target: raise, body: `{"approved":true}`, headers: []string{"Content-Type: text/plain"}}, 400, "application/json"},
		{"an event as a form", request{method: "POST", target: raise, body: `{"approved":true}`, headers: []string{form}}, 400, "application/json"},
		{"a compressed input", request{method: "POST", target: starts, body: "\x1f\x8b\x08\x00", headers: []string{"Content-Encoding: gzip"}}, 400, ""},
		{"a failure without a reason", request{method: "POST", target: base + "/activities/x/fail", body: `{}`}, 400, "why the activity failed"},
		{"a reset with a member that is none", request{method: "POST", target: instances + "/order-1/reset", body: `{"operation":"0","reslt":1}`}, 400, "reslt"},
		{"a key of the query of a megabyte", request{method: "GET", target: instances + "?" + strings.Repeat("x", 1_100_000)}, 431, ""},
		{"a header of two megabytes", request{method: "POST", target: raise, body: `{"approved":true}`, headers: []string{"X-Long: " + strings.Repeat("x", 2_000_000)}}, 431, ""},
		{"an Idempotency-Key of 10,000 characters", request{method: "POST", target: starts + "/order-2", body: `{"order":` + order("2") + `}`, headers: []string{"Idempotency-Key: " + strings.Repeat("x", 10_000)}}, 400, ""},
		{"a reason of a megabyte", request{method: "POST", target: instances + "/order-1/terminate?reason=" + strings.Repeat("x", 900_000)}, 400, "reason"},
		{"two lengths", request{method: "POST", target: raise, body: `{"approved":true}`, headers: []string{"Content-Length: 17", "Content-Length: 2"}}, 400, ""},
		{"a negative length", request{method: "POST", target: raise, headers: []string{"Content-Length: -1"}}, 400, ""},
	}
	w.refused(rows)
}

// TestWhatIsDeepButTakenIsShown: what is within the limits is kept, and no page and no list breaks of it.
func TestWhatIsDeepButTakenIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.place(large("1"))
	w.do("POST", instances+"/order-1/raiseEvent/Other", nested(9_990), 202)
	w.eventually("it has the event", func() bool {
		return strings.Contains(w.do("GET", instances+"/order-1?showHistory=true", "", 202), "Other")
	})
	for _, target := range []string{"/", "/i/order-1", instances + "?top=10", instances + "/order-1?showHistory=true&showHistoryOutput=true"} {
		if a := w.send(request{method: "GET", target: target}); a.status != 200 && a.status != 202 {
			t.Errorf("%s is answered %d %.300s", target, a.status, a.body)
		}
	}
}
