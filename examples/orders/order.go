package orders

import (
	"reflect"
	"time"
)

// Order is what a customer sends.
type Order struct {
	ID       string   `json:"id"`
	Customer Customer `json:"customer"`
	// Currency is an ISO 4217 code. All amounts are in its minor units: cents of the euro, whole yen, fils of the dinar.
	Currency string  `json:"currency"`
	Items    []Item  `json:"items"`
	ShipTo   Address `json:"shipTo"`
	Payment  Card    `json:"payment"`
}

// Customer is who ordered and hears about it.
type Customer struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Item is one line of an order.
type Item struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	// UnitPrice is in minor units of the order's currency.
	UnitPrice int64 `json:"unitPrice"`
}

// Address is where the goods go.
type Address struct {
	Street   string `json:"street"`
	City     string `json:"city"`
	Postcode string `json:"postcode"`
	// Country is an ISO 3166 code of two letters.
	Country string `json:"country"`
}

// Card is how the order is paid.
type Card struct {
	// Token stands for a card at the payment service.
	Token string `json:"token"`
}

// InstanceID is the id of the instance that processes the order.
func (o Order) InstanceID() string { return "order-" + o.ID }

// Reference is the order's name to inventory, carrier and payment.
func (o Order) Reference() Reference { return Reference(o.InstanceID()) }

// Equal reports whether two orders are the same, however they were written down.
func (o Order) Equal(p Order) bool { return reflect.DeepEqual(o, p) }

// Total is the order's amount in minor units. It cannot overflow for an order that passes Check.
func (o Order) Total() int64 {
	var total int64
	for _, item := range o.Items {
		total += item.Quantity * item.UnitPrice
	}
	return total
}

// approvalOver is the amount, in whole units of any currency, over which an order needs approval.
const approvalOver = 1000

// NeedsApproval reports whether the order is over 1,000 in its currency.
func (o Order) NeedsApproval() bool {
	return o.Total() > approvalOver*minorUnits(o.Currency)
}

// Window is a duration that is written as in "72h0m0s".
type Window time.Duration

// MarshalText writes the duration as time.Duration does.
func (w Window) MarshalText() ([]byte, error) { return []byte(time.Duration(w).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (w *Window) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*w = Window(d)
	return err
}
