// Package bench measures the replay of durable-lambda beside that of others, on the same workload. It is a module of its own, so that what others need is no dependency of the product.
package bench

import "fmt"

// Order is what the activities are given and return: about a kilobyte of JSON.
type Order struct {
	ID       string            `json:"id"`
	Customer map[string]string `json:"customer"`
	Items    []Item            `json:"items"`
	Notes    string            `json:"notes"`
	Done     int               `json:"done"`
}

// Item is a line of an order.
type Item struct {
	SKU       string `json:"sku"`
	Name      string `json:"name"`
	Quantity  int    `json:"quantity"`
	UnitPrice int    `json:"unitPrice"`
}

// NewOrder is the order that the workload begins with.
func NewOrder() Order {
	o := Order{ID: "order-000001", Notes: "Please leave the parcel with the neighbour at number 3 if nobody is at home.", Customer: map[string]string{
		"name": "A. Customer", "email": "customer@example.com", "street": "1 Main Street", "city": "Springfield", "zip": "12345", "country": "US"}}
	for i := range 9 {
		o.Items = append(o.Items, Item{SKU: fmt.Sprintf("TEA-%02d", i), Name: "Green tea, loose leaf, 250 g", Quantity: i + 1, UnitPrice: 1250 + i})
	}
	return o
}

// Sizes are how many activities the workload calls, one after the other, each with the order that the one before returned.
var Sizes = []int{100, 1_000, 10_000}

// Replayer is one who takes part: it makes the history of so many activities, as it keeps it, and returns what reads those bytes and replays them.
type Replayer struct {
	Name string
	Make func(activities int) (stored int, replay func() error, err error)
}

// Replayers are all who take part. A file of this package for each.
var Replayers = []Replayer{Durable, Temporal}
