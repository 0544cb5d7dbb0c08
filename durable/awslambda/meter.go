package awslambda

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// meter counts the requests that are made of AWS, every attempt of each, because every one is billed.
type meter struct {
	mu     sync.Mutex
	counts map[string]int // by service and operation
}

func newMeter() *meter { return &meter{counts: map[string]int{}} }

// add is an option of the SDK's clients. What is last of the finalize step is behind the SDK's own retries.
func (m *meter) add(s *middleware.Stack) error {
	return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("Meter",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			m.count(awsmiddleware.GetServiceID(ctx) + "." + awsmiddleware.GetOperationName(ctx))
			return next.HandleFinalize(ctx, in)
		}), middleware.After)
}

func (m *meter) count(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[what]++
}

// report logs what was counted since the last report.
func (m *meter) report(log *slog.Logger) {
	m.mu.Lock()
	counts := m.counts
	m.counts = map[string]int{}
	m.mu.Unlock()
	var attrs []any
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		attrs = append(attrs, slog.Int(what, counts[what]))
	}
	log.Info("requests", slog.Group("requests", attrs...))
}
