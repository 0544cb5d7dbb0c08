package httpclient

import (
	"encoding/json"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

type resetBody struct {
	Operation string          `json:"operation"`
	Result    json.RawMessage `json:"result,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	Reason    string          `json:"reason,omitempty"`
}

type failureBody struct {
	Message    string            `json:"message"`
	Kind       string            `json:"kind,omitempty"`
	Permanent  bool              `json:"permanent,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
	Causes     []history.Failure `json:"causes,omitempty"`
}

// status is an instance as the API shows it.
type status struct {
	Name          string
	InstanceID    string
	RuntimeStatus durable.Status
	Input         json.RawMessage
	CustomStatus  json.RawMessage
	Output        json.RawMessage
	Tags          map[string]string
	Version       uint32
	Failure       *failure `json:"failureDetails"`
	SuspendReason string
	Incarnation   string
	Parent        string `json:"parentInstanceId"`
	StartAt       time.Time
	// The contract's times are in seconds.
	CreatedAt, LastUpdatedAt time.Time
}

func (s *status) instance() durable.Instance {
	in := durable.Instance{
		ID: s.InstanceID, Incarnation: s.Incarnation, Name: s.Name, Version: s.Version, Status: s.RuntimeStatus,
		Input: value(s.Input), CustomStatus: value(s.CustomStatus), Output: value(s.Output),
		Created: s.CreatedAt, Updated: s.LastUpdatedAt, StartAt: s.StartAt, SuspendReason: s.SuspendReason, Tags: s.Tags, Parent: s.Parent,
	}
	if s.Failure != nil {
		f := s.Failure.failure()
		in.Failure = &f
	}
	return in
}

// value is no value for null.
func value(v json.RawMessage) json.RawMessage {
	if string(v) == "null" {
		return nil
	}
	return v
}

// failure is Durable Functions' form of one.
type failure struct {
	ErrorType, ErrorMessage string
	InnerFailure            *failure
	Properties              struct {
		Activity, Instance string
		Attempt            uint32
		Permanent          bool
		Custom             map[string]string
		OtherCauses        []*failure
	}
}

func (f *failure) failure() history.Failure {
	p := &f.Properties
	out := history.Failure{Kind: f.ErrorType, Message: f.ErrorMessage, Activity: p.Activity, Instance: p.Instance, Attempt: p.Attempt, Permanent: p.Permanent, Properties: p.Custom}
	if f.InnerFailure != nil {
		out.Causes = append(out.Causes, f.InnerFailure.failure())
	}
	for _, cause := range p.OtherCauses {
		out.Causes = append(out.Causes, cause.failure())
	}
	return out
}
