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
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/links"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

//go:embed *.txt *.html
var files embed.FS

var (
	text = texttemplate.Must(texttemplate.ParseFS(files, "*.txt"))
	html = htmltemplate.Must(htmltemplate.ParseFS(files, "*.html"))
)

// Notifier is the body of the activity SendStatus.
type Notifier struct {
	Mailer mail.Mailer
	// From is the sender's address. Empty is the mailer's own.
	From string
	// Approver is who is asked about large orders, by a mail with two links. Empty asks nobody.
	Approver string
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
	err = n.send(ctx, "", m)
	if s.Step == orders.AwaitingApproval && n.Approver != "" {
		err = errors.Join(err, n.ask(ctx, s))
	}
	return durable.None{}, err
}

// send sends one of the mails of a call.
func (n Notifier) send(ctx context.Context, which string, m mail.Mail) error {
	m.From, m.InstanceID = n.From, durable.InstanceID(ctx)
	err := n.Mailer.Send(ctx, durable.IdempotencyKey(ctx)+which, m)
	if errors.Is(err, mail.ErrInvalid) || errors.Is(err, mail.ErrUnconfirmed) {
		err = durable.Permanent(err)
	}
	return err
}

// ask mails whoever approves orders. What has been decided meanwhile needs no mail.
func (n Notifier) ask(ctx context.Context, s orders.StatusMail) error {
	data := struct {
		orders.StatusMail
		Approve, Reject string
	}{StatusMail: s}
	var err error
	if data.Approve, err = n.link(ctx, s, "Approve", orders.Decision{Approved: true, By: n.Approver}); err == nil {
		data.Reject, err = n.link(ctx, s, "Reject", orders.Decision{By: n.Approver})
	}
	switch {
	case errors.Is(err, durable.ErrEnded), errors.Is(err, durable.ErrInvalid) && !s.Until.After(time.Now()):
		return nil
	case err != nil:
		return err
	}
	m, err := mailOf(n.Approver, fmt.Sprintf("Approve order %s?", s.Order), "approval", data)
	if err != nil {
		return durable.Permanent(err)
	}
	return n.send(ctx, "#approval", m)
}

func (n Notifier) link(ctx context.Context, s orders.StatusMail, verb string, d orders.Decision) (string, error) {
	return links.URL(ctx, orders.Approval, durable.InstanceID(ctx), d, s.Until, links.Title(fmt.Sprintf("%s order %s of %s", verb, s.Order, s.Total)))
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
	return mailOf(s.Customer.Email, fmt.Sprintf("Order %s: %s", s.Order, s.Step), "status", data)
}

// mailOf writes a mail from the templates of a name.
func mailOf(to, subject, name string, data any) (mail.Mail, error) {
	var plain, rich strings.Builder
	if err := errors.Join(text.ExecuteTemplate(&plain, name+".txt", data), html.ExecuteTemplate(&rich, name+".html", data)); err != nil {
		return mail.Mail{}, fmt.Errorf("write the mail: %w", err)
	}
	return mail.Mail{To: to, Subject: subject, Text: plain.String(), HTML: rich.String()}, nil
}
