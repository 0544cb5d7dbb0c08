package ses_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
	"github.com/durable-lambda/durable-lambda/durable/mail/ses"
)

// read reads a raw mail back as a mail program does.
func read(t *testing.T, raw []byte) mail.Mail {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("what was sent is no mail: %v\n%s", err, raw)
	}
	got := mail.Mail{To: address(t, m, "To"), From: address(t, m, "From")}
	if got.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatalf("Subject: %v", err)
	}
	for word := range strings.FieldsSeq(m.Header.Get("Subject")) {
		if strings.HasPrefix(word, "=?") && len(word) > 75 {
			t.Errorf("an encoded word has %d characters; RFC 2047 allows 75: %s", len(word), word)
		}
	}
	for name := range m.Header {
		switch name {
		case "To", "From", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type", "Content-Transfer-Encoding":
		default:
			t.Errorf("the mail has a header %s that nobody asked for", name)
		}
	}
	readBody(t, textproto.MIMEHeader(m.Header), m.Body, &got)
	return got
}

func address(t *testing.T, m *netmail.Message, name string) string {
	t.Helper()
	list, err := m.Header.AddressList(name)
	if err != nil || len(list) != 1 {
		t.Fatalf("%s: %q holds %d addresses: %v", name, m.Header.Get(name), len(list), err)
	}
	return list[0].String()
}

func readBody(t *testing.T, h textproto.MIMEHeader, body io.Reader, got *mail.Mail) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		t.Fatalf("Content-Type: %v", err)
	}
	if kind == "multipart/alternative" {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatalf("multipart: %v", err)
			}
			readBody(t, part.Header, part, got)
		}
	}
	switch h.Get("Content-Transfer-Encoding") {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("body: %v", err)
	}
	if !strings.EqualFold(params["charset"], "utf-8") {
		t.Errorf("the charset of %s is %q; want UTF-8", kind, params["charset"])
	}
	switch kind {
	case "text/plain":
		got.Text = string(text)
	case "text/html":
		got.HTML = string(text)
	default:
		t.Errorf("a part is %s", kind)
	}
}

// lines makes line ends comparable: on the wire all of them are CR LF.
func lines(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.ReplaceAll(s, "\r", "\n")
}

func roundTrip(t *testing.T, sent mail.Mail) {
	t.Helper()
	api := &fakeSES{}
	if err := ses.New(api.client().SendRawEmail, ses.Options{}).Send(t.Context(), "key", sent); err != nil {
		t.Fatalf("Send: %v", err)
	}
	for line := range bytes.SplitSeq(api.raw[0], []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsFunc(line, func(r rune) bool { return r > '~' || r == '\n' || r == '\r' }) {
			t.Errorf("a line is not ASCII of at most 998 bytes: %q", line)
		}
	}
	want, got := sent, read(t, api.raw[0])
	for _, a := range []*string{&want.To, &want.From} {
		parsed, err := netmail.ParseAddress(*a)
		if err != nil {
			t.Fatal(err)
		}
		*a = parsed.String()
	}
	want.InstanceID = ""
	want.Text, want.HTML, got.Text, got.HTML = lines(want.Text), lines(want.HTML), lines(got.Text), lines(got.HTML)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the mail that SES was given is another (-want +got):\n%s", diff)
	}
}

func TestSendGivesSESTheMail(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*mail.Mail){
		"a plain mail":              func(*mail.Mail) {},
		"text only":                 func(m *mail.Mail) { m.HTML = "" },
		"HTML only":                 func(m *mail.Mail) { m.Text = "" },
		"a subject of Japan":        func(m *mail.Mail) { m.Subject = strings.Repeat("注文", mail.MaxSubject/2) },
		"an emoji at a seam":        func(m *mail.Mail) { m.Subject = "a" + strings.Repeat("🙂", 60) },
		"a long word":               func(m *mail.Mail) { m.Subject = strings.Repeat("x", mail.MaxSubject) },
		"what looks encoded":        func(m *mail.Mail) { m.Subject = "=?utf-8?q?Hello=0D=0ABcc:_eve@example.com?=" },
		"much that looks encoded":   func(m *mail.Mail) { m.Subject = "=?utf-8?q?Hello?= " + strings.Repeat("注", 99) },
		"a name of Germany":         func(m *mail.Mail) { m.To = `"Jürgen, Groß" <j.g+x@example.com>` },
		"a long name":               func(m *mail.Mail) { m.From = strings.Repeat("ü", mail.MaxName) + " <shop@example.com>" },
		"a quoted address":          func(m *mail.Mail) { m.To = `"eve@evil.example,ada"@example.com` },
		"lines that begin with dot": func(m *mail.Mail) { m.Text = "a\n.\n..\nFrom b\n" },
		"a boundary look-alike":     func(m *mail.Mail) { m.Text = "--a\n--\n" },
		"a long line":               func(m *mail.Mail) { m.HTML = strings.Repeat("<b>ü</b>", 2000) },
		"spaces at the end":         func(m *mail.Mail) { m.Text = "a \t\nb  " },
		"a body at its limit":       func(m *mail.Mail) { m.Text, m.HTML = "", strings.Repeat("=", mail.MaxBody) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mailtest.Sample("Grüße")
			change(&m)
			roundTrip(t, m)
		})
	}
}

func TestSendMailsAQuotedAddressToThatAddressOnly(t *testing.T) {
	t.Parallel()
	api := &fakeSES{}
	m := mailtest.Sample("Hello")
	m.To = `"eve@evil.example,ada"@example.com`
	if err := ses.New(api.client().SendRawEmail, ses.Options{}).Send(t.Context(), "key", m); err != nil {
		t.Fatalf("Send: %v", err)
	}
	if got := api.requests[0]["Destinations.member.1"]; got != m.To {
		t.Errorf("the destination is %s; want %s", got, m.To)
	}
}

func FuzzSendGivesSESTheMail(f *testing.F) {
	f.Add("Ada <ada@example.com>", "Hello", "text", "<p>html")
	f.Add("Ada\r\nBcc: <eve@example.com>", "Hello\r\nBcc: eve@example.com", "a\r\n.\r\n", "")
	f.Fuzz(func(t *testing.T, to, subject, text, html string) {
		m := mail.Mail{To: to, From: "shop@example.com", Subject: subject, Text: text, HTML: html}
		if m.Check() != nil || strings.TrimSpace(subject) != subject || !isASCII(to) {
			return
		}
		roundTrip(t, m)
	})
}

func isASCII(s string) bool { return utf8.RuneCountInString(s) == len(s) }
