package shop

import (
	"context"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// Tokens that misbehave, as the sandboxes of payment services have them. Every other token is a good card.
const (
	tokenDeclined = "tok_declined"
	tokenFlaky    = "tok_flaky"
)

// flakyFailures is how many attempts of a charge fail with tokenFlaky.
const flakyFailures = 2

type payments struct{ register register }

// NewPayments returns the embedded payment service.
func NewPayments(table backend.Table) Payments {
	return payments{register{table: table, name: "charge"}}
}

func (p payments) Charge(ctx context.Context, key string, pay orders.Payment) (orders.Charge, error) {
	return do(ctx, p.register, pay.Reference, key, func(n int) (orders.Charge, error) {
		switch {
		case pay.Token == tokenDeclined:
			return orders.Charge{}, fmt.Errorf("the bank refuses the card: %w", orders.Declined)
		case pay.Token == tokenFlaky && n <= flakyFailures:
			return orders.Charge{}, fmt.Errorf("the payment service is out of order: %w", orders.PaymentUnavailable)
		}
		return orders.Charge{ID: number("charge-", key)}, nil
	})
}

func (p payments) Refund(ctx context.Context, ref orders.Reference) (orders.Reversal, error) {
	return p.register.cancel(ctx, ref)
}
