package asynchttp

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// Order is a film, and the server that is to render it.
type Order struct {
	Server string `json:"server"`
	Film   Film   `json:"film"`
}

// Buy is the contract of the caller.
var Buy = durable.NewOrchestration[Order, string]("Buy")

// Call is the body of Buy. HTTP asks at the Location until the answer is no longer 202, without a worker that waits.
func Call(ctx durable.Context, o Order) (string, error) {
	body, err := json.Marshal(o.Film)
	if err != nil {
		return "", err
	}
	resp, err := durable.HTTP(ctx, durable.HTTPRequest{
		Method: "POST", URL: o.Server + "/films", Body: body,
		Retry: durable.Retry{Attempts: 5, Initial: time.Second, Factor: 2},
	})
	if err != nil {
		return "", err
	}
	var done struct {
		RuntimeStatus durable.Status  `json:"runtimeStatus"`
		Output        json.RawMessage `json:"output"`
	}
	if err := json.Unmarshal(resp.Body, &done); err != nil || done.RuntimeStatus != durable.Completed {
		return "", fmt.Errorf("the film is not there: %d %s %s", resp.Status, done.RuntimeStatus, done.Output)
	}
	var film string
	err = json.Unmarshal(done.Output, &film)
	return film, err
}
