package security_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/links"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// life is a client that knows one life of an instance.
type life struct {
	durable.Client
	id, incarnation string
}

func (l life) Get(context.Context, string, ...durable.GetOption) (durable.Instance, error) {
	return durable.Instance{ID: l.id, Incarnation: l.incarnation, Status: durable.Running}, nil
}

// signedBy makes a link for that life with a ring, at a time, that is good for an hour.
func signedBy(t *testing.T, ring links.Ring, id, incarnation string, at time.Time) string {
	t.Helper()
	l, err := links.New(links.Config{Keys: func(context.Context) (links.Ring, error) { return ring, nil }, Now: func() time.Time { return at },
		Address: func(context.Context) (string, error) { return "http://x", nil }, Table: memory.New(memory.Options{}).Backend().Table, Client: life{nil, id, incarnation}})
	if err != nil {
		t.Fatal(err)
	}
	u, err := links.URL(links.With(t.Context(), l), orders.Approval, id, orders.Decision{Approved: true}, at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u, "http://x/links/")
}

// incarnation is the life that a link is for, read out of it.
func incarnation(t *testing.T, token, id string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := bytes.Cut(b, []byte(id))
	if !ok || int(rest[0]) >= len(rest) {
		t.Fatalf("the link has no incarnation: %q", b)
	}
	return string(rest[1 : 1+int(rest[0])])
}

// edited is a token in which bytes stand for others, under the signature that it had.
func edited(t *testing.T, token, from, to string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || !bytes.Contains(b, []byte(from)) || len(from) != len(to) {
		t.Fatalf("%q is not in the link: %v", from, err)
	}
	return base64.RawURLEncoding.EncodeToString(bytes.Replace(b, []byte(from), []byte(to), 1))
}

func TestLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.place(large("1")) // waits
	w.place(large("2")) // waits
	w.place(large("3")) // was approved by its link
	yes, no, second, used := w.linksOf("order-1")[0], w.linksOf("order-1")[1], w.linksOf("order-2")[0], w.linksOf("order-3")
	w.do("POST", "/links/"+used[0], "", 200)
	w.becomes("order-3", "Completed")
	here := incarnation(t, yes, "order-1")
	expired := signedBy(t, w.ring(), "order-1", here, time.Now().Add(-2*time.Hour))
	another := signedBy(t, w.ring(), "order-1", incarnation(t, second, "order-2"), time.Now())
	foreign := signedBy(t, links.NewRing(time.Now()), "order-1", here, time.Now())
	var rows []row
	for _, c := range []struct {
		sent, token string
		answered    int
		says        string
	}{
		{"no token", "", 404, "no link of ours"},
		{"a token of nothing", "AAAA", 404, "no link of ours"},
		{"text that is no token", "approve?id=order-1", 404, "no link of ours"},
		{"a link that was cut", yes[:len(yes)-1], 404, "no link of ours"},
		{"a link with more behind it", yes + "A", 404, "no link of ours"},
		{"a link twice", yes + yes, 404, "no link of ours"},
		{"a link in another spelling", yes + "=", 404, "no link of ours"},
		{"a link with its last bit turned", turned(t, yes), 404, "no link of ours"},
		{"the signature of another instance's link", edited(t, second, "order-2", "order-1"), 404, "no link of ours"},
		{"a link, with another instance written in", edited(t, yes, "order-1", "order-2"), 404, "no link of ours"},
		{"the link that rejects, made to approve", edited(t, no, `"approved":false`, `"approved":true `), 404, "no link of ours"},
		{"another event written in", edited(t, yes, "Approval", "Anything"), 404, "no link of ours"},
		{"the other link's body under this signature", spliced(t, yes, second), 404, "no link of ours"},
		{"the key of another server", foreign, 404, "no link of ours"},
		{"an expired link", expired, 410, "expired"},
		{"an expired link with a later expiry written in", later(t, expired), 404, "no link of ours"},
		{"a replayed link", used[0], 410, "used before"},
		{"the other link of an order that is over", used[1], 410, "Nobody waits"},
		{"a link of another life of the instance", another, 410, "Nobody waits"},
		{"a token of a megabyte", strings.Repeat("A", 500_000), 404, "no link of ours"},
	} {
		rows = append(rows, row{c.sent + ", looked at", request{method: "GET", target: "/links/" + c.token}, c.answered, c.says},
			row{c.sent + ", followed", request{method: "POST", target: "/links/" + c.token}, c.answered, c.says})
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
		rows = append(rows, row{"a good link with " + method, request{method: method, target: "/links/" + yes}, 405, ""})
	}
	rows = append(rows,
		row{"a good link that a scanner looks at", request{method: "GET", target: "/links/" + yes}, 200, "Nothing has happened yet"},
		row{"a good link that a scanner asks about", request{method: "HEAD", target: "/links/" + yes}, 200, ""},
		row{"a good link that a page of another site follows", request{method: "POST", target: "/links/" + yes, headers: []string{"Sec-Fetch-Site: cross-site"}}, 403, "another site"},
		row{"a good link under another name of this machine", request{method: "POST", target: "/links/" + yes, headers: []string{"Host: evil.example"}}, 421, "only for this machine"},
		row{"a link where the path says another", request{method: "POST", target: "/links/../links/" + yes}, 404, "no link of ours"},
	)
	w.refused(rows)
	w.do("POST", "/links/"+yes, "", 200) // after all that it is still good
}

// turned is a token with another last bit.
func turned(t *testing.T, token string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	return base64.RawURLEncoding.EncodeToString(b)
}

// spliced is what one token says under the signature of the other.
func spliced(t *testing.T, signature, body string) string {
	t.Helper()
	s, err := base64.RawURLEncoding.DecodeString(signature)
	b, err2 := base64.RawURLEncoding.DecodeString(body)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return base64.RawURLEncoding.EncodeToString(append(b[:len(b)-32], s[len(s)-32:]...))
}

// later is a token that expires days later, under the signature that it had: bytes 1 to 8 are when.
func later(t *testing.T, token string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	b[6]++
	return base64.RawURLEncoding.EncodeToString(b)
}
