// Package backendtest is for whoever writes or distrusts an adapter: the conformance suite of the ports, a wrapper that
// makes calls fail, and the benchmarks that adapters share. A test of the suite is named by the sentence of the contract
// that it checks.
package backendtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// System is an adapter under test.
type System struct {
	backend.Backend
	// Advance lets d pass for the adapter; nil is time.Sleep. Set it when the adapter reads a clock of yours.
	Advance func(d time.Duration)
}

// Config says what to test and what the adapter promises.
type Config struct {
	// Open returns an adapter with empty queues for one test, and arranges with t.Cleanup for its end. A table and blobs
	// may be shared by the tests of one Run: each keeps to keys that contain its name.
	Open func(t *testing.T) System
	// Bubble runs a test in virtual time; testing/synctest's Test fits. Nil runs it in real time.
	Bubble func(t *testing.T, test func(t *testing.T))
	// Parallel lets tests run at the same time.
	Parallel bool
	// Visibility is that of the inbox and of the wake queue, ActivityVisibility that of the activities queue. What would
	// take longer than a few seconds of real time is left out; zero leaves out what depends on it.
	Visibility, ActivityVisibility time.Duration
	// Patience is how long a message may take to arrive, or the index to follow; less than half of Visibility. Zero is for
	// an adapter that is exact.
	Patience time.Duration
	// Ordered says that the inbox keeps the order of groups and locks them.
	Ordered bool
	// DedupWindow is how long the inbox remembers ids; zero is not at all.
	DedupWindow time.Duration
	// Overhead is how many bytes longer than its plain form a value may be that is stored: of an adapter that encodes.
	Overhead int
}

// Run tests an adapter.
func Run(t *testing.T, cfg Config) {
	t.Helper()
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"Table", tableTests()},
		{"Queue", queueTests()},
		{"Blobs", blobTests()},
	} {
		t.Run(group.name, func(t *testing.T) {
			cfg.parallel(t)
			for _, test := range group.tests {
				t.Run(test.sentence, func(t *testing.T) {
					cfg.parallel(t)
					cfg.run(t, test)
				})
			}
		})
	}
}

type test struct {
	sentence string
	run      func(f *fixture)
}

func (c Config) parallel(t *testing.T) {
	if c.Parallel {
		t.Parallel()
	}
}

func (c Config) run(t *testing.T, test test) {
	body := func(t *testing.T) {
		f := &fixture{T: t, Config: c, System: c.Open(t), ctx: t.Context()}
		f.virtual = c.Bubble != nil || f.Advance != nil
		if f.Advance == nil {
			f.Advance = time.Sleep
		}
		test.run(f)
	}
	if c.Bubble != nil {
		c.Bubble(t, body)
		return
	}
	body(t)
}

// fixture is what one test works with.
type fixture struct {
	*testing.T
	Config
	System
	ctx     context.Context
	virtual bool // letting time pass costs nothing
}

// affordable skips the test when it would have to wait too long, or for a time that is not known.
func (f *fixture) affordable(d time.Duration) {
	f.Helper()
	if d == 0 || !f.virtual && d > 5*time.Second {
		f.Skipf("%v is unknown or too long to wait for", d)
	}
}

// partition is a partition of the table that is this test's own.
func (f *fixture) partition(name string) string { return f.Name() + ":" + name }

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("unexpected error: %v", err)
	}
}

// eventually polls until check returns no complaint, for as long as the adapter may be behind.
func (f *fixture) eventually(check func() string) {
	f.Helper()
	var complaint string
	for start := time.Now(); ; f.Advance(f.Patience / 8) {
		if complaint = check(); complaint == "" {
			return
		}
		if time.Since(start) >= f.Patience {
			f.Fatal(complaint)
		}
	}
}

func (f *fixture) wantInvalid(what string, err error) {
	f.Helper()
	if !errors.Is(err, backend.ErrInvalid) {
		f.Errorf("%s: got error %v, want one that wraps ErrInvalid", what, err)
	}
}

func numbered(format string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(format, i)
	}
	return out
}
