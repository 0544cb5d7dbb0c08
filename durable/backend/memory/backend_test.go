package memory_test

import (
	"testing"
	"testing/synctest"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, backendtest.Config{
		Open: func(*testing.T) backendtest.System {
			return backendtest.System{Backend: memory.New(memory.Options{}).Backend()}
		},
		Bubble:             synctest.Test,
		Parallel:           true,
		Visibility:         memory.DefaultVisibility,
		ActivityVisibility: memory.DefaultActivityVisibility,
		Ordered:            true,
		DedupWindow:        memory.DedupWindow,
	})
}

func TestConformanceUnordered(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, backendtest.Config{
		Open: func(*testing.T) backendtest.System {
			last := func(n int) int { return n - 1 }
			return backendtest.System{Backend: memory.New(memory.Options{Unordered: true, Pick: last}).Backend()}
		},
		Bubble:             synctest.Test,
		Parallel:           true,
		Visibility:         memory.DefaultVisibility,
		ActivityVisibility: memory.DefaultActivityVisibility,
	})
}

func BenchmarkBackend(b *testing.B) {
	backendtest.Benchmark(b, func(b *testing.B) backend.Backend {
		return memory.New(memory.Options{}).Backend()
	})
}
