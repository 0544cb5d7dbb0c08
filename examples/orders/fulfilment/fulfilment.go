// Package fulfilment is the body of the orchestration that processes an order. It knows the contract and nothing of how
// goods are held, shipped, paid or written about.
package fulfilment

import (
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// ProcessOrder reserves stock, waits for approval where the order needs it, ships and bills at the same time, and tells
// the customer at each step. When something fails for good, what was done is undone in reverse order, and the instance fails.
func ProcessOrder(ctx durable.Context, in orders.Input) (orders.Receipt, error) {
	// The door checks too, but an instance can be started without passing through it.
	if err := in.Order.Check(); err != nil {
		return orders.Receipt{}, fmt.Errorf("%w: %w", orders.Invalid, err)
	}
	p := &process{ctx: ctx, order: in.Order, window: time.Duration(in.ApprovalWindow)}
	if p.window <= 0 {
		p.window = orders.DefaultApprovalWindow
	}
	p.tell(orders.Received, "")
	receipt, err := p.fulfil()
	if err != nil {
		p.tellFailure(err)
		return orders.Receipt{}, err
	}
	p.tell(orders.Completed, "tracking number "+clean(receipt.Tracking))
	return receipt, nil
}

// process is one order on its way.
type process struct {
	ctx     durable.Context
	order   orders.Order
	window  time.Duration
	reason  string   // why it was not approved
	undone  []string // what was done and is undone
	missing []string // what may have been done and could not be undone
}

func (p *process) fulfil() (r orders.Receipt, err error) {
	saga := durable.NewSaga(p.ctx)
	defer saga.End(&err)

	// An undo is registered before what it undoes: then it also runs when nobody knows whether that happened.
	p.onFailure(saga, orders.ReleaseStock, "the reservation")
	reservation := orders.Reservation{Reference: p.order.Reference(), Items: p.order.Items}
	if _, err := orders.ReserveStock.Call(p.ctx, reservation); err != nil {
		return r, err
	}
	if p.order.NeedsApproval() {
		if err := p.awaitApproval(); err != nil {
			return r, err
		}
	}
	p.onFailure(saga, orders.RecallParcel, "the shipment")
	p.onFailure(saga, orders.RefundCard, "the charge of "+p.total())
	shipping, billing := durable.Go(p.ctx, p.ship), durable.Go(p.ctx, p.bill)
	parcel, shippingErr := shipping.Await()
	charge, billingErr := billing.Await()
	if err := errors.Join(shippingErr, billingErr); err != nil {
		return r, err
	}
	return orders.Receipt{
		Order: p.order.ID, Charge: charge.ID, Tracking: parcel.Tracking,
		Amount: p.order.Total(), Currency: p.order.Currency,
	}, nil
}

// onFailure registers an undo that keeps account of what it did.
func (p *process) onFailure(saga *durable.Saga, undo durable.Activity[orders.Reference, orders.Reversal], what string) {
	saga.Add(func() error {
		reversal, err := undo.Call(p.ctx, p.order.Reference())
		switch {
		case err != nil:
			p.missing = append(p.missing, what)
		case reversal.Reversed:
			p.undone = append(p.undone, what)
		}
		return err
	})
}

func (p *process) ship(ctx durable.Context) (orders.Parcel, error) {
	parcel, err := orders.ShipOrder.Call(ctx, orders.Shipment{
		Reference: p.order.Reference(), Name: p.order.Customer.Name, To: p.order.ShipTo, Items: p.order.Items,
	})
	if err == nil {
		p.tell(orders.Shipped, "tracking number "+clean(parcel.Tracking))
	}
	return parcel, err
}

func (p *process) bill(ctx durable.Context) (orders.Charge, error) {
	charge, err := orders.ChargeCard.Call(ctx, orders.Payment{
		Reference: p.order.Reference(), Token: p.order.Payment.Token, Amount: p.order.Total(), Currency: p.order.Currency,
	})
	if err == nil {
		p.tell(orders.Billed, p.total())
	}
	return charge, err
}

// awaitApproval returns nil when the order was approved in time.
func (p *process) awaitApproval() error {
	deadline := p.ctx.Now().Add(p.window)
	p.tell(orders.AwaitingApproval, "until "+deadline.Format("2006-01-02 15:04 MST"))
	for {
		decision, err := orders.Approval.Within(p.ctx, max(0, deadline.Sub(p.ctx.Now())))
		switch {
		case errors.Is(err, durable.ErrTimeout):
			p.reason = fmt.Sprintf("nobody approved it within %s", p.window)
		case err != nil:
			p.ctx.Log().Warn("an approval that cannot be read is ignored", "error", err)
			p.ctx.SetStatus(orders.Status{
				Step: orders.AwaitingApproval, Detail: `a decision that cannot be read was ignored; send {"approved":true} or {"approved":false}`,
			})
			continue
		case decision.Approved:
			p.tell(orders.Approved, said("approved", decision))
			return nil
		default:
			p.reason = said("rejected", decision)
		}
		p.tell(orders.Rejected, p.reason)
		return fmt.Errorf("order %s: %s: %w", p.order.ID, p.reason, orders.NotApproved)
	}
}

func (p *process) total() string { return orders.FormatAmount(p.order.Total(), p.order.Currency) }
