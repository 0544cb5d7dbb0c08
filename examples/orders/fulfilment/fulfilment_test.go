package fulfilment_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/mail"
	"github.com/durable-lambda/durable-lambda/durable/mail/mailtest"
	"github.com/durable-lambda/durable-lambda/examples/orders"
	"github.com/durable-lambda/durable-lambda/examples/orders/fulfilment"
	"github.com/durable-lambda/durable-lambda/examples/orders/notify"
	"github.com/durable-lambda/durable-lambda/examples/orders/shop"
)

const id = "order-1001"

// process is an order in a system of its own.
type process struct {
	*durabletest.System
	t     *testing.T
	mails *mailtest.Recorder
	shop  shop.Shop
}

// open returns a system in which change may have replaced a port.
func open(t *testing.T, change ...func(*process)) *process {
	t.Helper()
	p := &process{System: durabletest.New(t), t: t, mails: &mailtest.Recorder{}}
	p.shop = shop.Embedded(p.Table)
	for _, c := range change {
		c(p)
	}
	handlers := append(p.shop.Handlers(), orders.ProcessOrder.Bind(fulfilment.ProcessOrder))
	p.Deploy("build 1", append(handlers, notify.Notifier{Mailer: p.mails, From: "shop@example.com"}.Handlers()...)...)
	return p
}

func order(change ...func(*orders.Order)) orders.Order {
	o := orders.Order{
		ID: "1001", Customer: orders.Customer{Name: "Ada", Email: "ada@example.com"}, Currency: "EUR",
		Items:   []orders.Item{{SKU: "BOOK-1", Quantity: 2, UnitPrice: 1250}},
		ShipTo:  orders.Address{Street: "1 Main St", City: "Berlin", Postcode: "10115", Country: "DE"},
		Payment: orders.Card{Token: "tok_visa"},
	}
	for _, c := range change {
		c(&o)
	}
	return o
}

func large(o *orders.Order)     { o.Items[0].UnitPrice = 250_000 }
func declined(o *orders.Order)  { o.Payment.Token = "tok_declined" }
func flaky(o *orders.Order)     { o.Payment.Token = "tok_flaky" }
func soldOut(o *orders.Order)   { o.Items[0].SKU = "SOLD-OUT-1" }
func nowhere(o *orders.Order)   { o.ShipTo.Country = "ZZ" }
func sharpSign(o *orders.Order) { o.ID = "1001#" }

// place places an order and lets everything happen that can.
func (p *process) place(o orders.Order, window time.Duration) {
	p.t.Helper()
	if _, err := orders.Place(p.t.Context(), p.Client, o, window); err != nil {
		p.t.Fatalf("Place: %v", err)
	}
	p.Settle()
}

func (p *process) decide(data string) {
	p.t.Helper()
	err := p.Client.Raise(p.t.Context(), durable.EventRequest{Instance: id, Name: "approval", Data: json.RawMessage(data)})
	if err != nil {
		p.t.Fatalf("Raise: %v", err)
	}
	p.Settle()
}

func (p *process) instance() durable.Instance {
	p.t.Helper()
	in, err := p.Client.Get(p.t.Context(), id)
	if err != nil {
		p.t.Fatalf("Get: %v", err)
	}
	return in
}

func (p *process) want(status durable.Status, step orders.Step, detail string) {
	p.t.Helper()
	in := p.instance()
	var got orders.Status
	if err := json.Unmarshal(in.CustomStatus, &got); err != nil {
		p.t.Fatalf("custom status %s: %v", in.CustomStatus, err)
	}
	if in.Status != status || got.Step != step || got.Detail != detail {
		p.t.Errorf("got %s, %q, %q; want %s, %q, %q (%s)", in.Status, got.Step, got.Detail, status, step, detail, in.SuspendReason)
	}
}

// kindsOf adds all kinds of a failure, each once.
func kindsOf(all []durable.ErrorKind, f history.Failure) []durable.ErrorKind {
	if k := durable.ErrorKind(f.Kind); !slices.Contains(all, k) {
		all = append(all, k)
	}
	for _, cause := range f.Causes {
		all = kindsOf(all, cause)
	}
	return all
}

