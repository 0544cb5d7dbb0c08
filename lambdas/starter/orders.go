package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/awslambda"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// approvalWindow is how long orders that are placed from now on wait for approval; 0 is the default.
func approvalWindow() (window time.Duration, err error) {
	text := os.Getenv("ORDERS_APPROVAL_WINDOW")
	if text == "" {
		return 0, nil
	}
	if window, err = time.ParseDuration(text); err != nil || window <= 0 {
		return 0, fmt.Errorf("ORDERS_APPROVAL_WINDOW is %q: it must be a duration such as 72h", text)
	}
	return window, nil
}

// standing is the order that the schedule has for each tick, under the tick's id.
func standing(t awslambda.Tick) (order orders.Order, err error) {
	if err := json.Unmarshal(t.Detail, &order); err != nil {
		return order, awslambda.Reject(fmt.Errorf("the standing order is no order in JSON: %w", err))
	}
	order.ID = t.ID()
	return order, nil
}

// rejected marks what no further delivery makes right.
func rejected(err error) error {
	var field *orders.FieldError
	if errors.As(err, &field) || errors.Is(err, orders.ErrTaken) {
		return awslambda.Reject(err)
	}
	return err
}
