package mailtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/mail"
)

// Harness is a mailer under test.
type Harness struct {
	Mailer mail.Mailer
	// Subjects returns the subjects of the mail that went out, in any order. Nil skips what cannot be seen without it.
	Subjects func(t *testing.T) []string
	// Once says that the mailer promises to send each key once.
	Once bool
}

// Conformance checks that a mailer keeps the contract of mail.Mailer. It calls open for a fresh one for each test.
func Conformance(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for _, rule := range rules {
		t.Run(rule.says, func(t *testing.T) {
			t.Parallel()
			rule.check(t, open(t))
		})
	}
}

// rules are the contract, a sentence each.
var rules = []struct {
	says  string
	check func(t *testing.T, h Harness)
}{
	{"sends a mail", func(t *testing.T, h Harness) {
		send(t, h, "key", Sample("one"))
		h.wantSubjects(t, "one")
	}},
	{"sends mail of different keys", checkKeys},
	{"refuses what is invalid and sends none of it", checkInvalid},
	{"sends after it refused", func(t *testing.T, h Harness) {
		_ = h.Mailer.Send(t.Context(), "key", mail.Mail{})
		send(t, h, "key", Sample("one"))
		h.wantSubjects(t, "one")
	}},
	{"does not say that it sent when its context has ended", func(t *testing.T, h Harness) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.Mailer.Send(ctx, "key", Sample("one")); err == nil {
			h.wantSubjects(t, "one")
		}
	}},
	{"sends a key once", checkOnce},
	{"sends from many goroutines", func(t *testing.T, h Harness) {
		want := sendConcurrently(t, h)
		h.wantSubjects(t, want...)
	}},
}

// checkKeys sends under keys that differ, of which two do so only at the end of all that a key may have.
func checkKeys(t *testing.T, h Harness) {
	send(t, h, "a", Sample("one"))
	send(t, h, "b", Sample("two"))
	long := strings.Repeat("k", mail.MaxKey-1)
	send(t, h, long+"1", Sample("three"))
	send(t, h, long+"2", Sample("four"))
	h.wantSubjects(t, "four", "one", "three", "two")
}

func checkInvalid(t *testing.T, h Harness) {
	for name, m := range Invalid() {
		if err := h.Mailer.Send(t.Context(), "key", m); !errors.Is(err, mail.ErrInvalid) {
			t.Errorf("%s: Send returned %v; want an error that wraps mail.ErrInvalid", name, err)
		}
	}
	for name, key := range map[string]string{"empty": "", "over-long": strings.Repeat("k", mail.MaxKey+1)} {
		if err := h.Mailer.Send(t.Context(), key, Sample("one")); !errors.Is(err, mail.ErrInvalid) {
			t.Errorf("%s key: Send returned %v; want an error that wraps mail.ErrInvalid", name, err)
		}
	}
	h.wantSubjects(t)
}

func checkOnce(t *testing.T, h Harness) {
	if !h.Once {
		t.Skip("this mailer does not promise that")
	}
	send(t, h, "key", Sample("one"))
	send(t, h, "key", Sample("one"))
	send(t, h, "key", Sample("the first one counts"))
	h.wantSubjects(t, "one")
}

// sendConcurrently sends ten mails at once, each of them twice where the mailer promises to notice.
func sendConcurrently(t *testing.T, h Harness) (subjects []string) {
	var wg sync.WaitGroup
	times := 1
	if h.Once {
		times = 2
	}
	for i := range 10 {
		subject := fmt.Sprintf("mail %d", i)
		subjects = append(subjects, subject)
		for range times {
			wg.Go(func() {
				err := h.Mailer.Send(t.Context(), subject, Sample(subject))
				if err != nil && !errors.Is(err, mail.ErrBusy) {
					t.Errorf("Send returned %v", err)
				}
			})
		}
	}
	wg.Wait()
	return subjects
}

// Sample returns a mail that every mailer takes.
func Sample(subject string) mail.Mail {
	return mail.Mail{
		To: "Ada Lovelace <ada@example.com>", From: "shop@example.com", Subject: subject,
		Text: "Dear Ada,\r\n\tgrüße.\n", HTML: "<p>Dear <b>Ada</b></p>", InstanceID: "order-1",
	}
}

// Invalid returns mail that every mailer refuses, by what is wrong with it.
func Invalid() map[string]mail.Mail {
	with := func(change func(*mail.Mail)) mail.Mail {
		m := Sample("subject")
		change(&m)
		return m
	}
	return map[string]mail.Mail{
		"no recipient":           with(func(m *mail.Mail) { m.To = "" }),
		"malformed recipient":    with(func(m *mail.Mail) { m.To = "ada" }),
		"two recipients":         with(func(m *mail.Mail) { m.To = "ada@example.com, bob@example.com" }),
		"CR LF in recipient":     with(func(m *mail.Mail) { m.To = "ada@example.com\r\nBcc: eve@example.com" }),
		"LF in recipient's name": with(func(m *mail.Mail) { m.To = "Ada\n <ada@example.com>" }),
		"encoded LF in name":     with(func(m *mail.Mail) { m.To = "=?utf-8?q?Ada=0AX?= <ada@example.com>" }),
		"over-long recipient":    with(func(m *mail.Mail) { m.To = "a@" + strings.Repeat("a.", 130) + "example" }),
		"over-long local part":   with(func(m *mail.Mail) { m.To = strings.Repeat("a", 65) + "@example.com" }),
		"malformed sender":       with(func(m *mail.Mail) { m.From = "shop" }),
		"CR in sender":           with(func(m *mail.Mail) { m.From = "shop@example.com\r" }),
		"no subject":             with(func(m *mail.Mail) { m.Subject = " " }),
		"CR LF in subject":       with(func(m *mail.Mail) { m.Subject = "Hello\r\nBcc: eve@example.com" }),
		"NUL in subject":         with(func(m *mail.Mail) { m.Subject = "Hello\x00" }),
		"over-long subject":      with(func(m *mail.Mail) { m.Subject = strings.Repeat("s", mail.MaxSubject+1) }),
		"invalid UTF-8":          with(func(m *mail.Mail) { m.Subject = "\xff" }),
		"no body":                with(func(m *mail.Mail) { m.Text, m.HTML = "\n", "" }),
		"over-long body":         with(func(m *mail.Mail) { m.HTML = strings.Repeat("<", mail.MaxBody) }),
		"NUL in body":            with(func(m *mail.Mail) { m.Text = "a\x00b" }),
		"LF in instance id":      with(func(m *mail.Mail) { m.InstanceID = "order\n1" }),
	}
}

func send(t *testing.T, h Harness, key string, m mail.Mail) {
	t.Helper()
	if err := h.Mailer.Send(t.Context(), key, m); err != nil {
		t.Fatalf("Send(%.40q) returned %v; want nil", key, err)
	}
}

func (h Harness) wantSubjects(t *testing.T, want ...string) {
	t.Helper()
	if h.Subjects == nil {
		return
	}
	got := slices.Sorted(slices.Values(h.Subjects(t)))
	if !slices.Equal(got, want) {
		t.Errorf("the mail that went out has the subjects %q; want %q", got, want)
	}
}
