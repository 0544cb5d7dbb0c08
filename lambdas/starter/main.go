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
		window, err := approvalWindow()
		if err != nil {
			return awslambda.Routes{}, err
		}
		definitions := []api.Definition{orders.ProcessOrder, drills.Chain, drills.FanOut, drills.Nap, drills.Linger, drills.Wreck}
		starts := awslambda.Starts{Client: s.Client, Definitions: definitions}
		place := func(ctx context.Context, order orders.Order, err error) error {
			if err == nil {
				_, err = orders.Place(ctx, s.Client, order, window)
			}
			return rejected(err)
		}
		return awslambda.Routes{
			Definitions: definitions,
			HTTP: func(mux *http.ServeMux, a *api.API) {
				mux.Handle("/orders", web.Handler(web.Config{Client: s.Client, ApprovalWindow: window,
					Accepted: a.Accepted, Problem: api.Problem, Log: s.Log}))
				mux.HandleFunc("/", web.Elsewhere(api.Problem))
			},
			Message: func(ctx context.Context, m awslambda.Message) error {
				if m.Attributes[awslambda.AttributeOrchestration] != "" {
					return starts.Message(ctx, m)
				}
				order, err := orders.Parse([]byte(m.Body))
				return place(ctx, order, err)
			},
			Schedule: func(ctx context.Context, t awslambda.Tick) error {
				order, err := standing(t)
				return place(ctx, order, err)
			},
		}, nil
	})
}
