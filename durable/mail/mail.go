// Package mail sends mail once.
//
// It owns the port Mailer, what a mail may look like, and the two ways to send each mail once: Mailbox, the dev
// server's durable mailbox, in which the record that a mail was sent and the mail are one row; and Ledger, which keeps
// that record for a mailer that cannot (such as SES). Both stand on a backend.Table. The package knows nothing of
// orchestrations: a caller hands in the mail's identity as a key, and durable.IdempotencyKey is a good one.
package mail

import "context"

// Mail is one mail to one recipient.
type Mail struct {
	// To is the recipient's address, as in "ada@example.com" or "Ada <ada@example.com>".
	To string `json:"to"`
	// From is the sender's address. Empty is the mailer's own.
	From    string `json:"from"`
	Subject string `json:"subject"`
	// Text and HTML are the body in two forms. One of them may be empty.
	Text string `json:"text"`
	HTML string `json:"html"`
	// InstanceID names the instance that the mail is about. It is for operators: a mailer may attach it where recipients do
	// not look, as a tag.
	InstanceID string `json:"instanceId"`
}

// Mailer sends mail. Implementations are safe for concurrent use.
type Mailer interface {
	// Send sends m. The key is the mail's identity: what is sent again under the same key is the same mail, whatever it
	// says. How far a mailer honours that is for its own documentation to say.
	//
	// Nil means that the mail is on its way. An error that wraps ErrInvalid means that this mail can never be sent, and one
	// that wraps ErrNotSent that it was certainly not sent this time. After any other error it may have been.
	Send(ctx context.Context, key string, m Mail) error
}
