package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/api"
)

// step is one thing that must work. do returns what there is to say about it.
type step struct {
	name string
	do   func(context.Context, *deployment) (string, error)
}

// steps are in an order: the standing order before Chain, which is counted and is to be alone.
func (r *smokeRun) steps() []step {
	return []step{
		{"the API answers a signed request", r.answers},
		{"an order, from POST /orders to its receipt", r.order},
		{"an order that is approved", r.approval},
		{"an order from the queue", r.queued},
		{"mails", r.mailed},
		{fmt.Sprintf("%d activities at once", r.fanOut), r.wide},
		{"an order from the schedule", r.scheduled},
		{fmt.Sprintf("%d activities one after another", chainLength), r.sequence},
	}
}

// walk takes all steps, and goes on after one that fails.
func (r *smokeRun) walk(ctx context.Context, d *deployment, steps []step) error {
	var failed []string
	for _, s := range steps {
		begin := time.Now()
		remark, err := s.do(ctx, d)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			failed = append(failed, s.name)
			r.line("FAIL", s.name, time.Since(begin), err.Error())
		default:
			r.line("ok", s.name, time.Since(begin), remark)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d steps failed: %s", len(failed), len(steps), strings.Join(failed, "; "))
	}
	return nil
}

// line prints how something went.
func (r *smokeRun) line(outcome, what string, took time.Duration, remark string) {
	text := fmt.Sprintf("  %-4s %-46s %8s", outcome, what, seconds(took))
	if remark != "" {
		text += "   " + remark
	}
	r.say("%s", text)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// answers waits until API Gateway has everything that a new API needs: until then it refuses, too.
func (r *smokeRun) answers(ctx context.Context, d *deployment) (string, error) {
	var last error
	err := eventually(ctx, r.pace.ask, time.Minute, func() (bool, error) {
		last = d.door.send(ctx, http.MethodGet, api.Base+"/instances?top=1", nil, nil)
		return last == nil, nil
	})
	if errors.Is(err, errPatience) {
		return "", fmt.Errorf("%w: %w", err, last)
	}
	return d.door.url, err
}
