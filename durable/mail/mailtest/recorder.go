// Package mailtest helps to test what sends mail, and what claims to be a mail.Mailer: a Recorder that keeps mail in
// memory, and the conformance suite.
package mailtest

import (
	"context"
	"errors"
	"sync"

	"github.com/durable-lambda/durable-lambda/durable/mail"
)

// Recorder is a mail.Mailer that keeps what is sent through it. It honours no key: what is sent twice is recorded twice,
// so that a test sees it. Its zero value is ready, and it is safe for concurrent use.
type Recorder struct {
	// Before, when set, is called before a mail is recorded; an error it returns is returned by Send, and the mail is not recorded.
	Before func(ctx context.Context, key string, m mail.Mail) error
	// After, when set, is called after a mail was recorded; an error it returns is returned by Send, as when an answer is lost.
	After func(ctx context.Context, key string, m mail.Mail) error

	mu   sync.Mutex
	sent []Sent
}

var _ mail.Mailer = (*Recorder)(nil)

// Sent is one mail that a Recorder was given.
type Sent struct {
	Key string
	mail.Mail
}

// Send records the mail.
func (r *Recorder) Send(ctx context.Context, key string, m mail.Mail) error {
	if err := errors.Join(mail.CheckKey(key), m.Check()); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(mail.ErrNotSent, err)
	}
	if r.Before != nil {
		if err := r.Before(ctx, key, m); err != nil {
			return err
		}
	}
	r.mu.Lock()
	r.sent = append(r.sent, Sent{Key: key, Mail: m})
	r.mu.Unlock()
	if r.After != nil {
		return r.After(ctx, key, m)
	}
	return nil
}

// Sent returns the mail recorded so far, in the order in which it was sent.
func (r *Recorder) Sent() []Sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Sent(nil), r.sent...)
}

// Subjects returns the subjects of the mail recorded so far, in the order in which it was sent.
func (r *Recorder) Subjects() []string {
	var subjects []string
	for _, s := range r.Sent() {
		subjects = append(subjects, s.Subject)
	}
	return subjects
}
