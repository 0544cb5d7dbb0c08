package pebble_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
)

// TestCrashAtEveryStep crashes the machine before every single change of the file system, from the creation of the
// folder on, and looks at what is left.
func TestCrashAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, unsynced := range []int{0, 50, 100} {
		t.Run(fmt.Sprintf("%d%% of what was not synced survives", unsynced), func(t *testing.T) {
			t.Parallel()
			c := newCrasher(t, unsynced, func(int) bool { return true })
			c.live(150, 200)
		})
	}
}

// TestCrashAmongFlushes does the same now and then in a longer life with large values, in which the database flushes and
// compacts, and goes on with what the crash left.
func TestCrashAmongFlushes(t *testing.T) {
	t.Parallel()
	for seed := range 3 {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			c := newCrasher(t, seed*40, func(step int) bool { return step%5 == seed })
			for range 3 {
				c.live(60, 120<<10)
			}
		})
	}
}

// crasher runs random operations on a file system that it copies, as a crash would leave it, along the way.
type crasher struct {
	t        *testing.T
	unsynced int
	random   *rand.Rand
	clock    *clock
	fs       *vfs.MemFS

	mu            sync.Mutex
	when          func(step int) bool
	steps, looked int
	before, after *model // an operation under way leads from one to the other
}

func newCrasher(t *testing.T, unsynced int, when func(step int) bool) *crasher {
	c := &crasher{
		t: t, unsynced: unsynced, when: when, clock: newClock(), fs: vfs.NewCrashableMem(),
		random: rand.New(rand.NewPCG(uint64(unsynced), 7)), before: newModel(),
	}
	c.after = c.before
	t.Cleanup(func() {
		t.Logf("looked at %d of %d steps", c.looked, c.steps)
		if c.looked < 20 {
			t.Error("hardly looked at anything")
		}
	})
	return c
}

// live opens the folder and runs operations with values of up to size bytes. It goes on with what a crash leaves then.
func (c *crasher) live(operations, size int) {
	c.t.Helper()
	fs := errorfs.Wrap(c.fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			c.step()
		}
		return nil
	}))
	b, err := pebble.Open("hubs/data", pebble.Options{FS: fs, Now: c.clock.Now})
	if err != nil {
		c.t.Fatal(err)
	}
	for range operations {
		op := c.before.random(c.random, size)
		op.prepare(c.t, b.Backend())
		next := c.before.clone()
		op.change(next)
		c.moveTo(c.before, next)
		op.run(c.t, b.Backend())
		c.moveTo(next, next)
	}
	left := c.fs.CrashClone(vfs.CrashCloneCfg{})
	if err := b.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.fs = left
}

func (c *crasher) moveTo(before, after *model) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before, c.after = before, after
}

// step is called before each change of the file system, from any goroutine.
func (c *crasher) step() {
	c.mu.Lock()
	c.steps++
	if !c.when(c.steps) {
		c.mu.Unlock()
		return
	}
	c.looked++
	cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: c.unsynced, RNG: rand.New(rand.NewPCG(uint64(c.steps), 1))}
	left, before, after := c.fs.CrashClone(cfg), c.before, c.after
	c.mu.Unlock()

	b, err := pebble.Open("hubs/data", pebble.Options{FS: left, Now: c.clock.Now})
	if err != nil {
		c.t.Errorf("step %d: %v", c.looked, err)
		return
	}
	defer b.Close()
	if diff := compare(c.t, b, before, after); diff != "" {
		c.t.Errorf("a crash before change %d of the file system, during %s:\n%s", c.steps, after.last, diff)
	}
}

// TestCrashUnderConcurrentWriters checks that what was acknowledged to one of many writers, who share syncs, is there.
func TestCrashUnderConcurrentWriters(t *testing.T) {
	t.Parallel()
	fs := vfs.NewCrashableMem()
	b := mustOpen(t, "data", pebble.Options{FS: fs})
	const writers, rounds = 8, 30
	acknowledged := make([]uint64, writers)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range uint64(rounds) {
				seq := backend.Sequence{Number: n + 1}
				item := backend.Item{Key: backend.Key{Partition: "p", Sort: fmt.Sprint(w)}, Owner: "me", Sequence: seq}
				cond := backend.OwnedBefore("me", seq)
				if n == 0 {
					cond = backend.Absent()
				}
				if err := b.Backend().Table.Put(t.Context(), item, cond); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acknowledged[w] = n + 1
				mu.Unlock()
			}
		})
	}
	for range 20 {
		mu.Lock()
		want := append([]uint64(nil), acknowledged...)
		mu.Unlock()
		left := mustOpen(t, "data", pebble.Options{FS: fs.CrashClone(vfs.CrashCloneCfg{})})
		items, err := left.Backend().Table.Query(t.Context(), "p", "", "", writers)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]uint64, writers)
		for _, item := range items {
			got[item.Sort[0]-'0'] = item.Sequence.Number
		}
		for w := range writers {
			if got[w] < want[w] {
				t.Errorf("writer %d has version %d after a crash, was acknowledged %d", w, got[w], want[w])
			}
		}
	}
	wg.Wait()
}
