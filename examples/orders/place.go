package orders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// ErrTaken: another order was placed under this id.
var ErrTaken = errors.New("another order has this id")

// Place starts the processing of an order and returns the id of its instance. An order is processed once: placing the
// same order again returns the same instance, also when it has ended, and placing another order under the same id is
// ErrTaken. A window of zero is DefaultApprovalWindow.
//
// Other errors are those of the order's Check, durable.ErrInvalid, and the client's; after those, placing the same order again is safe.
func Place(ctx context.Context, client durable.Client, order Order, window time.Duration) (string, error) {
	if err := order.Check(); err != nil {
		return "", err
	}
	if window <= 0 {
		window = DefaultApprovalWindow
	}
	id := order.InstanceID()
	_, err := ProcessOrder.Submit(ctx, client, Input{Order: order, ApprovalWindow: Window(window)},
		durable.ID(id), durable.ReuseNever)
	if errors.Is(err, durable.ErrExists) {
		err = isSame(ctx, client, order)
	}
	if err != nil {
		return "", fmt.Errorf("place order %s: %w", order.ID, err)
	}
	return id, nil
}

// isSame returns nil if the instance of the order's id processes this very order.
func isSame(ctx context.Context, client durable.Client, order Order) error {
	placed, err := client.Get(ctx, order.InstanceID())
	if err != nil {
		return err
	}
	input, err := ProcessOrder.DecodeInput(placed.Input)
	if err != nil || placed.Name != ProcessOrder.Name() || !input.Order.Equal(order) {
		return ErrTaken
	}
	return nil
}
