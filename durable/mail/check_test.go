package mail_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
)

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for name, m := range mailtest.Invalid() {
		if err := m.Check(); !errors.Is(err, mail.ErrInvalid) {
			t.Errorf("%s: Check() = %v; want an error that wraps ErrInvalid", name, err)
		}
	}
}

func TestCheckNamesTheField(t *testing.T) {
	t.Parallel()
	m := mailtest.Sample("Hello\r\nBcc: eve@example.com")
	const want = `invalid mail: Subject contains '\r'; line breaks and control characters are not allowed there`
	if err := m.Check(); err == nil || err.Error() != want {
		t.Errorf("Check() = %v; want %s", err, want)
	}
}

func TestCheckAccepts(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*mail.Mail){
		"a plain mail":        func(*mail.Mail) {},
		"text only":           func(m *mail.Mail) { m.HTML = "" },
		"HTML only":           func(m *mail.Mail) { m.Text = "" },
		"no sender":           func(m *mail.Mail) { m.From = "" },
		"a subject of Japan":  func(m *mail.Mail) { m.Subject = strings.Repeat("注", mail.MaxSubject) },
		"a name of Germany":   func(m *mail.Mail) { m.To = `"Jürgen Groß" <j.g+x@example.com>` },
		"a body at its limit": func(m *mail.Mail) { m.Text, m.HTML = "", strings.Repeat("\"", mail.MaxBody) },
	} {
		m := mailtest.Sample("subject")
		change(&m)
		if err := m.Check(); err != nil {
			t.Errorf("%s: Check() = %v; want nil", name, err)
		}
	}
}

func FuzzCheckKeepsHeadersToOneLine(f *testing.F) {
	for _, m := range mailtest.Invalid() {
		f.Add(m.To, m.From, m.Subject, m.Text)
	}
	f.Add("Ada <ada@example.com>", "", "Hello", "text")
	f.Fuzz(func(t *testing.T, to, from, subject, text string) {
		m := mail.Mail{To: to, From: from, Subject: subject, Text: text}
		if m.Check() != nil {
			return
		}
		for _, header := range []string{m.To, m.From, m.Subject} {
			if strings.ContainsFunc(header, unicode.IsControl) {
				t.Errorf("Check() accepted %q in a header", header)
			}
		}
		box := mail.NewMailbox(newTable(), mail.MailboxOptions{})
		if err := box.Send(t.Context(), "key", m); err != nil {
			t.Errorf("the mailbox refused what Check accepted: %v", err)
		}
	})
}
