// Package orders is the contract of the order example: what an order is and when it is valid, and the names, types and
// policies of the orchestration and activities that process it. There are no bodies here, so a program that only places
// or approves orders links none of them:
//
//   - package fulfilment is the orchestration's body,
//   - package shop holds the ports to inventory, carrier and payment, and implementations of them to play with,
//   - package notify sends the status mails,
//   - package web is the door: POST /orders.
package orders

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// Kinds of errors. They cross the wire: errors.Is(err, orders.Declined) works wherever the error arrives.
const (
	// Invalid: the order does not pass Check, or the instance is not the order's own. Nothing was done.
	Invalid durable.ErrorKind = "InvalidOrder"
	// OutOfStock: an item cannot be had. Permanent.
	OutOfStock durable.ErrorKind = "OutOfStock"
	// NotApproved: somebody rejected the order, or nobody approved it in time.
	NotApproved durable.ErrorKind = "NotApproved"
	// Declined: the bank refuses the card. Permanent.
	Declined durable.ErrorKind = "CardDeclined"
	// PaymentUnavailable: the payment service does not work at the moment.
	PaymentUnavailable durable.ErrorKind = "PaymentUnavailable"
	// CarrierTimeout: the carrier did not answer in time, and may or may not have taken the parcel.
	CarrierTimeout durable.ErrorKind = "CarrierTimeout"
	// Cancelled: the reference was cancelled before, so what comes late for it is refused. Permanent.
	Cancelled durable.ErrorKind = "ReferenceCancelled"
	// Conflict: the reference was used before under another idempotency key. Permanent.
	Conflict durable.ErrorKind = "ReferenceInUse"
)

// DefaultApprovalWindow is how long an order waits for approval unless the door says otherwise.
const DefaultApprovalWindow = 72 * time.Hour

// Policies. Going forward gives up within seconds, because the customer waits and going back is possible. Going back and
// telling the customer are tried for longer: what is left undone then needs a person.
var (
	forward = durable.Retry{
		Attempts: 4, Initial: 250 * time.Millisecond, Factor: 2, Cap: 5 * time.Second,
		NonRetryable: []durable.ErrorKind{OutOfStock, Declined, Cancelled, Conflict},
	}
	backward = durable.Retry{Attempts: 10, Initial: 250 * time.Millisecond, Factor: 2, Cap: 30 * time.Second}
	telling  = durable.Retry{Attempts: 8, Initial: time.Second, Factor: 2, Cap: time.Minute}
)

// The definitions. An activity that undoes another names the order's Reference and not a result, because an activity of
// unknown outcome may still run after its undo: the undo makes sure that a late one is refused.
var (
	ReserveStock = durable.NewActivity[Reservation, Hold]("ReserveStock", forward)
	ReleaseStock = durable.NewActivity[Reference, Reversal]("ReleaseStock", backward)
	ShipOrder    = durable.NewActivity[Shipment, Parcel]("ShipOrder", forward)
	RecallParcel = durable.NewActivity[Reference, Reversal]("RecallParcel", backward)
	ChargeCard   = durable.NewActivity[Payment, Charge]("ChargeCard", forward)
	RefundCard   = durable.NewActivity[Reference, Reversal]("RefundCard", backward)
	SendStatus   = durable.NewActivity[StatusMail, durable.None]("SendStatus", telling)

	Approval     = durable.NewEvent[Decision]("Approval")
	ProcessOrder = durable.NewOrchestration[Input, Receipt]("ProcessOrder")
)

// Input is what ProcessOrder starts with.
type Input struct {
	Order Order `json:"order"`
	// ApprovalWindow is captured when the order is placed, so that a new setting does not change orders under way. Zero is
	// DefaultApprovalWindow. It is no part of the order: the same order under another setting is the same order.
	ApprovalWindow Window `json:"approvalWindow"`
}

// UnmarshalJSON refuses an input without an order, such as an order that is not wrapped: it would fail only after it was
// accepted. What else is in an input is ignored, as ever, because inputs that were accepted before are read again.
func (in *Input) UnmarshalJSON(data []byte) error {
	var v struct {
		Order          *Order `json:"order"`
		ApprovalWindow Window `json:"approvalWindow"`
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	if v.Order == nil {
		return errors.New(`the input needs an "order": {"order":{"id":…}}`)
	}
	*in = Input{Order: *v.Order, ApprovalWindow: v.ApprovalWindow}
	return nil
}

// Receipt is what a completed order comes to.
type Receipt struct {
	Order    string `json:"order"`
	Charge   string `json:"charge"`
	Tracking string `json:"tracking"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Decision is the data of the event Approval.
type Decision struct {
	Approved bool   `json:"approved"`
	By       string `json:"by,omitempty"`
	Comment  string `json:"comment,omitempty"`
}

// UnmarshalJSON refuses a decision that does not say which: a slip of the pen must not reject an order.
func (d *Decision) UnmarshalJSON(data []byte) error {
	var v struct {
		Approved    *bool
		By, Comment string
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	if v.Approved == nil {
		return errors.New(`a decision needs "approved": true or false`)
	}
	*d = Decision{Approved: *v.Approved, By: v.By, Comment: v.Comment}
	return nil
}

// Reference names an order to inventory, carrier and payment: its instance id.
type Reference string

// Reservation asks the inventory to hold goods.
type Reservation struct {
	Reference Reference `json:"reference"`
	Items     []Item    `json:"items"`
}

// Hold is the inventory's answer.
type Hold struct {
	ID string `json:"id"`
}

// Shipment asks the carrier to deliver.
type Shipment struct {
	Reference Reference `json:"reference"`
	Name      string    `json:"name"`
	To        Address   `json:"to"`
	Items     []Item    `json:"items"`
}

// Parcel is the carrier's answer.
type Parcel struct {
	Tracking string `json:"tracking"`
}

// Payment asks the payment service to charge a card.
type Payment struct {
	Reference Reference `json:"reference"`
	Token     string    `json:"token"`
	// Amount is in minor units of the currency.
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Charge is the payment service's answer.
type Charge struct {
	ID string `json:"id"`
}

// Reversal is the answer to an undo. In either case nothing more will be done for the reference.
type Reversal struct {
	// Reversed is false when there was nothing to undo.
	Reversed bool `json:"reversed"`
}
