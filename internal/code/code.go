// Package code defines the erased Handler: what remains of a typed contract and its body once they are bound. The worker
// dispatches by it, without knowing any types.
package code

import (
	"context"
	"encoding/json"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// Kind says what a handler runs.
type Kind uint8

// The kinds of handlers.
const (
	Orchestration Kind = iota + 1
	Activity
	Token
)

func (k Kind) String() string {
	switch k {
	case Activity:
		return "activity"
	case Token:
		return "HTTP token"
	}
	return "orchestration"
}

// Pending is what Handler.Do returns, itself, when the body has left its outcome to somebody else.
var Pending = &history.Failure{Kind: "Pending", Message: "the outcome comes from elsewhere"}

// Handler is a bound body.
type Handler struct {
	Kind    Kind
	Name    string
	Version uint32
	// Current is the version of new instances for which nobody names another.
	Current uint32
	// Run is the body of an orchestration.
	Run replay.Code
	// Check returns an orchestration's input as its body will read it, or why it cannot.
	Check func(input json.RawMessage) (json.RawMessage, error)
	// Policy is the contract's of an activity.
	Policy *history.Policy
	// Do is the body of an activity: JSON in; JSON, a failure, or Pending out.
	Do func(ctx context.Context, input []byte) ([]byte, *history.Failure)
	// Token is a source of bearer tokens for HTTP requests.
	Token func(context.Context) (string, error)
}
