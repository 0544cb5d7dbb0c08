//go:build e2e

package e2e_test

import (
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// message is a mail that LocalStack has taken.
type message struct{ to, subject, text string }

// sent returns all mails so far, oldest first.
func sent(t *testing.T) (all []message) {
	t.Helper()
	var stored struct{ Messages []struct{ RawData string } }
	if err := json.Unmarshal(fetch(t, "/_aws/ses"), &stored); err != nil {
		t.Fatalf("the mails: %v", err)
	}
	for _, m := range stored.Messages {
		all = append(all, read(t, m.RawData))
	}
	return all
}

// read takes a mail apart as a mail program does.
func read(t *testing.T, raw string) message {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 1 {
		t.Fatalf("the recipients are %v, %v; want one", to, err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(m.Body, parameters["boundary"]).NextPart()
	if err != nil {
		t.Fatal(err)
	}
	// NextPart decodes quoted-printable, and says so by removing the header.
	var body io.Reader = part
	if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(part)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return message{to[0].Address, subject, string(text)}
}

// mails returns the steps that the mails of an order tell of, oldest first, and the text of the last.
func (in *instance) mails() (steps []string, last string) {
	in.t.Helper()
	about := "Order " + strings.TrimPrefix(in.id, "order-") + ": "
	for _, m := range sent(in.t) {
		if step, of := strings.CutPrefix(m.subject, about); of {
			if m.to != "ada@example.com" {
				in.t.Errorf("the mail %q went to %s", m.subject, m.to)
			}
			steps, last = append(steps, step), m.text
		}
	}
	return steps, last
}

// wantsMails checks that each step has one mail, in any order: shipping and billing go on at the same time. It returns the
// text of the last.
func (in *instance) wantsMails(want ...string) string {
	in.t.Helper()
	got, last := in.mails()
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))); diff != "" {
		in.t.Errorf("the mails of %s differ (-want +got):\n%s", in.id, diff)
	}
	return last
}
