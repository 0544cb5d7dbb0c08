package shop

import (
	"context"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

type carrier struct{ register register }

// NewCarrier returns the embedded carrier. It delivers everywhere except to the country ZZ.
func NewCarrier(table backend.Table) Carrier {
	return carrier{register{table: table, name: "shipment"}}
}

func (c carrier) Ship(ctx context.Context, key string, s orders.Shipment) (orders.Parcel, error) {
	return do(ctx, c.register, s.Reference, key, func(int) (orders.Parcel, error) {
		if s.To.Country == "ZZ" {
			return orders.Parcel{}, fmt.Errorf("the carrier did not answer in time: %w", orders.CarrierTimeout)
		}
		return orders.Parcel{Tracking: number("parcel-", key)}, nil
	})
}

func (c carrier) Recall(ctx context.Context, ref orders.Reference) (orders.Reversal, error) {
	return c.register.cancel(ctx, ref)
}
