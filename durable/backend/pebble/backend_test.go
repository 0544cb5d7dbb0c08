package pebble_test

import (
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
)

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func mustOpen(t testing.TB, dir string, opts pebble.Options) *pebble.Backend {
	t.Helper()
	b, err := pebble.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func conformance(t *testing.T, open func(t *testing.T, c *clock) *pebble.Backend) {
	backendtest.Run(t, backendtest.Config{
		Open: func(t *testing.T) backendtest.System {
			c := newClock()
			return backendtest.System{Backend: open(t, c).Backend(), Advance: c.Advance}
		},
		Parallel:           true,
		Visibility:         pebble.DefaultVisibility,
		ActivityVisibility: pebble.DefaultActivityVisibility,
		Ordered:            true,
		DedupWindow:        pebble.DedupWindow,
	})
}

func TestConformanceOnDisk(t *testing.T) {
	t.Parallel()
	conformance(t, func(t *testing.T, c *clock) *pebble.Backend {
		return mustOpen(t, t.TempDir(), pebble.Options{Now: c.Now})
	})
}

func TestConformanceInMemory(t *testing.T) {
	t.Parallel()
	conformance(t, func(t *testing.T, c *clock) *pebble.Backend {
		return mustOpen(t, "data", pebble.Options{Now: c.Now, FS: vfs.NewMem()})
	})
}

func BenchmarkBackend(b *testing.B) {
	backendtest.Benchmark(b, func(b *testing.B) backend.Backend {
		return mustOpen(b, b.TempDir(), pebble.Options{}).Backend()
	})
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		opened, err := pebble.Open(dir, pebble.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := opened.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
