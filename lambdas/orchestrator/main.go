// Command orchestrator is the Lambda function that runs the turns of the demonstration's instances.
package main

import (
	"github.com/durable-lambda/durable-lambda/durable/awslambda"
	"github.com/durable-lambda/durable-lambda/examples/drills/bodies"
	"github.com/durable-lambda/durable-lambda/examples/orders"
	"github.com/durable-lambda/durable-lambda/examples/orders/fulfilment"
)

func main() {
	awslambda.Orchestrator(append(bodies.Orchestrations(), orders.ProcessOrder.Bind(fulfilment.ProcessOrder))...)
}
