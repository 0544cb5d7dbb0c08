package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/examples/drills"
)

// chainLength is how many activities Chain calls.
const chainLength = 40

func (r *smokeRun) wide(ctx context.Context, d *deployment) (string, error) {
	begin := time.Now()
	_, err := r.drill(ctx, d, drills.FanOut.Name(), "wide", r.fanOut)
	return fmt.Sprintf("%.0f a second", float64(r.fanOut)/time.Since(begin).Seconds()), err
}

func (r *smokeRun) sequence(ctx context.Context, d *deployment) (string, error) {
	id, err := r.drill(ctx, d, drills.Chain.Name(), "chain", chainLength)
	if err != nil {
		return "", err
	}
	if d.chain, err = d.door.history(ctx, id); err != nil {
		return "", err
	}
	begin, end := span(d.chain.HistoryEvents)
	return fmt.Sprintf("%d ms each by its history", end.Sub(begin).Milliseconds()/chainLength), nil
}

// span is from the first event to the last.
func span(events []event) (begin, end time.Time) {
	for _, e := range events {
		if begin.IsZero() || e.Timestamp.Before(begin) {
			begin = e.Timestamp
		}
		if e.Timestamp.After(end) {
			end = e.Timestamp
		}
	}
	return begin, end
}

// drill runs an orchestration that returns how many activities it has called.
func (r *smokeRun) drill(ctx context.Context, d *deployment, name, id string, activities int) (string, error) {
	err := d.door.send(ctx, http.MethodPost, api.Base+"/orchestrators/"+name+"/"+id, drills.Load{Activities: activities}, nil)
	if err != nil {
		return "", err
	}
	s, err := d.door.completed(ctx, r.pace, id)
	if err == nil && string(s.Output) != fmt.Sprint(activities) {
		err = fmt.Errorf("%s has called %s activities; want %d", name, s.Output, activities)
	}
	return id, err
}
