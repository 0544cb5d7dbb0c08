// Package shop holds and ships goods and charges cards: the ports to the outside, the activities that use them, and an
// implementation of each port that is kept in a backend.Table, for a laptop, a test or a demonstration.
//
// The embedded implementations survive restarts, honour idempotency keys, and refuse what comes late for a cancelled
// reference. They fail on purpose:
//
//	sku SOLD-OUT-…      out of stock, permanently
//	token tok_declined  the card is declined, permanently
//	token tok_flaky     the first two attempts of a charge fail, the third works
//	country ZZ          the carrier never answers in time
package shop

import (
	"context"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// Inventory holds goods for orders. Errors of kind orders.OutOfStock, Cancelled and Conflict are permanent.
type Inventory interface {
	// Reserve holds the goods. The same key again is the same reservation.
	Reserve(ctx context.Context, key string, r orders.Reservation) (orders.Hold, error)
	// Release gives back what is held for the reference, and refuses whatever comes for it later.
	Release(ctx context.Context, ref orders.Reference) (orders.Reversal, error)
}

// Carrier delivers goods. Errors of kind orders.Cancelled and Conflict are permanent.
type Carrier interface {
	// Ship sends the goods on their way. The same key again is the same parcel.
	Ship(ctx context.Context, key string, s orders.Shipment) (orders.Parcel, error)
	// Recall calls the reference's parcel back, and refuses whatever comes for it later.
	Recall(ctx context.Context, ref orders.Reference) (orders.Reversal, error)
}

// Payments charges cards. Errors of kind orders.Declined, Cancelled and Conflict are permanent.
type Payments interface {
	// Charge charges the card. The same key again is the same charge.
	Charge(ctx context.Context, key string, p orders.Payment) (orders.Charge, error)
	// Refund gives back what was charged for the reference, and refuses whatever comes for it later.
	Refund(ctx context.Context, ref orders.Reference) (orders.Reversal, error)
}

// Shop is what the activities of an order work with.
type Shop struct {
	Inventory Inventory
	Carrier   Carrier
	Payments  Payments
}

// Embedded returns the shop that is kept in table, beside whatever else is.
func Embedded(table backend.Table) Shop {
	return Shop{
		Inventory: NewInventory(table),
		Carrier:   NewCarrier(table),
		Payments:  NewPayments(table),
	}
}

// Handlers binds the activities that go through the ports.
func (s Shop) Handlers() []durable.Handler {
	return []durable.Handler{
		orders.ReserveStock.Bind(keyed(s.Inventory.Reserve)),
		orders.ReleaseStock.Bind(s.Inventory.Release),
		orders.ShipOrder.Bind(keyed(s.Carrier.Ship)),
		orders.RecallParcel.Bind(s.Carrier.Recall),
		orders.ChargeCard.Bind(keyed(s.Payments.Charge)),
		orders.RefundCard.Bind(s.Payments.Refund),
	}
}

// keyed hands a port the key under which all attempts of one call are the same.
func keyed[I, O any](do func(context.Context, string, I) (O, error)) func(context.Context, I) (O, error) {
	return func(ctx context.Context, in I) (O, error) { return do(ctx, durable.IdempotencyKey(ctx), in) }
}
