package mail

import (
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a mail.
const (
	MaxAddress = 254       // bytes of the bare address: what RFC 5321 lets a path hold
	MaxLocal   = 64        // bytes of an address before the @: RFC 5321
	MaxName    = 200       // characters of a display name
	MaxSubject = 250       // characters; mail programs show fewer
	MaxBody    = 128 << 10 // bytes of Text and HTML together
	MaxKey     = 4 << 10   // bytes of a mail's key
	MaxID      = 256       // characters of an instance id
)

// Check refuses a mail that no mailer could send, or that would smuggle header lines into it. The error wraps
// ErrInvalid and names the field.
func (m Mail) Check() error {
	if err := checkAddress("To", m.To); err != nil {
		return err
	}
	if m.From != "" {
		if err := checkAddress("From", m.From); err != nil {
			return err
		}
	}
	if err := checkLine("Subject", m.Subject, MaxSubject); err != nil {
		return err
	}
	if err := checkLine("InstanceID", m.InstanceID, MaxID); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(m.Subject) == "":
		return invalid("Subject", "is empty")
	case strings.TrimSpace(m.Text) == "" && strings.TrimSpace(m.HTML) == "":
		return invalid("Text", "and HTML are both empty; a mail needs one of them")
	case len(m.Text)+len(m.HTML) > MaxBody:
		return invalid("Text", "and HTML have %d bytes together; at most %d are allowed", len(m.Text)+len(m.HTML), MaxBody)
	}
	if err := checkBody("Text", m.Text); err != nil {
		return err
	}
	return checkBody("HTML", m.HTML)
}

func invalid(field, format string, args ...any) error {
	return fmt.Errorf("%w: %s %s", ErrInvalid, field, fmt.Sprintf(format, args...))
}

// CheckKey refuses what cannot be the key of a mail, as Check does the mail.
func CheckKey(key string) error {
	switch {
	case key == "":
		return invalid("the key", "is empty; it is the mail's identity, as durable.IdempotencyKey gives one")
	case len(key) > MaxKey:
		return invalid("the key", "has %d bytes; at most %d are allowed", len(key), MaxKey)
	}
	return nil
}

func checkAddress(field, s string) error {
	if s == "" {
		return invalid(field, "is empty; it must be an address such as ada@example.com")
	}
	if err := checkLine(field, s, MaxAddress+MaxName); err != nil {
		return err
	}
	a, err := netmail.ParseAddress(s)
	if err != nil {
		return invalid(field, "%q is not an address such as ada@example.com", s)
	}
	// An encoded word may hold what the raw text must not.
	if err := checkLine(field, a.Name, MaxName); err != nil {
		return err
	}
	if err := checkLine(field, a.Address, MaxAddress); err != nil {
		return err
	}
	if at := strings.LastIndexByte(a.Address, '@'); len(a.Address) > MaxAddress || at > MaxLocal {
		return invalid(field, "is too long: at most %d bytes are allowed, and %d before the @", MaxAddress, MaxLocal)
	}
	return nil
}

// checkLine refuses what does not fit into one header line.
func checkLine(field, s string, limit int) error {
	if !utf8.ValidString(s) {
		return invalid(field, "is not valid UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return invalid(field, "contains %q; line breaks and control characters are not allowed there", r)
		}
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return invalid(field, "has %d characters; at most %d are allowed", n, limit)
	}
	return nil
}

func checkBody(field, s string) error {
	if !utf8.ValidString(s) {
		return invalid(field, "is not valid UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return invalid(field, "contains the control character %q", r)
		}
	}
	return nil
}
