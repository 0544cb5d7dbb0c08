package awslambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// eventSource is the source of events on a bus; the detail type is "Orchestration Started" and so on.
const eventSource = "durable"

// notifies reports whether changes of instances are put on a bus.
func notifies() bool { return os.Getenv(EnvEventBus) != "" }

// bus is where changes of instances are put, as events.
type bus struct {
	name, hub string
	// send is EventBridge's: as an interface the client would bring all that it can do into a program that uses templates.
	send func(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// openBus returns what tells of changes; nil where the environment names no bus.
func (h *hub) openBus() func(context.Context, worker.Notification) error {
	if !notifies() {
		return nil
	}
	b := &bus{name: os.Getenv(EnvEventBus), hub: os.Getenv(EnvHub), send: eventbridge.NewFromConfig(h.AWS).PutEvents}
	return b.put
}

// put is done when the bus has the event.
func (b *bus) put(ctx context.Context, n worker.Notification) error {
	detail, err := json.Marshal(struct {
		Hub string `json:"hub"`
		worker.Notification
	}{b.hub, n})
	if err != nil {
		return err
	}
	out, err := b.send(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: &b.name, Source: sdk.String(eventSource), DetailType: sdk.String("Orchestration " + n.Change), Detail: sdk.String(string(detail)), Time: &n.Time,
	}}})
	switch {
	case err != nil:
		return fmt.Errorf("the event bus %s: %w", b.name, err)
	case len(out.Entries) != 1:
		return errors.New("the event bus " + b.name + " does not say whether it has the event")
	case out.Entries[0].ErrorCode != nil:
		return fmt.Errorf("the event bus %s does not take the event: %s: %s", b.name, *out.Entries[0].ErrorCode, sdk.ToString(out.Entries[0].ErrorMessage))
	}
	return nil
}
