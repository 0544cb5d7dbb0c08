package shop

import (
	"context"
	"fmt"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

type inventory struct{ register register }

// NewInventory returns the embedded inventory. It has plenty of everything except for what is SOLD-OUT-….
func NewInventory(table backend.Table) Inventory {
	return inventory{register{table: table, name: "reservation"}}
}

func (i inventory) Reserve(ctx context.Context, key string, r orders.Reservation) (orders.Hold, error) {
	return do(ctx, i.register, r.Reference, key, func(int) (orders.Hold, error) {
		for _, item := range r.Items {
			if strings.HasPrefix(item.SKU, "SOLD-OUT-") {
				return orders.Hold{}, fmt.Errorf("%d of %s cannot be had: %w", item.Quantity, item.SKU, orders.OutOfStock)
			}
		}
		return orders.Hold{ID: number("hold-", key)}, nil
	})
}

func (i inventory) Release(ctx context.Context, ref orders.Reference) (orders.Reversal, error) {
	return i.register.cancel(ctx, ref)
}
