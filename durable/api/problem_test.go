package api_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
)

func TestProblem(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	api.Problem(w, 400, "The order has no lines.", "Send at least one element in lines.")
	golden(t, w, "problem-400")
	w = httptest.NewRecorder()
	api.Problem(w, 409, "The order has been shipped.", "")
	golden(t, w, "problem-409")
}

func TestErrorIsTheStatusOfItsCause(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]int{
		durable.ErrInvalid:      400,
		durable.ErrNotFound:     404,
		durable.ErrExists:       409,
		durable.ErrSuspended:    409,
		durable.ErrNotSuspended: 409,
		durable.ErrEnded:        410,
		errors.New("throttled"): 500,
	} {
		w := httptest.NewRecorder()
		api.Error(w, fmt.Errorf("start order-42: %w", cause))
		checkBody(t, w)
		if w.Code != want {
			t.Errorf("%v is %d, want %d", cause, w.Code, want)
		}
	}
}
