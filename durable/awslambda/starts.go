package awslambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
)

// Starts starts orchestrations for messages and ticks: its methods are for Routes.Message and Routes.Schedule. What can never be started is
// rejected.
type Starts struct {
	Client durable.Client
	// Definitions are the orchestrations that may be started; without them, any.
	Definitions []api.Definition
}

// The attributes of a message that starts an orchestration. Its body is the input: JSON, or nothing.
const (
	// AttributeOrchestration is the name. Without it, there must be one definition only.
	AttributeOrchestration = "orchestration"
	// AttributeID is the instance's id; the message's own without it.
	AttributeID = "id"
	// AttributeVersion is that of the orchestration; the definition's without it.
	AttributeVersion = "version"
	// AttributeTags are tags, as an object of JSON with strings in it.
	AttributeTags = "tags"
)

// Message starts what a message asks for, once, however often it is delivered. An id that has been used for something else is rejected.
func (s Starts) Message(ctx context.Context, m Message) error {
	req := durable.StartRequest{Name: m.Attributes[AttributeOrchestration], ID: m.Attributes[AttributeID], Input: json.RawMessage(strings.TrimSpace(m.Body))}
	if req.ID == "" {
		req.ID = m.ID
	}
	if text := m.Attributes[AttributeTags]; text != "" {
		if err := json.Unmarshal([]byte(text), &req.Tags); err != nil {
			return Reject(fmt.Errorf(`the attribute %s is no object of JSON with strings in it, such as {"customer":"7"}: %w`, AttributeTags, err))
		}
	}
	version, err := strconv.ParseUint(m.Attributes[AttributeVersion], 10, 32)
	if text := m.Attributes[AttributeVersion]; text != "" && err != nil {
		return Reject(fmt.Errorf("the attribute %s is %q: it must be a number", AttributeVersion, text))
	}
	return s.start(ctx, req, m.Attributes[AttributeVersion] != "", uint32(version))
}

// schedule is the detail of a rule that starts an orchestration.
type schedule struct {
	Orchestration string            `json:"orchestration"`
	Version       *uint32           `json:"version"`
	Input         json.RawMessage   `json:"input"`
	Tags          map[string]string `json:"tags"`
}

// Tick starts what the rule's detail asks for, once for each tick: {"orchestration":"Report","input":{"kind":"daily"},"tags":{"by":"schedule"}}.
// The id of the instance is that of the tick.
func (s Starts) Tick(ctx context.Context, t Tick) error {
	var asked schedule
	d := json.NewDecoder(bytes.NewReader(t.Detail))
	d.DisallowUnknownFields()
	err := d.Decode(&asked)
	if err == nil && asked.Orchestration == "" && len(s.Definitions) != 1 {
		err = errors.New("it names no orchestration")
	}
	if err != nil {
		return Reject(fmt.Errorf(`the rule %s must have a detail such as {"orchestration":"Report","input":{}}, and has %q: %w`, t.Rule, t.Detail, err))
	}
	var version uint32
	if asked.Version != nil {
		version = *asked.Version
	}
	return s.start(ctx, durable.StartRequest{Name: asked.Orchestration, ID: t.ID(), Input: asked.Input, Tags: asked.Tags}, asked.Version != nil, version)
}

func (s Starts) start(ctx context.Context, req durable.StartRequest, versioned bool, version uint32) error {
	if req.Name == "" && len(s.Definitions) == 1 {
		req.Name = s.Definitions[0].Name()
	}
	d, err := s.definition(req.Name)
	if err != nil {
		return Reject(err)
	}
	if len(req.Input) > 0 && !json.Valid(req.Input) {
		return Reject(errors.New("the body is not valid JSON"))
	}
	if d != nil {
		checked := req.Input
		if len(checked) == 0 {
			checked = json.RawMessage("null")
		}
		if _, err := d.CheckInput(checked); err != nil {
			return Reject(fmt.Errorf("the orchestration %q does not take this input: %w", req.Name, err))
		}
		if v, ok := d.(api.Versioned); ok && !versioned {
			version = v.CurrentVersion()
		}
	}
	req.Version, req.Reuse, req.Conflict = version, durable.ReuseNever, durable.UseSame
	_, err = s.Client.Start(ctx, req)
	if errors.Is(err, durable.ErrExists) && !versioned {
		// Another version may have been the current one when the message came first.
		in, unread := s.Client.Get(ctx, req.ID, durable.NoInput)
		if unread != nil {
			return unread
		}
		if in.Version != req.Version {
			req.Version = in.Version
			_, err = s.Client.Start(ctx, req)
		}
	}
	if errors.Is(err, durable.ErrExists) {
		return Reject(err)
	}
	return err
}

// definition is that of a name; nil where any may be started.
func (s Starts) definition(name string) (api.Definition, error) {
	var names []string
	for _, d := range s.Definitions {
		if d.Name() == name {
			return d, nil
		}
		names = append(names, d.Name())
	}
	switch {
	case name == "":
		return nil, fmt.Errorf("the attribute %s is missing: it names what to start", AttributeOrchestration)
	case len(names) > 0:
		return nil, fmt.Errorf("there is no orchestration %q: there are %s", name, strings.Join(names, ", "))
	}
	return nil, nil
}