// wantKinds checks what the instance failed of.
func (p *process) wantKinds(kinds ...durable.ErrorKind) {
	p.t.Helper()
	in := p.instance()
	if in.Failure == nil {
		p.t.Fatalf("the instance is %s and has no failure", in.Status)
	}
	got := kindsOf(nil, *in.Failure)
	if diff := cmp.Diff(kinds, got); diff != "" {
		p.t.Errorf("it failed of other kinds (-want +got):\n%s", diff)
	}
}

// wantMails checks the subjects of the mails, without the order they are about.
func (p *process) wantMails(steps ...orders.Step) {
	p.t.Helper()
	var got []orders.Step
	for _, s := range p.mails.Subjects() {
		got = append(got, orders.Step(strings.TrimPrefix(s, "Order 1001: ")))
	}
	if diff := cmp.Diff(steps, got); diff != "" {
		p.t.Errorf("the mails differ (-want +got):\n%s", diff)
	}
}

// wantLastMail checks what the newest mail says.
func (p *process) wantLastMail(says string) {
	p.t.Helper()
	sent := p.mails.Sent()
	if text := sent[len(sent)-1].Text; !strings.Contains(text, says) {
		p.t.Errorf("the last mail does not say %q:\n%s", says, text)
	}
}

// wantActivities checks the names of the activities that were asked for, but for the mails.
func (p *process) wantActivities(names ...string) {
	p.t.Helper()
	events, err := p.Client.History(p.t.Context(), id)
	if err != nil {
		p.t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		if e.Kind == history.TaskScheduled && e.Name != orders.SendStatus.Name() {
			got = append(got, e.Name)
		}
	}
	if diff := cmp.Diff(names, got); diff != "" {
		p.t.Errorf("the activities differ (-want +got):\n%s", diff)
	}
}

func TestASmallOrder(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.place(order(), 0)
	var receipt orders.Receipt
	if err := json.Unmarshal(p.instance().Output, &receipt); err != nil {
		t.Fatal(err)
	}
	p.want(durable.Completed, orders.Completed, "tracking number "+receipt.Tracking)
	if receipt.Order != "1001" || receipt.Amount != 2500 || receipt.Currency != "EUR" || receipt.Charge == "" || receipt.Tracking == "" {
		t.Errorf("the receipt is %+v", receipt)
	}
	p.wantMails(orders.Received, orders.Shipped, orders.Billed, orders.Completed)
	p.wantActivities("ReserveStock", "ShipOrder", "ChargeCard")
	for _, m := range p.mails.Sent() {
		if m.To != "ada@example.com" || m.InstanceID != id || m.Key == "" {
			t.Errorf("a mail is %+v", m)
		}
	}
}

func TestApproval(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.place(order(large), 0)
	p.want(durable.Running, orders.AwaitingApproval, "until 2026-01-04 00:00 UTC")
	p.wantMails(orders.Received, orders.AwaitingApproval)
	p.Advance(71 * time.Hour)
	p.decide(`{"approved":true,"by":"Bob","comment":"fine"}`)
	p.wantMails(orders.Received, orders.AwaitingApproval, orders.Approved, orders.Shipped, orders.Billed, orders.Completed)
	if text := p.mails.Sent()[2].Text; !strings.Contains(text, "approved by Bob: fine") {
		t.Errorf("the mail does not say who approved:\n%s", text)
	}
	if status := p.instance().Status; status != durable.Completed {
		t.Errorf("the instance is %s", status)
	}
}

func TestApprovalBeforeItIsAskedFor(t *testing.T) {
	t.Parallel()
	p := open(t)
	if _, err := orders.Place(t.Context(), p.Client, order(large), 0); err != nil {
		t.Fatal(err)
	}
	p.decide(`{"approved":true}`)
	p.wantMails(orders.Received, orders.AwaitingApproval, orders.Approved, orders.Shipped, orders.Billed, orders.Completed)
}

