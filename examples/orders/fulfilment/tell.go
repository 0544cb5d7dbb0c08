package fulfilment

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// tell sets the custom status and mails the customer about it. An order does not fail because a mail does: mails have
// been tried for minutes by then.
func (p *process) tell(step orders.Step, detail string) {
	status := orders.Status{Step: step, Detail: detail}
	p.ctx.SetStatus(status)
	mail := orders.StatusMail{
		Status: status, Order: p.order.ID, Customer: p.order.Customer, Total: p.total(),
		Refunded: slices.Contains(p.undone, p.charge()),
	}
	if step == orders.AwaitingApproval {
		mail.Until = p.until
	}
	_, err := orders.SendStatus.Call(p.ctx, mail)
	if err != nil {
		p.ctx.Log().Warn("the status mail could not be sent", "step", step, "error", err)
	}
}

// tellFailure says why the order failed and what became of what was done.
func (p *process) tellFailure(err error) {
	step, parts := orders.Refunded, []string{p.why(err)}
	if len(p.undone) > 0 {
		parts = append(parts, "undone: "+strings.Join(p.undone, ", "))
	}
	if len(p.missing) > 0 {
		step = orders.Failed
		parts = append(parts, "not undone yet: "+strings.Join(p.missing, ", "))
	}
	if len(p.foreign) > 0 {
		step = orders.Failed
		parts = append(parts, "there from before and left alone: "+strings.Join(p.foreign, ", "))
	}
	if len(parts) == 1 {
		parts = append(parts, "nothing had been done yet")
	}
	p.tell(step, strings.Join(parts, "; "))
}

// why says in the customer's words why the order failed.
func (p *process) why(err error) string {
	var reasons []string
	for _, r := range []struct {
		kind error
		text string
	}{
		{orders.OutOfStock, "an item is out of stock"},
		{orders.NotApproved, p.reason},
		{orders.CarrierTimeout, "the carrier does not answer"},
		{orders.Declined, "the card was declined"},
		{orders.PaymentUnavailable, "the payment service does not work"},
		{orders.Conflict, "the order was processed before"},
	} {
		if errors.Is(err, r.kind) {
			reasons = append(reasons, r.text)
		}
	}
	if len(reasons) == 0 {
		return "something went wrong on our side"
	}
	return strings.Join(reasons, " and ")
}

// said puts a decision into words.
func said(verb string, d orders.Decision) string {
	if by := clean(d.By); by != "" {
		verb += " by " + by
	}
	if comment := clean(d.Comment); comment != "" {
		verb += ": " + comment
	}
	return verb
}

// clean makes what came from outside fit into a status and a mail.
func clean(s string) string {
	const limit = 200
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit]) + "…"
	}
	return strings.TrimSpace(s)
}
