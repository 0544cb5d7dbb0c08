// Package aggregator is the pattern aggregator: what many tell about one thing is collected by one instance, which lives as long as
// there is something to collect. In Durable Functions it is mostly an entity.
package aggregator

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// Sum is what has been read of a meter since it was last stored.
type Sum struct {
	Meter string `json:"meter"`
	Count int    `json:"count"`
	Total int    `json:"total"`
}

// The contracts of the pattern.
var (
	Reading = durable.NewEvent[int]("Reading")
	Store   = durable.NewActivity[Sum, durable.None]("Store", durable.Retry{Attempts: 10, Initial: time.Second, Factor: 2, Cap: time.Hour})
	Collect = durable.NewOrchestration[Sum, durable.None]("Collect")
)

const (
	full = 100       // readings are stored together
	open = time.Hour // or those of an hour
)

// Add tells what was read. The id names the reading: one that is sent again counts once.
func Add(ctx context.Context, c durable.Client, meter, id string, value int) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	for {
		run, err := Collect.Submit(ctx, c, Sum{Meter: meter}, durable.ID("meter-"+meter), durable.UseExisting)
		if err != nil {
			return err
		}
		err = c.Raise(ctx, durable.EventRequest{Instance: run.ID(), Name: Reading.Name(), Data: data, ID: id})
		if !errors.Is(err, durable.ErrEnded) { // somebody terminated it in between
			return err
		}
	}
}

// Run collects the readings of a meter for ever. Each batch begins with the first reading, and ends when it is full or an hour later.
// The sum is shown as it grows.
func Run(ctx durable.Context, sum Sum) (none durable.None, err error) {
	meter := sum.Meter
	for scope := ctx; sum.Count < full; {
		ctx.SetStatus(sum)
		value, err := Reading.Next(scope).Await()
		if errors.Is(err, durable.ErrTimeout) {
			break
		}
		if err != nil {
			return none, err
		}
		sum.Count++
		sum.Total += value
		if sum.Count == 1 {
			var cancel func()
			scope, cancel = durable.WithTimeout(ctx, open)
			defer cancel()
		}
	}
	if _, err := Store.Call(ctx, sum); err != nil {
		return none, err
	}
	return none, Collect.ContinueAsNew(ctx, Sum{Meter: meter})
}