func TestRejection(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.place(order(large), 0)
	p.decide(`{"approved":false,"by":"Bob\r\nEve","comment":"` + strings.Repeat("ä", 1000) + `"}`)
	reason := "rejected by Bob  Eve: " + strings.Repeat("ä", 200) + "…"
	p.want(durable.Failed, orders.Refunded, reason+"; undone: the reservation")
	p.wantKinds(orders.NotApproved)
	p.wantMails(orders.Received, orders.AwaitingApproval, orders.Rejected, orders.Refunded)
	p.wantActivities("ReserveStock", "ReleaseStock")
}

func TestNobodyApproves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		window, takes time.Duration
		reason        string
	}{
		"default":    {0, 72 * time.Hour, "nobody approved it within 72h0m0s"},
		"of an hour": {time.Hour, time.Hour, "nobody approved it within 1h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			p.place(order(large), c.window)
			p.Advance(c.takes - time.Second)
			if status := p.instance().Status; status != durable.Running {
				t.Errorf("a second before its end the order is %s", status)
			}
			p.Advance(time.Second)
			p.want(durable.Failed, orders.Refunded, c.reason+"; undone: the reservation")
			p.wantKinds(orders.NotApproved)
			p.wantMails(orders.Received, orders.AwaitingApproval, orders.Rejected, orders.Refunded)
		})
	}
}

func TestADecisionThatCannotBeReadIsIgnored(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.place(order(large), time.Hour)
	p.Advance(30 * time.Minute)
	p.decide(`{"approve":true}`)
	p.decide(`{"approved":"yes"}`)
	p.want(durable.Running, orders.AwaitingApproval,
		`until 2026-01-01 01:00 UTC; a decision that cannot be read was ignored, send {"approved":true} or {"approved":false}`)
	p.Advance(30*time.Minute - time.Second)
	if status := p.instance().Status; status != durable.Running {
		t.Errorf("the order is %s", status)
	}
	p.Advance(time.Second)
	p.want(durable.Failed, orders.Refunded, "nobody approved it within 1h0m0s; undone: the reservation")
}

func TestADeclinedCard(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.place(order(declined), 0)
	p.want(durable.Failed, orders.Refunded, "the card was declined; undone: the shipment, the reservation")
	p.wantKinds(orders.Declined)
	p.wantMails(orders.Received, orders.Shipped, orders.Refunded)
	p.wantActivities("ReserveStock", "ShipOrder", "ChargeCard", "RefundCard", "RecallParcel", "ReleaseStock")
	last := p.mails.Sent()[2]
	if !strings.Contains(last.Text, "the card was declined") || !strings.Contains(last.Text, "undone: the shipment, the reservation") {
		t.Errorf("the last mail does not say what happened:\n%s", last.Text)
	}
}

func TestAFlakyCard(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.place(order(flaky), 0)
	p.wantMails(orders.Received, orders.Shipped)
	p.Advance(750 * time.Millisecond)
	p.wantMails(orders.Received, orders.Shipped, orders.Billed, orders.Completed)
	p.wantActivities("ReserveStock", "ShipOrder", "ChargeCard")
}

func TestOutOfStock(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.place(order(soldOut), 0)
	p.want(durable.Failed, orders.Refunded, "an item is out of stock; nothing had been done yet")
	p.wantKinds(orders.OutOfStock)
	p.wantMails(orders.Received, orders.Refunded)
	p.wantActivities("ReserveStock", "ReleaseStock")
	p.wantLastMail("Your card was not charged.")
}

func TestTheCarrierNeverAnswers(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.place(order(nowhere), 0)
	p.wantMails(orders.Received, orders.Billed)
	p.Advance(2 * time.Second)
	p.want(durable.Failed, orders.Refunded, "the carrier does not answer; undone: the charge of EUR 25.00, the reservation")
	p.wantKinds(orders.CarrierTimeout)
	p.wantMails(orders.Received, orders.Billed, orders.Refunded)
	p.wantLastMail("your money is given back")
}

