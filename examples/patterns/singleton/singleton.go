// Package singleton is the pattern singleton: of everything that has one name there is one instance at a time, because the name
// is its id. Who comes while it runs gets the one that runs.
package singleton

import (
	"context"

	"github.com/durable-lambda/durable-lambda/durable"
)

// The contracts of the pattern.
var (
	Copy = durable.NewActivity[string, durable.None]("Copy")
	Sync = durable.NewOrchestration[string, durable.None]("Sync")
)

// Start synchronizes an account, unless that is under way: then it returns the run that is.
func Start(ctx context.Context, c durable.Client, account string) (durable.Run[durable.None], error) {
	return Sync.Submit(ctx, c, account, durable.ID("sync-"+account), durable.UseExisting)
}

// Run copies what the account has.
func Run(ctx durable.Context, account string) (durable.None, error) { return Copy.Call(ctx, account) }
