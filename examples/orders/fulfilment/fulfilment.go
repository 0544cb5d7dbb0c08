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
// Everything it does is in the name of the order's own instance id, so an instance of another id fails before it does any of
// it: undoing it would undo what the order's own has done.
func ProcessOrder(ctx durable.Context, in orders.Input) (orders.Receipt, error) {
	// The door checks too, but an instance can be started without passing through it.
	if err := in.Order.Check(); err != nil {
		return orders.Receipt{}, fmt.Errorf("%w: %w", orders.Invalid, err)
	}
	if own := in.Order.InstanceID(); ctx.InstanceID() != own {
		return orders.Receipt{}, fmt.Errorf("%w: order %s is processed by instance %s only", orders.Invalid, in.Order.ID, own)
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
	until   time.Time // when the wait for an approval ends
	reason  string    // why it was not approved
	undone  []string  // what was done and is undone
	missing []string  // what may have been done and could not be undone
	foreign []string  // what is there under another key, and is left alone
}

func (p *process) fulfil() (r orders.Receipt, err error) {
	saga := durable.NewSaga(p.ctx)
	defer saga.End(&err)

	// An undo is registered before what it undoes: then it also runs when nobody knows whether that happened.
	var reserved, shipped, billed error
	p.onFailure(saga, orders.ReleaseStock, "the reservation", &reserved)
	reservation := orders.Reservation{Reference: p.order.Reference(), Items: p.order.Items}
	if _, reserved = orders.ReserveStock.Call(p.ctx, reservation); reserved != nil {
		return r, reserved
	}
	if p.order.NeedsApproval() {
		if err := p.awaitApproval(); err != nil {
			return r, err
		}
	}
	p.onFailure(saga, orders.RecallParcel, "the shipment", &shipped)
	p.onFailure(saga, orders.RefundCard, p.charge(), &billed)
	shipping, billing := durable.Go(p.ctx, p.ship), durable.Go(p.ctx, p.bill)
	var parcel orders.Parcel
	var charge orders.Charge
	parcel, shipped = shipping.Await()
	charge, billed = billing.Await()
	if err := errors.Join(shipped, billed); err != nil {
		return r, err
	}
	return orders.Receipt{
		Order: p.order.ID, Charge: charge.ID, Tracking: parcel.Tracking,
		Amount: p.order.Total(), Currency: p.order.Currency,
	}, nil
}

// onFailure registers an undo that keeps account of what it did. Outcome is where the error will be of what it undoes:
// after orders.Conflict, what is there under the reference was done by somebody else, and is not undone.
func (p *process) onFailure(saga *durable.Saga, undo durable.Activity[orders.Reference, orders.Reversal], what string, outcome *error) {
	saga.Add(func() error {
		if errors.Is(*outcome, orders.Conflict) {
			p.foreign = append(p.foreign, what)
			return nil
		}
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
	until := "until " + deadline.Format("2006-01-02 15:04 MST")
	p.until = deadline
	p.tell(orders.AwaitingApproval, until)
	for {
		decision, err := orders.Approval.Within(p.ctx, max(0, deadline.Sub(p.ctx.Now())))
		switch {
		case errors.Is(err, durable.ErrTimeout):
			p.reason = fmt.Sprintf("nobody approved it within %s", p.window)
		case err != nil:
			p.ctx.Log().Warn("an approval that cannot be read is ignored", "error", err)
			p.ctx.SetStatus(orders.Status{
				Step:   orders.AwaitingApproval,
				Detail: until + `; a decision that cannot be read was ignored, send {"approved":true} or {"approved":false}`,
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

func (p *process) charge() string { return "the charge of " + p.total() }
