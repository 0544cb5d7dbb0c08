package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/api"
)

// status is an instance as the API shows it.
type status struct {
	InstanceID      string
	RuntimeStatus   string
	CustomStatus    struct{ Step, Detail string }
	Output          json.RawMessage
	CreatedTime     time.Time
	LastUpdatedTime time.Time
	FailureDetails  *struct{ ErrorType, ErrorMessage string }
	HistoryEvents   []event
}

type event struct {
	EventType, FunctionName  string
	Timestamp, ScheduledTime time.Time
}

func (s status) ended() bool {
	return s.RuntimeStatus == "Completed" || s.RuntimeStatus == "Failed" || s.RuntimeStatus == "Terminated"
}

func instancePath(id string) string { return api.Base + "/instances/" + id }

// until asks for an instance until it is as wanted. What is not there yet, and an answer that was lost, is asked for again.
func (d *door) until(ctx context.Context, pace pace, id, what string, wanted func(status) bool) (s status, err error) {
	err = eventually(ctx, pace.ask, pace.patience, func() (bool, error) {
		s = status{}
		err := d.send(ctx, http.MethodGet, instancePath(id), nil, &s)
		var refused *refusal
		switch {
		case errors.As(err, &refused) && refused.status != http.StatusNotFound && refused.status < 500 && refused.status != http.StatusTooManyRequests:
			return false, err
		case err != nil:
			return false, nil
		case wanted(s):
			return true, nil
		case s.ended():
			return false, fmt.Errorf("%s is %s before %s: %s", id, s.RuntimeStatus, what, s.explain())
		}
		return false, nil
	})
	if errors.Is(err, errPatience) {
		return s, fmt.Errorf("%w for %s to be so that %s; it is %q, %q", err, id, what, s.RuntimeStatus, s.CustomStatus.Step)
	}
	return s, err
}

// completed asks for an instance until it has completed.
func (d *door) completed(ctx context.Context, pace pace, id string) (status, error) {
	return d.until(ctx, pace, id, "it has completed", func(s status) bool { return s.RuntimeStatus == "Completed" })
}

// history is an instance with its events.
func (d *door) history(ctx context.Context, id string) (s status, err error) {
	return s, d.send(ctx, http.MethodGet, instancePath(id)+"?showHistory=true", nil, &s)
}

// explain says why an instance has failed.
func (s status) explain() string {
	if s.FailureDetails != nil {
		return s.FailureDetails.ErrorType + ", " + s.FailureDetails.ErrorMessage
	}
	return fmt.Sprintf("%q, output %s", s.CustomStatus.Detail, s.Output)
}

// pace is how often to ask, and for how long at most.
type pace struct{ ask, patience time.Duration }
