// Package notify tells customers by mail how far their orders have come.
package notify

import (
	"context"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

//go:embed status.txt status.html
var files embed.FS

var (
	text = texttemplate.Must(texttemplate.ParseFS(files, "status.txt"))
	html = htmltemplate.Must(htmltemplate.ParseFS(files, "status.html"))
)

// Notifier is the body of the activity SendStatus.
type Notifier struct {
	Mailer mail.Mailer
	// From is the sender's address. Empty is the mailer's own.
	From string
}

// Handlers binds the activity.
func (n Notifier) Handlers() []durable.Handler {
	return []durable.Handler{orders.SendStatus.Bind(n.Send)}
}

// Send mails a status. All attempts of one call of the activity are the same mail, because they have the same
// idempotency key. What can never be sent is a permanent error.
func (n Notifier) Send(ctx context.Context, s orders.StatusMail) (durable.None, error) {
	m, err := render(s)
	if err != nil {
		return durable.None{}, durable.Permanent(err)
	}
	m.From, m.InstanceID = n.From, durable.InstanceID(ctx)
	err = n.Mailer.Send(ctx, durable.IdempotencyKey(ctx), m)
	if errors.Is(err, mail.ErrInvalid) || errors.Is(err, mail.ErrUnconfirmed) {
		err = durable.Permanent(err)
	}
	return durable.None{}, err
}

// sentences say what the steps mean to the customer.
var sentences = map[orders.Step]string{
	orders.Received:         "We have received your order.",
	orders.AwaitingApproval: "Your order is so large that somebody here has to approve it first.",
	orders.Approved:         "Your order is approved.",
	orders.Rejected:         "Your order was not approved.",
	orders.Shipped:          "Your order is on its way.",
	orders.Billed:           "Your card was charged.",
	orders.Completed:        "Everything is done. Thank you for your order.",
	orders.Refunded:         "We are sorry: your order failed, and your money is given back.",
	orders.Failed:           "We are sorry: your order failed, and not everything about it is settled yet. We see to it.",
}

// words returns the step and what it means to the customer. Most orders that fail do so before the card is charged: their
// mail must not promise money back.
func words(s orders.StatusMail) (step, sentence string) {
	if s.Step == orders.Refunded && !s.Refunded {
		return "failed", "We are sorry: your order failed. Your card was not charged."
	}
	return string(s.Step), sentences[s.Step]
}

func render(s orders.StatusMail) (mail.Mail, error) {
	step, sentence := words(s)
	data := struct {
		orders.StatusMail
		Word, Sentence string
	}{s, step, sentence}
	var plain, rich strings.Builder
	if err := errors.Join(text.Execute(&plain, data), html.Execute(&rich, data)); err != nil {
		return mail.Mail{}, fmt.Errorf("write the mail: %w", err)
	}
	return mail.Mail{
		To:      s.Customer.Email,
		Subject: fmt.Sprintf("Order %s: %s", s.Order, s.Step),
		Text:    plain.String(),
		HTML:    rich.String(),
	}, nil
}
