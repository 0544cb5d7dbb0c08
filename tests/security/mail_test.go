package security_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// quoted is a text as JSON has it.
func quoted(s string) string {
	b, _ := json.Marshal(s) // which cannot fail
	return string(b)
}

const bcc = "\r\nBcc: evil@example.com"

// TestLinesInWhatIsMailed tries to add lines to the header of a mail, by every field of an order, at its door.
func TestLinesInWhatIsMailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.place(order("0"))
	var rows []row
	for _, c := range []struct{ field, good string }{
		{"id", `"id":"ID"`}, {"customer.name", `"name":"Ada"`}, {"customer.email", `"email":"ada@example.com"`}, {"currency", `"currency":"EUR"`},
		{"items[0].sku", `"sku":"BOOK-1"`}, {"shipTo.street", `"street":"1 Main St"`}, {"shipTo.city", `"city":"Berlin"`},
		{"shipTo.postcode", `"postcode":"10115"`}, {"shipTo.country", `"country":"DE"`}, {"payment.token", `"token":"tok_visa"`},
	} {
		name, value, _ := strings.Cut(c.good, ":")
		value = strings.Replace(strings.Trim(value, `"`), "ID", "2", 1)
		for what, with := range map[string]string{"CR and LF": bcc, "LF": bcc[1:], "CR": "\rBcc: evil@example.com", "a line separator": "\u2028Bcc: evil@example.com", "a next line": "\u0085Bcc: evil@example.com", "a zero": "\x00"} {
			rows = append(rows, row{c.field + " with " + what, request{method: "POST", target: "/orders", body: order("2", c.good, name+":"+quoted(value+with))}, 400, c.field})
		}
		rows = append(rows, row{c.field + " with half a pair", request{method: "POST", target: "/orders", body: order("2", c.good, name+`:"`+value+`\r\nBcc: \ud800"`)}, 400, c.field})
	}
	for what, address := range map[string]string{
		"an encoded word with a line in it":  "=?utf-8?q?Ada=0D=0ABcc:_evil@example.com?= <ada@example.com>",
		"an encoded word with base64":        "=?utf-8?b?QWRhDQpCY2M6IGV2aWxAZXhhbXBsZS5jb20=?= <ada@example.com>",
		"an encoded word for an address":     "=?utf-8?q?ada=40example.com?=",
		"two addresses":                      "ada@example.com, evil@example.com",
		"two addresses, with a semicolon":    "ada@example.com; evil@example.com",
		"a group":                            "all: ada@example.com, evil@example.com;",
		"a name before it":                   "Ada <ada@example.com>",
		"a comment":                          "ada@example.com (Bcc: evil@example.com)",
		"a quoted line":                      "\"ada\r\nBcc: evil@example.com\"@example.com",
		"a quoted zero":                      "\"a\\\x00b\"@example.com",
		"a folded line":                      "ada@example.com\r\n ,evil@example.com",
		"a space":                            "ada @example.com",
		"no address":                         "ada",
		"an address of 300 characters":       strings.Repeat("a", 60) + "@" + strings.Repeat("b.", 120) + "com",
		"an address with 65 before the sign": strings.Repeat("a", 65) + "@example.com",
		"a header's name":                    "Bcc: evil@example.com",
	} {
		rows = append(rows, row{"an address that is " + what, request{method: "POST", target: "/orders", body: order("2", `"ada@example.com"`, quoted(address))}, 400, "customer.email"})
	}
	w.refused(rows)
}

// TestLinesInAnOrderThatDoesNotComeThroughItsDoor: the management API takes it, its instance fails, and nobody is written to.
func TestLinesInAnOrderThatDoesNotComeThroughItsDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id, body := range map[string]string{
		"order-2": order("2", `"name":"Ada"`, `"name":`+quoted("Ada"+bcc)),
		"order-3": order("3", `"ada@example.com"`, quoted("ada@example.com"+bcc)),
		"order-4": order("4", `"ada@example.com"`, quoted("=?utf-8?q?=0D=0ABcc:_evil@example.com?= <ada@example.com>")),
		"order-5": strings.Replace(order("5"), `"id":"5"`, `"id":`+quoted("5"+bcc), 1),
	} {
		w.do("POST", starts+"/"+id, `{"order":`+body+`}`, 202)
		w.becomes(id, "Failed")
	}
	if all := w.mails(); len(all) > 0 {
		t.Errorf("there is mail: %+v", all)
	}
}

// TestTextThatLooksLikeAHeaderStaysText: what a name may hold is in the body of a mail, and in no line of its header.
func TestTextThatLooksLikeAHeaderStaysText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const name = `=?utf-8?q?=0D=0ABcc:_evil@example.com?= Bcc: evil@example.com, \r\nBcc: x`
	w.place(large("1", `"name":"Ada"`, `"name":`+quoted(name), "ada@example.com", "ada+x=?y?=@example.com"))
	w.do("POST", instances+"/order-1/raiseEvent/Approval", `{"approved":false,"by":`+quoted("Eve"+bcc)+`,"comment":`+quoted("no"+bcc)+`}`, 202)
	w.becomes("order-1", "Failed")
	all := w.mails()
	if len(all) < 3 {
		t.Fatalf("there is only %+v", all)
	}
	for _, m := range all {
		if head := m.To + m.From + m.Subject + m.InstanceID; strings.ContainsAny(head, "\r\n\x00") || strings.Contains(head, "evil") || strings.Contains(head, "=0D") {
			t.Errorf("a header has %q", head)
		}
		if m.To != "ada+x=?y?=@example.com" && m.To != approver {
			t.Errorf("a mail goes to %s", m.To)
		}
		if strings.Contains(m.Text, bcc) || strings.Contains(m.HTML, bcc) {
			t.Errorf("a line was added to the body: %q", m.Text)
		}
	}
}

// TestLinesInWhatIsAnswered tries to add lines to the header of an answer.
func TestLinesInWhatIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.place(large("1"))
	const lines = "%0d%0aX-Injected:%20yes%0d%0aSet-Cookie:%20a=b"
	for _, r := range []request{
		{method: "GET", target: instances + "/order-1?x=" + lines},
		{method: "GET", target: instances + "/order-1?taskHub=" + lines + "&connection=" + lines + "&code=" + lines},
		{method: "POST", target: starts + "/order-1?taskHub=" + lines, body: `{"order":` + large("1") + `}`},
		{method: "POST", target: "/orders?taskHub=" + lines + "&code=" + lines, body: large("1")},
		{method: "GET", target: "/i/x" + lines},
		{method: "GET", target: "//x" + lines},
		{method: "POST", target: "/i/order-1/raise", body: "event=" + lines, headers: []string{form}},
		{method: "GET", target: instances + "/order-1", headers: []string{"traceparent: 00-x\tX-Injected: yes"}},
		{method: "GET", target: instances + "/order-1?x=\xff\xfe"},
	} {
		a := w.send(r)
		w.decent(a)
		if a.status >= 500 || strings.ContainsAny(a.header.Get("Location"), "\r\n\xff") {
			t.Errorf("%s %s is answered %d, %v", r.method, r.target, a.status, a.header)
		}
	}
}
