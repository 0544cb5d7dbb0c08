package orders

import "time"

// Step is how far an order has come, in the words that the customer reads.
type Step string

// The steps of an order.
const (
	Received         Step = "received"
	AwaitingApproval Step = "awaiting approval"
	Approved         Step = "approved"
	Rejected         Step = "rejected" // by somebody, or because nobody approved it in time
	Shipped          Step = "shipped"
	Billed           Step = "billed"
	Completed        Step = "completed"
	Refunded         Step = "failed and refunded" // everything is undone, which may have been nothing
	Failed           Step = "failed"              // and not everything could be undone: a person has to look at it
)

// Status is the custom status of ProcessOrder.
type Status struct {
	Step   Step   `json:"step"`
	Detail string `json:"detail,omitempty"`
}

// StatusMail tells the customer about a Status.
type StatusMail struct {
	Status
	Order    string   `json:"order"`
	Customer Customer `json:"customer"`
	// Total is the amount as people write it.
	Total string `json:"total"`
	// Until is when the wait for an approval ends, with AwaitingApproval.
	Until time.Time `json:"until,omitzero"`
	// Refunded says that the card had been charged, and the money is given back.
	Refunded bool `json:"refunded,omitempty"`
}
