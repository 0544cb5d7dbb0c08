package security_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// What a page would run if it did not take it for text. Ids have no slash.
const (
	script = `<script>alert(1)</script>`
	image  = `"><img src=x onerror=alert(2)>`
	attack = script + image + `' onmouseover='alert(3)`
)

var (
	// live is markup that came out of a value: pages have none of these themselves.
	live = regexp.MustCompile(`(?i)<(script|img|svg)\b|<[^>]*[\s/]on[a-z]+\s*=`)
	// value is that of an attribute, which may say anything as long as it does not end early.
	value = regexp.MustCompile(`="[^"]*"`)
)

// found is the markup of a page that came out of a value.
func found(page string) string { return live.FindString(value.ReplaceAllString(page, `=""`)) }

// TestMarkupInAnOrder puts markup wherever a person may write, and looks at each page that shows it.
func TestMarkupInAnOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.place(large("1", `"name":"Ada"`, `"name":`+quoted(attack), `"1 Main St"`, quoted(attack), `"Berlin"`, quoted(attack), `"BOOK-1"`, quoted(`<img/src=x/onerror=alert(2)>`), "tok_visa", "<script>alert(1)<"))
	link := w.linksOf("order-1")[0]
	w.do("POST", instances+"/order-1/raiseEvent/"+escape(image), quoted(attack), 202)
	w.do("POST", instances+"/order-1/suspend?reason="+escape(attack), "", 202)
	w.becomes("order-1", "Suspended")
	pages := []string{"/", "/?prefix=" + escape(attack), "/?after=" + escape(attack), "/i/order-1", "/i/order-1?done=" + escape(attack), "/i/" + escape(image), "/mail", "/mail?instance=" + escape(attack), "/links/" + link}
	strange := image // for an id
	w.do("POST", starts+"/"+escape(strange), `{"order":`+order("2")+`}`, 202)
	w.becomes(strange, "Failed") // it is not the id of that order
	pages = append(pages, "/i/"+escape(strange))
	for _, target := range pages {
		w.textOnly(target, w.send(request{method: "GET", target: target}))
	}
	for _, data := range []string{attack, quoted(attack)} { // a form that is refused is shown again
		w.textOnly("a form", w.send(request{method: "POST", target: "/i/order-1/raise", body: "event=" + url.QueryEscape(" ") + "&data=" + url.QueryEscape(data), headers: []string{form}}))
	}
	w.do("POST", instances+"/order-1/resume", "", 202)
	w.do("POST", instances+"/order-1/raiseEvent/Approval", `{"approved":false,"by":`+quoted(attack)+`,"comment":`+quoted(attack)+`}`, 202)
	w.becomes("order-1", "Failed")
	for _, target := range []string{"/", "/i/order-1", "/mail", "/links/" + link} {
		a := w.send(request{method: "GET", target: target})
		w.textOnly(target, a)
		if target != "/links/"+link && !strings.Contains(a.body, "&lt;img src=x") {
			t.Errorf("%s does not show the text at all", target)
		}
	}

	seen := 0
	for _, m := range w.mails() {
		if found(m.HTML) != "" {
			t.Errorf("a mail has markup of an order: %s", m.HTML)
		}
		if strings.Contains(m.HTML, "&lt;script&gt;") {
			seen++
		}
		if strings.Contains(m.Subject, "<") {
			t.Errorf("a subject has markup: %s", m.Subject)
		}
	}
	if seen < 3 {
		t.Errorf("%d mails show the name", seen)
	}
}

// TestMarkupIsNoPage: what is JSON is never a page, whatever is in it.
func TestMarkupIsNoPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.place(large("1", `"name":"Ada"`, `"name":`+quoted(attack)))
	for _, r := range []request{
		{method: "GET", target: instances + "/order-1", headers: []string{"Accept: text/html"}},
		{method: "GET", target: instances + "?q=" + escape(script)},
		{method: "GET", target: "/mail.json", headers: []string{"Accept: text/html"}},
		{method: "POST", target: base + "/orchestrators/" + escape(image), body: "1"},
		{method: "POST", target: "/orders", body: order("2", `"EUR"`, quoted(script))},
		{method: "POST", target: "/orders", body: `{"` + `<script>alert(1)<\/script>` + `":1}`},
		{method: "GET", target: instances + "/" + escape(image)},
		{method: "POST", target: instances + "/order-1/reset", body: `{"operation":` + quoted(script) + `}`},
	} {
		a := w.send(r)
		if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/") || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s is answered %d as %q, %v", r.method, r.target, a.status, kind, a.header)
		}
	}
}

// textOnly holds a page to showing text as text, and to letting nothing run should it not.
func (w *world) textOnly(what string, a answer) {
	w.t.Helper()
	// A mail is shown in a frame whose own markup is in an attribute, and runs no script.
	if markup := found(a.body); markup != "" {
		w.t.Errorf("%s has the markup %s", what, markup)
	}
	if frames, boxed := strings.Count(a.body, "<iframe"), strings.Count(a.body, `sandbox=""`); frames != boxed {
		w.t.Errorf("%s has %d frames, %d of them sandboxed", what, frames, boxed)
	}
	policy := a.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "script-src") {
		w.t.Errorf("%s has the policy %q", what, policy)
	}
	w.decent(a)
}
