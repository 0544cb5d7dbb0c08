package mail_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
)

func get(t *testing.T, box *mail.Mailbox, url string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	box.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))
	return w
}

func filledBox(t *testing.T) *mail.Mailbox {
	t.Helper()
	box := mail.NewMailbox(newTable(), mail.MailboxOptions{Now: (&clock{start}).read})
	for _, m := range []mail.Mail{
		{To: "ada@example.com", From: "shop@example.com", Subject: "one", Text: "first", HTML: `<p title="x">first</p>`, InstanceID: "order-1"},
		{To: "bob@example.com", From: "shop@example.com", Subject: "two <b>", Text: "<script>alert(1)</script>", InstanceID: "order-2"},
	} {
		if err := box.Send(t.Context(), m.Subject, m); err != nil {
			t.Fatalf("Send: %v", err)
		}
	}
	return box
}

func TestMailJSON(t *testing.T) {
	t.Parallel()
	box := filledBox(t)
	one := `{"to":"ada@example.com","from":"shop@example.com","subject":"one","text":"first","html":"<p title=\"x\">first</p>","instanceId":"order-1","sentAt":"2026-07-01T12:00:01.000Z"}`
	two := `{"to":"bob@example.com","from":"shop@example.com","subject":"two <b>","text":"<script>alert(1)</script>","html":"","instanceId":"order-2","sentAt":"2026-07-01T12:00:02.000Z"}`
	for url, want := range map[string]string{
		"/mail.json":                  "[" + two + "," + one + "]",
		"/mail.json?limit=1":          "[" + two + "]",
		"/mail.json?limit=x":          "[" + two + "," + one + "]",
		"/mail.json?instance=order-1": "[" + one + "]",
		"/mail.json?instance=order-3": "[]",
	} {
		w := get(t, box, url)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", url, w.Code, w.Header().Get("Content-Type"))
		}
		var got, expected any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", url, diff)
		}
	}
}

func TestMailPageShowsMailSafely(t *testing.T) {
	t.Parallel()
	box := filledBox(t)
	w := get(t, box, "/mail")
	body := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("status %d, headers %v", w.Code, w.Header())
	}
	if strings.Contains(body, "<script") || strings.Contains(body, "two <b>") {
		t.Error("the page holds a mail's text as markup")
	}
	frame := regexp.MustCompile(`<iframe[^>]* sandbox="" [^>]*srcdoc="([^"]*)"`).FindStringSubmatch(body)
	if frame == nil {
		t.Fatalf("there is no sandboxed frame:\n%s", body)
	}
	if got, want := html.UnescapeString(frame[1]), `<p title="x">first</p>`; got != want {
		t.Errorf("the frame holds %q; want %q", got, want)
	}
	if strings.Index(body, "two &lt;b&gt;") > strings.Index(body, "<strong>one") {
		t.Error("the newest mail is not first")
	}
}

func TestMailPages(t *testing.T) {
	t.Parallel()
	box := filledBox(t)
	link := regexp.MustCompile(`href="(/mail/[0-9a-f]{64})"`).FindStringSubmatch(get(t, box, "/mail?instance=order-1").Body.String())
	if link == nil {
		t.Fatal("the page about order-1 has no link to its mail")
	}
	for url, want := range map[string]struct {
		code int
		text string
	}{
		link[1]:                  {http.StatusOK, "<title>one</title>"},
		"/mail?instance=order-9": {http.StatusOK, "No mail about it yet."},
		"/mail/nothing":          {http.StatusNotFound, "There is no such mail."},
	} {
		w := get(t, box, url)
		if w.Code != want.code || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d, want %d with %q:\n%s", url, w.Code, want.code, want.text, w.Body)
		}
	}
}

func TestMailPageLinksToOlderMail(t *testing.T) {
	t.Parallel()
	box := mail.NewMailbox(newTable(), mail.MailboxOptions{Now: (&clock{start}).read})
	for i := range 51 {
		m := mailtest.Sample("newer")
		if i == 0 {
			m.Subject = "the oldest"
		}
		if err := box.Send(t.Context(), strings.Repeat("k", i+1), m); err != nil {
			t.Fatal(err)
		}
	}
	body := get(t, box, "/mail?instance=order-1").Body.String()
	older := regexp.MustCompile(`href="([^"]*)">Older mail`).FindStringSubmatch(body)
	if older == nil || strings.Contains(body, "the oldest") {
		t.Fatalf("the first page has no link to older mail, or all of it:\n%s", body)
	}
	body = get(t, box, html.UnescapeString(older[1])).Body.String()
	if !strings.Contains(body, "the oldest") || strings.Contains(body, "newer") {
		t.Errorf("the second page does not hold the oldest mail alone:\n%s", body)
	}
}
