package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/durable-lambda/durable-lambda/examples/orders"
)

// settings are what a deployment says about its orders.
type settings struct {
	// window is how long orders that are placed from now on wait for approval; 0 is the default.
	window time.Duration
	// standing is the order that each tick of the schedule places, under an id of its own.
	standing orders.Order
}

func fromEnvironment() (s settings, err error) {
	if text := os.Getenv("ORDERS_APPROVAL_WINDOW"); text != "" {
		if s.window, err = time.ParseDuration(text); err != nil || s.window <= 0 {
			return s, fmt.Errorf("ORDERS_APPROVAL_WINDOW is %q: it must be a duration such as 72h", text)
		}
	}
	if text := os.Getenv("ORDERS_STANDING_ORDER"); text != "" {
		if err := json.Unmarshal([]byte(text), &s.standing); err != nil {
			return s, fmt.Errorf("ORDERS_STANDING_ORDER is no order in JSON: %w", err)
		}
		s.standing.ID = "standing"
		if err := s.standing.Check(); err != nil {
			return s, fmt.Errorf("ORDERS_STANDING_ORDER: %w", err)
		}
	}
	return s, nil
}
