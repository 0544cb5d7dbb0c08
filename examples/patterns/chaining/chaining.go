// Package chaining is the pattern function chaining: each activity gets what the one before returned. A crash between two of
// them repeats neither: the results so far are in the history.
package chaining

import (
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// The contracts of the chain.
var (
	Fetch   = durable.NewActivity[string, string]("Fetch", durable.Retry{Attempts: 3, Initial: 10 * time.Second, Factor: 2})
	Shorten = durable.NewActivity[string, string]("Shorten")
	Publish = durable.NewActivity[string, string]("Publish")

	Digest = durable.NewOrchestration[string, string]("Digest")
)

// Run fetches a page, shortens it, and publishes what is left.
func Run(ctx durable.Context, url string) (string, error) {
	page, err := Fetch.Call(ctx, url)
	if err != nil {
		return "", err
	}
	short, err := Shorten.Call(ctx, page)
	if err != nil {
		return "", err
	}
	return Publish.Call(ctx, short)
}
