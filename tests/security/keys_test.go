package security_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/access"
	"github.com/durable-lambda/durable-lambda/durable/dev"
)

// newKeyedWorld is a server that asks for keys, and a key for each set of permissions, by its name.
func newKeyedWorld(t *testing.T) (*world, map[string]string) {
	t.Helper()
	w := newWorld(t, func(c *dev.Config) { c.Keys = true })
	keys, hashes := map[string]string{}, map[string]string{}
	add := func(name string, may access.Permission, expires time.Time) {
		text, k, err := access.NewKey(name, may, expires)
		if err != nil {
			t.Fatal(err)
		}
		if err := (access.Stored{Table: w.table}).Edit(t.Context(), func(f *access.File) error { return f.Add(k) }); err != nil {
			t.Fatal(err)
		}
		keys[name], hashes[name] = text, k.Hash
	}
	add("all", access.All, time.Time{})
	add("read", access.Read, time.Time{})
	add("operate", access.Operate, time.Time{})
	add("administer", access.Administer, time.Time{})
	add("expired", access.All, time.Now().Add(-time.Second))
	keys["hash"] = hashes["all"]
	w.key = keys["all"]
	return w, keys
}

// change is a request that changes something, or shows something, and the permissions that it needs.
type change struct {
	what string
	request
	needs access.Permission
}

func changes(order string) []change {
	at := instances + "/order-1"
	return []change{
		{"list", request{method: "GET", target: instances}, access.Read},
		{"read", request{method: "GET", target: at + "?showHistory=true"}, access.Read},
		{"describe", request{method: "GET", target: "/openapi.json"}, access.Read},
		{"the list's page", request{method: "GET", target: "/"}, access.Read},
		{"the instance's page", request{method: "GET", target: "/i/order-1"}, access.Read},
		{"the mailbox", request{method: "GET", target: "/mail"}, access.Read},
		{"all mail", request{method: "GET", target: "/mail.json"}, access.Read},
		{"start", request{method: "POST", target: starts + "/order-2", body: `{"order":` + order + `}`}, access.Operate},
		{"start and wait", request{method: "POST", target: starts + "/order-2?timeout=1", body: `{"order":` + order + `}`}, access.Operate | access.Read},
		{"raise an event", request{method: "POST", target: at + "/raiseEvent/Approval", body: `{"approved":true}`}, access.Operate},
		{"terminate", request{method: "POST", target: at + "/terminate"}, access.Operate},
		{"suspend", request{method: "POST", target: at + "/suspend"}, access.Operate},
		{"resume", request{method: "POST", target: at + "/resume"}, access.Operate},
		{"restart", request{method: "POST", target: instances + "/order-0/restart"}, access.Operate},
		{"restart and wait", request{method: "POST", target: instances + "/order-0/restart?timeout=1"}, access.Operate | access.Read},
		{"report a result", request{method: "POST", target: base + "/activities/x/complete"}, access.Operate},
		{"rewind", request{method: "POST", target: instances + "/order-0/rewind"}, access.Administer},
		{"reset", request{method: "POST", target: at + "/reset", body: `{"operation":"0"}`}, access.Administer},
		{"purge", request{method: "DELETE", target: instances + "/order-0"}, access.Administer},
		{"purge many", request{method: "DELETE", target: instances + "?createdTimeFrom=2020-01-01T00:00:00Z"}, access.Administer},
		{"place an order", request{method: "POST", target: "/orders", body: order}, access.All},
		{"the page's button to terminate", request{method: "POST", target: "/i/order-1/terminate", headers: []string{form}}, access.All},
		{"the page's button to purge", request{method: "POST", target: "/i/order-0/purge", body: "sure=yes", headers: []string{form}}, access.All},
	}
}

const form = "Content-Type: application/x-www-form-urlencoded"

func basic(key string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+key))
}

