// Command starter is the Lambda function that lets orders in, over HTTP, from a queue and on a schedule, and serves the
// management API.
package main

import (
	"context"
	"net/http"

	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/awslambda"
	"github.com/durable-lambda/durable-lambda/examples/drills"
	"github.com/durable-lambda/durable-lambda/examples/orders"
	"github.com/durable-lambda/durable-lambda/examples/orders/web"
)

func main() {
	awslambda.Starter(func(s awslambda.Services) (awslambda.Routes, error) {
		c, err := fromEnvironment()
		if err != nil {
			return awslambda.Routes{}, err
		}
		return awslambda.Routes{
			Definitions: []api.Definition{orders.ProcessOrder, drills.Chain, drills.FanOut, drills.Nap, drills.Linger, drills.Wreck},
			HTTP: func(mux *http.ServeMux, a *api.API) {
				mux.Handle("/orders", web.Handler(web.Config{Client: s.Client, ApprovalWindow: c.window,
					Accepted: a.Accepted, Problem: api.Problem, Log: s.Log}))
				mux.HandleFunc("/", web.Elsewhere(api.Problem))
			},
			Message: func(ctx context.Context, body string) error {
				order, err := orders.Parse([]byte(body))
				if err != nil {
					return err
				}
				_, err = orders.Place(ctx, s.Client, order, c.window)
				return err
			},
			Schedule: func(ctx context.Context, t awslambda.Tick) error {
				order := c.standing
				order.ID = t.ID()
				_, err := orders.Place(ctx, s.Client, order, c.window)
				return err
			},
		}, nil
	})
}
