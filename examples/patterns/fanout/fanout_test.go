package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/examples/patterns/fanout"
)

// total measures 50 files, of which some cannot be read.
func total(t *testing.T, unreadable int) (fanout.Sum, error) {
	t.Helper()
	bad := map[string]bool{}
	var files []string
	for n := range 50 {
		files = append(files, fmt.Sprint("file ", n))
		bad[files[n]] = n < unreadable
	}
	sys := durabletest.New(t, fanout.Total.Bind(fanout.Run), fanout.Measure.Bind(func(_ context.Context, file string) (int, error) {
		if bad[file] {
			return 0, errors.New("cannot be read")
		}
		return 10, nil
	}))
	run, err := fanout.Total.Submit(t.Context(), sys.Client, files)
	if err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	return run.Wait(t.Context())
}

func TestAFewMayFail(t *testing.T) {
	t.Parallel()
	if sum, err := total(t, 5); err != nil || sum.Bytes != 450 || len(sum.Failed) != 5 {
		t.Errorf("got %+v, %v", sum, err)
	}
}

func TestTooManyMayNot(t *testing.T) {
	t.Parallel()
	var failed *durable.OrchestrationError
	if _, err := total(t, 6); !errors.As(err, &failed) || failed.Status != durable.Failed {
		t.Errorf("got %v", err)
	}
}
