//go:build e2e

package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/tests/contract"
)

// The table is the one that tests/contract holds the API to within the process and over TCP.
func TestTheContract(t *testing.T) {
	undisturbed(t)
	contract.Run(t, contract.Target{URL: hub.api, Hub: stack, Client: &http.Client{Timeout: 35 * time.Second},
		Pause: firstPause, Patience: patience, Gateway: true})
}
