package security_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPathsInTheIDsOfInstances tries to have an id lead somewhere else, where ids are read: in paths of the API, of pages, and of mail.
func TestPathsInTheIDsOfInstances(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.place(order("0"))
	w.place(large("1"))
	body := `{"order":` + order("0") + `}`
	var rows []row
	for _, c := range []struct {
		sent, id string
		// start is what a start under the id is answered, others what the rest is.
		start, others int
	}{
		{"this folder", ".", 400, 404},
		{"the folder above", "..", 400, 404},
		{"the folder above, encoded", "%2e%2e", 400, 404},
		{"the folder above, half of it encoded", ".%2E", 400, 404},
		{"a path, encoded", "..%2F..%2Forder-1", 400, 404},
		{"a path of Windows", "..%5C..%5Corder-1", 400, 404},
		{"a path of Windows, as it is", `..\..\order-1`, 400, 404},
		{"a path behind a good id", "order-1%2F..%2Forder-1", 400, 404},
		{"a query, encoded", "order-1%3Fx=y", 400, 404},
		{"a separator of keys", "order-1%23c", 400, 404},
		{"a zero", "order-1%00", 400, 404},
		{"a line break", "order-1%0d%0aX-Injected:%20yes", 400, 404},
		{"an overlong encoding of a dot", "%c0%ae%c0%ae", 400, 404},
		{"an overlong encoding of a slash", "..%c0%af", 400, 404},
		{"half a character", "%ff", 400, 404},
		{"an entity", "@counter@1", 400, 404},
		{"too many characters", strings.Repeat("x", 257), 400, 404},
	} {
		rows = append(rows,
			row{c.sent + ": start", request{method: "POST", target: starts + "/" + c.id, body: body}, c.start, "instance id"},
			row{c.sent + ": read", request{method: "GET", target: instances + "/" + c.id}, c.others, "no instance with this id"},
			row{c.sent + ": raise", request{method: "POST", target: instances + "/" + c.id + "/raiseEvent/Approval", body: `{"approved":true}`}, c.others, "no instance with this id"},
			row{c.sent + ": terminate", request{method: "POST", target: instances + "/" + c.id + "/terminate"}, c.others, "no instance with this id"},
			row{c.sent + ": restart", request{method: "POST", target: instances + "/" + c.id + "/restart"}, c.others, "no instance with this id"},
			row{c.sent + ": reset", request{method: "POST", target: instances + "/" + c.id + "/reset", body: `{"operation":"0"}`}, c.others, "no instance with this id"},
			row{c.sent + ": purge", request{method: "DELETE", target: instances + "/" + c.id}, c.others, "no instance with this id"},
		)
	}
	for _, c := range []struct{ sent, id string }{ // decoded once, this is text like any other
		{"a path, encoded twice", "..%252F..%252Forder-1"},
		{"the folder above, encoded twice", "%252e%252e"},
		{"a full-width slash", "..%EF%BC%8Forder-1"},
	} {
		rows = append(rows,
			row{c.sent + ": read", request{method: "GET", target: instances + "/" + c.id}, 404, "no instance with this id"},
			row{c.sent + ": terminate", request{method: "POST", target: instances + "/" + c.id + "/terminate"}, 404, "no instance with this id"},
			row{c.sent + ": purge", request{method: "DELETE", target: instances + "/" + c.id}, 404, "no instance with this id"},
		)
	}
	rows = append(rows,
		row{"more segments than a route has: start", request{method: "POST", target: starts + "/../../x", body: body}, 404, ""},
		row{"more segments than a route has: read", request{method: "GET", target: instances + "/../../../../etc/passwd"}, 404, ""},
		row{"what is no encoding", request{method: "DELETE", target: instances + "/%zz..%2"}, 400, ""},
		row{"no id: purge", request{method: "DELETE", target: instances + "/"}, 400, "createdTimeFrom"},
		row{"no id: terminate", request{method: "POST", target: instances + "//terminate"}, 404, ""},
		row{"another instance behind a good id: purge", request{method: "DELETE", target: instances + "/order-0/../order-0"}, 404, ""},
		row{"a page of the folder above", request{method: "GET", target: "/i/%2e%2e%2f%2e%2e%2fLINKS"}, 404, "no instance"},
		row{"a page of a path", request{method: "GET", target: "/i/a%2Fb"}, 404, "no instance"},
		row{"a page's button on a path", request{method: "POST", target: "/i/x%2F..%2Forder-1/terminate", headers: []string{form}}, 404, "no instance"},
		row{"a page that leads to another site", request{method: "GET", target: "//evil.example/%2e%2e"}, 307, ""},
		row{"a mail of the folder above", request{method: "GET", target: "/mail/..%2f..%2fLINKS"}, 404, "no such mail"},
		row{"a mail of a path", request{method: "GET", target: "/mail/a%2Fb"}, 404, "no such mail"},
		row{"a mail of 64 characters", request{method: "GET", target: "/mail/" + strings.Repeat("%2F", 64)}, 404, "no such mail"},
		row{"the file of keys", request{method: "GET", target: "/LINKS"}, 404, ""},
	)
	w.refused(rows)
}

