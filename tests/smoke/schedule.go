package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/awslambda"
	"github.com/durable-lambda/durable-lambda/examples/orders"
)

func (r *smokeRun) scheduled(ctx context.Context, d *deployment) (string, error) {
	var placed []status
	err := eventually(ctx, max(time.Second, r.pace.ask), 4*time.Minute, func() (bool, error) {
		all, err := d.standing(ctx)
		if err != nil {
			return false, err
		}
		placed = nil
		for _, s := range all {
			if s.RuntimeStatus == "Failed" {
				return false, fmt.Errorf("%s has failed: %s", s.InstanceID, s.explain())
			}
			if s.RuntimeStatus == "Completed" {
				placed = append(placed, s)
			}
		}
		return len(placed) > 0, nil
	})
	if err != nil {
		return "", err
	}
	s := placed[len(placed)-1]
	return fmt.Sprintf("%s, done %s after it was placed", s.InstanceID, seconds(s.LastUpdatedTime.Sub(s.CreatedTime))), nil
}

// standing lists the orders that the schedule has placed.
func (d *deployment) standing(ctx context.Context) (all []status, err error) {
	rule := d.resources["StandingOrderRule"]
	if rule.id == "" {
		return nil, errors.New("the stack has no rule StandingOrderRule; the template was changed, and this command was not")
	}
	tick := awslambda.Tick{Rule: rule.id[strings.LastIndexByte(rule.id, '/')+1:]}.ID()
	id := orders.Order{ID: tick[:strings.LastIndexByte(tick, '-')+1]}.InstanceID()
	return all, d.door.send(ctx, http.MethodGet, api.Base+"/instances?showInput=false&instanceIdPrefix="+url.QueryEscape(id), nil, &all)
}
