// Package web is the door of the order example: it takes orders over HTTP.
package web

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// maxBody is the largest order in bytes; one at all its limits has about half of that.
const maxBody = 64 << 10

// Config is what the door needs. Client, Accepted and Problem are required.
type Config struct {
	Client durable.Client
	// ApprovalWindow is how long orders that are placed from now on wait for approval. 0 is orders.DefaultApprovalWindow.
	ApprovalWindow time.Duration
	// Accepted answers 202 with the check-status body of an instance.
	Accepted func(w http.ResponseWriter, r *http.Request, instanceID string)
	// Problem answers with an error: message is a title, detail says what to do.
	Problem func(w http.ResponseWriter, status int, message, detail string)
	// Log receives the errors that are none of the caller's business. Nil discards them.
	Log *slog.Logger
}

// Elsewhere answers what is asked for below the door, where people look for an order: the management API has it.
func Elsewhere(problem func(w http.ResponseWriter, status int, message, detail string)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusNotFound, "There is nothing here",
			"Orders are posted to /orders; order 1001 is instance order-1001 of the management API.")
	}
}

type door struct{ Config }

// Handler serves POST /orders and is to be mounted there. An order is answered with
//
//	202  it is being processed, or was: the check-status body of the instance order-<id>
//	400  it is not valid: the detail names the field
//	405  the method is not POST
//	409  another order has this id
//	413  it is larger than 64 KiB
//	503  it could not be handed over: send the same order again, it is processed once
func Handler(c Config) http.Handler {
	if c.Client == nil || c.Accepted == nil || c.Problem == nil {
		panic("web.Handler: Config needs a Client, Accepted and Problem")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return door{c}
}

func (d door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		d.Problem(w, http.StatusMethodNotAllowed, "Method not allowed", "Orders are sent with POST.")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		d.Problem(w, http.StatusRequestEntityTooLarge, "The order is too large", "An order has at most 64 KiB.")
		return
	}
	if err != nil {
		d.Problem(w, http.StatusBadRequest, "The order is not valid", "The body could not be read to its end.")
		return
	}
	order, err := orders.Parse(body)
	if err != nil {
		d.Problem(w, http.StatusBadRequest, "The order is not valid", err.Error())
		return
	}
	id, err := orders.Place(r.Context(), d.Client, order, d.ApprovalWindow)
	if err != nil {
		d.refuse(w, r, order, err)
		return
	}
	d.Accepted(w, r, id)
}

func (d door) refuse(w http.ResponseWriter, r *http.Request, order orders.Order, err error) {
	switch {
	case errors.Is(err, orders.ErrTaken):
		d.Problem(w, http.StatusConflict, "Another order has this id",
			"Order "+order.ID+" was placed before and says something else. Give the new order another id.")
	case errors.Is(err, durable.ErrInvalid):
		d.Problem(w, http.StatusBadRequest, "The order is not valid", err.Error())
	default:
		d.Log.ErrorContext(r.Context(), "the order could not be placed", "order", order.ID, "error", err)
		w.Header().Set("Retry-After", "5")
		d.Problem(w, http.StatusServiceUnavailable, "The order could not be placed",
			"It may be under way or not. Send the same order again: it is processed once.")
	}
}