// TestWhereAnUncleanPathLeads: a redirect stays on this server.
func TestWhereAnUncleanPathLeads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, target := range []string{"//evil.example/%2e%2e", "//evil.example//", `/\evil.example/..//`, "/i/..//evil.example", "/.//evil.example/", "///evil.example/../x//"} {
		a := w.send(request{method: "GET", target: target})
		if to := a.header.Get("Location"); strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`) || strings.Contains(to, "://") {
			t.Errorf("%s leads to %s", target, to)
		}
	}
}

// TestAnIDThatOnlyLooksLikeAPathIsTakenLiterally: it is decoded once, everywhere, and names one instance of its own.
func TestAnIDThatOnlyLooksLikeAPathIsTakenLiterally(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.place(order("0"))
	const id = "%2e%2e%2forder-0"
	w.do("POST", starts+"/"+escape(id), `{"order":`+order("0")+`}`, 202)
	w.becomes(id, "Failed") // because order 0 is processed by instance order-0 only
	if ids := w.ids(); len(ids) != 2 || !slices.Contains(ids, id) {
		t.Errorf("there are %q", ids)
	}
	if page := w.do("GET", "/i/"+escape(id), "", 200); !strings.Contains(page, "/i/"+escape(id)+"/purge") {
		t.Errorf("the page's button leads elsewhere: %s", page)
	}
	w.do("DELETE", instances+"/"+escape(id), "", 200)
	if ids := w.ids(); len(ids) != 1 || ids[0] != "order-0" {
		t.Errorf("after its purge there are %q", ids)
	}
}

func TestContinuationTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"0", "1", "2"} {
		w.place(order(id))
	}
	const header = "X-Ms-Continuation-Token"
	page := w.send(request{method: "GET", target: instances + "?top=1"})
	token := page.header.Get(header)
	said, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(said) < 20 {
		t.Fatalf("the token is %q", token)
	}
	from := "createdTimeFrom=" + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	var rows []row
	for _, c := range []struct{ sent, token, query string }{
		{"what is no token", "order-1", ""},
		{"an empty place", encode("."), ""},
		{"a token that was cut", token[:len(token)-2], ""},
		{"a token with more behind it", token + "AAAA", ""},
		{"a token in another spelling", token + "==", ""},
		{"a token with a bit turned in its place", encode(string(said[0]^1) + string(said[1:])), ""},
		{"a token with a bit turned in its sum", encode(string(said[:len(said)-1]) + string(said[len(said)-1]^1)), ""},
		{"a place without a sum", encode(strings.Split(string(said), ".")[0]), ""},
		{"a path for a place", encode("../../LINKS." + strings.Split(string(said), ".")[1]), ""},
		{"a token of another query", token, "&instanceIdPrefix=order-1"},
		{"a token of another status", token, "&runtimeStatus=Failed"},
		{"a token of a megabyte", strings.Repeat("A", 500_000), ""},
	} {
		headers := []string{header + ": " + c.token}
		rows = append(rows, row{c.sent + ": list", request{method: "GET", target: instances + "?top=1" + c.query, headers: headers}, 400, ""},
			row{c.sent + ": purge", request{method: "DELETE", target: instances + "?" + from + c.query, headers: headers}, 400, ""},
			row{c.sent + ": page", request{method: "GET", target: "/?after=" + escape(c.token)}, 400, ""})
	}
	rows = append(rows, row{"a list's token to purge", request{method: "DELETE", target: instances + "?" + from, headers: []string{header + ": " + token}}, 400, ""})
	w.refused(rows)
	if a := w.send(request{method: "GET", target: instances + "?top=1", headers: []string{header + ": " + token}}); a.status != 200 || a.body == page.body {
		t.Errorf("the token itself is answered %d %s", a.status, a.body)
	}
}
