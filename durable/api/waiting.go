package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// defaultInterval is Durable Functions'; minInterval keeps a client from turning one request into a flood of reads.
const (
	defaultInterval = time.Second
	minInterval     = 100 * time.Millisecond
)

// timeoutKey asks for waiting.
const timeoutKey = "timeout"

// waiting is how long a request wants to wait for an instance's end, and how often to look.
type waiting struct {
	asked             bool
	timeout, interval time.Duration
}

func (a *API) waiting(q query) (waiting, error) {
	timeout, asked := q.seconds(timeoutKey)
	if !asked {
		return waiting{}, nil
	}
	interval, given := q.seconds("pollingInterval")
	switch {
	case !given:
		interval = defaultInterval
	case interval > timeout:
		return waiting{}, fmt.Errorf("the pollingInterval of %v is longer than the timeout of %v", interval, timeout)
	}
	if a.maxWait > 0 {
		timeout = min(timeout, a.maxWait)
	}
	return waiting{asked: true, timeout: timeout, interval: max(interval, minInterval)}, nil
}

// answerAtEnd waits for the end of an instance and answers with its output, with its status if it did not complete, or
// with its links when the time is up.
func (a *API) answerAtEnd(w http.ResponseWriter, r request, id string, wait waiting) {
	instance, ended := a.await(r.Context(), id, wait)
	switch {
	case !ended:
		a.Accepted(w, r.Request, id)
	case instance.Status == durable.Completed:
		writeJSON(w, http.StatusOK, value(instance.Output))
	default:
		if full, err := a.client.Get(r.Context(), id, r.leaveOut()...); err == nil {
			instance = full
		}
		a.writeStatus(w, r, instance)
	}
}

// await returns the instance when it has ended; false when the time is up or ctx is done. An error of a read is no
// answer: the instance has been started, and the next read may succeed.
func (a *API) await(ctx context.Context, id string, wait waiting) (durable.Instance, bool) {
	deadline := time.Now().Add(wait.timeout)
	for {
		instance, err := a.client.Get(ctx, id, durable.NoInput)
		if err == nil && instance.Status.Ended() {
			return instance, true
		}
		left := time.Until(deadline)
		if left <= 0 {
			return durable.Instance{}, false
		}
		select {
		case <-time.After(min(left, wait.interval)):
		case <-ctx.Done():
			return durable.Instance{}, false
		}
	}
}