func TestKeys(t *testing.T) {
	t.Parallel()
	w, keys := newKeyedWorld(t)
	w.place(order("0"))
	w.place(large("1"))
	link := w.linksOf("order-1")[0]
	var rows []row
	for _, c := range changes(order("2")) {
		send := func(who string, status int, says string, headers ...string) {
			r := c.request
			r.headers = append(append([]string{}, r.headers...), headers...)
			rows = append(rows, row{c.what + ", with " + who, r, status, says})
		}
		send("no key", 401, "needs a key")
		send("a wrong key", 401, "needs a key", "x-functions-key: durable_"+keys["hash"])
		send("an expired key", 401, "needs a key", "x-functions-key: "+keys["expired"])
		send("the hash that is kept of a key", 401, "needs a key", "x-functions-key: "+keys["hash"])
		send("a link in the place of a key", 401, "needs a key", "x-functions-key: "+link)
		for name, may := range map[string]access.Permission{"read": access.Read, "operate": access.Operate, "administer": access.Administer} {
			if !may.Has(c.needs) {
				send("a key that may "+name, 403, "not good for this", "x-functions-key: "+keys[name])
			}
		}
		if c.method != "GET" {
			send("a browser's password, from a page of another site", 403, "another site", basic(keys["all"]), "Sec-Fetch-Site: cross-site", "Origin: https://evil.example")
		}
	}
	for what, headers := range map[string][]string{
		"a wrong key before a good password": {"x-functions-key: x", basic(keys["all"])},
		"a good key of another scheme":       {"Authorization: Digest " + keys["all"]},
		"a good key as the name of a user":   {"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(keys["all"]+":"))},
		"a good key in a cookie":             {"Cookie: code=" + keys["all"]},
	} {
		rows = append(rows, row{what, request{method: "GET", target: instances, headers: headers}, 401, "needs a key"})
	}
	for _, target := range []string{ // which a router and a guard could read differently
		"/RUNTIME/WEBHOOKS/durabletask/INSTANCES/order-1/TERMINATE",
		"/runtime/webhooks/durabletask/instances/order-1/terminate/",
		"/runtime/webhooks/durabletask/instances/order%2d1/%74erminate",
		"/%72untime/webhooks/durabletask/instances/order-1/terminate",
		"/runtime%2fwebhooks%2fdurabletask/instances/order-1/terminate",
		"//runtime/webhooks/durabletask/instances/order-1/terminate",
		"/runtime/./webhooks/durabletask/instances/order-1/terminate",
		"/links/../runtime/webhooks/durabletask/instances/order-1/terminate",
		"/links%2f..%2fruntime/webhooks/durabletask/instances/order-1/terminate",
		"/i/order-1/terminate/../terminate",
		"/mail/../i/order-1/terminate",
		"http://" + w.addr + "/i/order-1/terminate",
	} {
		status, says := 401, "needs a key"
		if target[:6] == "/links" { // for which nobody needs a key, and which lead nowhere else
			status, says = 404, "no link of ours"
		}
		rows = append(rows, row{"terminate as " + target + ", with no key", request{method: "POST", target: target}, status, says})
		if status == 401 {
			rows = append(rows, row{"terminate as " + target + ", as one who may read", request{method: "POST", target: target, headers: []string{"x-functions-key: " + keys["read"]}}, 403, "not good for this"})
		}
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "terminate", "post"} {
		for _, target := range []string{instances + "/order-1/terminate", "/i/order-1/terminate"} {
			rows = append(rows, row{"terminate with " + method + " to " + target + ", with no key", request{method: method, target: target}, 401, ""},
				row{"terminate with " + method + " to " + target + " and a header that says POST", request{method: method, target: target, headers: []string{"X-HTTP-Method-Override: POST"}}, 401, ""})
			status := 404
			if target[:3] == "/i/" && method != "GET" && method != "HEAD" {
				status = 403
			}
			rows = append(rows, row{"terminate with " + method + " to " + target + ", as one who may read", request{method: method, target: target, headers: []string{"x-functions-key: " + keys["read"]}}, status, ""})
		}
	}
	w.refused(rows)
}