func TestCarrierAndCardFail(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.place(order(nowhere, declined), 0)
	p.Advance(2 * time.Second)
	p.want(durable.Failed, orders.Refunded, "the carrier does not answer and the card was declined; undone: the reservation")
	p.wantKinds(orders.CarrierTimeout, orders.Declined)
}

// forgetful is a carrier whose answers are lost.
type forgetful struct{ shop.Carrier }

func (f forgetful) Ship(ctx context.Context, key string, s orders.Shipment) (orders.Parcel, error) {
	_, err := f.Carrier.Ship(ctx, key, s)
	return orders.Parcel{}, errors.Join(err, errors.New("connection reset"))
}

func TestAnUnknownOutcomeIsUndone(t *testing.T) {
	t.Parallel()
	p := open(t, func(p *process) { p.shop.Carrier = forgetful{p.shop.Carrier} })
	p.place(order(), 0)
	p.Advance(2 * time.Second)
	p.want(durable.Failed, orders.Refunded,
		"something went wrong on our side; undone: the charge of EUR 25.00, the shipment, the reservation")
}

// stubborn is a payment service that never refunds.
type stubborn struct{ shop.Payments }

func (stubborn) Refund(context.Context, orders.Reference) (orders.Reversal, error) {
	return orders.Reversal{}, errors.New("connection refused")
}

func TestAnUndoThatFailsIsAdmitted(t *testing.T) {
	t.Parallel()
	p := open(t, func(p *process) { p.shop.Payments = stubborn{p.shop.Payments} })
	p.place(order(nowhere), 0)
	p.Advance(5 * time.Minute)
	p.want(durable.Failed, orders.Failed, "the carrier does not answer; undone: the reservation; not undone yet: the charge of EUR 25.00")
	p.wantMails(orders.Received, orders.Billed, orders.Failed)
	if text := p.instance().Failure.Message; !strings.Contains(text, "RefundCard failed after 10 attempts: connection refused") {
		t.Errorf("the failure does not tell about the refund: %s", text)
	}
}

func TestAnOrderDoesNotFailBecauseOfItsMail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		takes time.Duration
	}{
		"for ever":    {mail.ErrInvalid, 0},
		"for minutes": {errors.New("connection refused"), 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t, func(p *process) {
				p.mails.Before = func(context.Context, string, mail.Mail) error { return c.err }
			})
			p.place(order(), 0)
			p.Advance(c.takes)
			p.wantMails()
			if in := p.instance(); in.Status != durable.Completed {
				t.Errorf("the order is %s, %s", in.Status, in.CustomStatus)
			}
		})
	}
}

func TestAMailIsTriedAgainUnderTheSameKey(t *testing.T) {
	t.Parallel()
	keys := map[string]int{}
	p := open(t, func(p *process) {
		p.mails.Before = func(_ context.Context, key string, _ mail.Mail) error {
			if keys[key]++; keys[key] < 3 {
				return errors.New("connection refused")
			}
			return nil
		}
	})
	p.place(order(), 0)
	p.Advance(time.Minute)
	p.wantMails(orders.Received, orders.Shipped, orders.Billed, orders.Completed)
	if len(keys) != 4 {
		t.Errorf("the mails have the keys %v; want four", keys)
	}
}

func TestAnOrderThatDidNotPassTheDoor(t *testing.T) {
	t.Parallel()
	p := open(t)
	_, err := orders.ProcessOrder.Submit(t.Context(), p.Client, orders.Input{Order: order(sharpSign)}, durable.ID(id))
	if err != nil {
		t.Fatal(err)
	}
	p.Settle()
	if in := p.instance(); in.Status != durable.Failed || in.Failure.Kind != string(orders.Invalid) ||
		!strings.Contains(in.Failure.Message, "id contains '#'") {
		t.Errorf("the order is %s: %+v", in.Status, in.Failure)
	}
	p.wantMails()
	p.wantActivities()
}
