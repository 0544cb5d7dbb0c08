package fulfilment_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/examples/orders"
	"github.com/durable-lambda/durable-lambda/examples/orders/shop"
)

// A copy of an order under way is refused before it can touch what the order's own instance has done.
func TestACopyUnderAnotherID(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.place(order(large), 0)
	for _, id := range []string{"copy", "order-1002", "Order-1001"} {
		_, err := orders.ProcessOrder.Submit(t.Context(), p.Client, orders.Input{Order: order(large, soldOut)}, durable.ID(id))
		if err != nil {
			t.Fatal(err)
		}
		p.Settle()
		in, err := p.Client.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if in.Status != durable.Failed || in.Failure.Kind != string(orders.Invalid) ||
			!strings.Contains(in.Failure.Message, "order 1001 is processed by instance order-1001 only") {
			t.Errorf("the copy %s is %s: %+v", id, in.Status, in.Failure)
		}
		events, err := p.Client.History(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(events, func(e durable.HistoryEvent) bool { return e.Kind == history.TaskScheduled }) {
			t.Errorf("the copy %s asked for activities", id)
		}
	}
	p.wantMails(orders.Received, orders.AwaitingApproval)
	p.decide(`{"approved":true}`)
	if status := p.instance().Status; status != durable.Completed {
		t.Errorf("the order itself is %s", status)
	}
}

// An instance that is started over has other keys: what its earlier life has done is not its to undo.
func TestACompletedOrderThatIsStartedOver(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.place(order(), 0)
	if _, err := orders.ProcessOrder.Submit(t.Context(), p.Client, orders.Input{Order: order()}, durable.ID(id)); err != nil {
		t.Fatal(err)
	}
	p.Settle()
	p.want(durable.Failed, orders.Failed, "the order was processed before; there from before and left alone: the reservation")
	p.wantKinds(orders.Conflict)
	p.wantActivities("ReserveStock")
	p.wantMails(orders.Received, orders.Shipped, orders.Billed, orders.Completed, orders.Received, orders.Failed)
	if text := p.mails.Sent()[5].Text; strings.Contains(text, "undone") {
		t.Errorf("the last mail speaks of what was undone:\n%s", text)
	}
	// What the first life reserved is still held.
	_, err := p.shop.Inventory.Reserve(t.Context(), "key", orders.Reservation{Reference: order().Reference()})
	if !errors.Is(err, orders.Conflict) {
		t.Errorf("reserved again: %v; want Conflict", err)
	}
}

func TestWhatSomebodyElseDidIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before     func(t *testing.T, s shop.Shop) error
		detail     string
		activities []string
	}{
		"shipped": {
			func(t *testing.T, s shop.Shop) error {
				_, err := s.Carrier.Ship(t.Context(), "key", orders.Shipment{Reference: order().Reference()})
				return err
			},
			"undone: the charge of EUR 25.00, the reservation; there from before and left alone: the shipment",
			[]string{"ReserveStock", "ShipOrder", "ChargeCard", "RefundCard", "ReleaseStock"},
		},
		"charged": {
			func(t *testing.T, s shop.Shop) error {
				_, err := s.Payments.Charge(t.Context(), "key", orders.Payment{Reference: order().Reference()})
				return err
			},
			"undone: the shipment, the reservation; there from before and left alone: the charge of EUR 25.00",
			[]string{"ReserveStock", "ShipOrder", "ChargeCard", "RecallParcel", "ReleaseStock"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			if err := c.before(t, p.shop); err != nil {
				t.Fatal(err)
			}
			p.place(order(), 0)
			p.want(durable.Failed, orders.Failed, "the order was processed before; "+c.detail)
			p.wantKinds(orders.Conflict)
			p.wantActivities(c.activities...)
			if err := c.before(t, p.shop); err != nil {
				t.Errorf("what was done before is gone: %v", err)
			}
		})
	}
}
