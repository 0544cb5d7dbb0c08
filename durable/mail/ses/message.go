package ses

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	netmail "net/mail"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/durable-lambda/durable-lambda/durable/mail"
)

// envelope is a mail's parsed addresses.
type envelope struct{ from, to *netmail.Address }

// open parses the addresses of a checked mail, and refuses those that SES cannot send to or from.
func open(msg mail.Mail) (envelope, error) {
	from, err := parse("From", msg.From)
	if err != nil {
		return envelope{}, err
	}
	to, err := parse("To", msg.To)
	return envelope{from, to}, err
}

// parse refuses non-ASCII addresses because SES does not support RFC 6531.
func parse(field, s string) (*netmail.Address, error) {
	a, err := netmail.ParseAddress(s)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", mail.ErrInvalid, field, err)
	}
	if strings.ContainsFunc(a.Address, func(r rune) bool { return r > '~' }) {
		return nil, fmt.Errorf("%w: %s: SES takes ASCII addresses only, and %q is none; write its domain in Punycode (xn--...)",
			mail.ErrInvalid, field, a.Address)
	}
	return a, nil
}

// bare is the address without its name, quoted where it must be.
func bare(a *netmail.Address) string {
	s := (&netmail.Address{Address: a.Address}).String()
	return strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
}

// raw is the mail in MIME: 7-bit, with the text and the HTML as alternatives where there are both.
func (e envelope) raw(key string, msg mail.Mail) ([]byte, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	m.FromMailAddress(e.from)
	m.ToMailAddress(e.to)
	m.Subject(subject(msg.Subject))
	// SES replaces it. Without one the library would put this machine's name into it.
	sum := sha256.Sum256([]byte(key))
	m.SetMessageIDWithValue(hex.EncodeToString(sum[:]) + "@durable-lambda")
	switch {
	case msg.HTML == "":
		m.SetBodyString(gomail.TypeTextPlain, msg.Text)
	case msg.Text == "":
		m.SetBodyString(gomail.TypeTextHTML, msg.HTML)
	default:
		m.SetBodyString(gomail.TypeTextPlain, msg.Text)
		m.AddAlternativeString(gomail.TypeTextHTML, msg.HTML)
	}
	var buf bytes.Buffer
	if _, err := m.WriteTo(&buf); err != nil {
		return nil, fmt.Errorf("%w: write it in MIME: %w", mail.ErrInvalid, err)
	}
	return buf.Bytes(), nil
}

// subject encodes one that looks encoded already, which the library would leave as it is and mail programs would decode.
func subject(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	const wordBytes = 42 // what fits into the 75 characters of an encoded word
	var words []string
	var word strings.Builder
	flush := func() {
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(word.String()))+"?=")
		word.Reset()
	}
	for _, r := range s {
		if word.Len()+len(string(r)) > wordBytes {
			flush()
		}
		word.WriteRune(r)
	}
	flush()
	return strings.Join(words, " ")
}
