package endpoint_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/tests/budget/endpoint"
)

// TestConformance: the adapter for AWS keeps the ports' contract on the endpoint, so that what is counted is what it sends where everything works.
func TestConformance(t *testing.T) {
	const visibility = 30 * time.Second
	backendtest.Run(t, backendtest.Config{
		Open: func(t *testing.T) backendtest.System {
			return backendtest.System{Backend: endpoint.New(endpoint.Options{Visibility: visibility, ActivityVisibility: visibility}).Backend()}
		},
		Bubble:     func(t *testing.T, test func(*testing.T)) { synctest.Test(t, test) },
		Visibility: visibility, ActivityVisibility: visibility, Ordered: true, DedupWindow: 5 * time.Minute,
	})
}
