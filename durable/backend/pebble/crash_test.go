package pebble_test

import (
	"errors"
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
	for _, test := range []struct{ unsynced, variants int }{{0, 1}, {50, 5}, {100, 1}} {
		t.Run(fmt.Sprintf("%d%% of what was not synced survives", test.unsynced), func(t *testing.T) {
			t.Parallel()
			skipWhenShort(t)
			c := newCrasher(t, test.unsynced, test.variants, func(int) bool { return true })
			for range 3 {
				c.live(30/test.variants, 200)
			}
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
			skipWhenShort(t)
			c := newCrasher(t, seed*40, 1, func(step int) bool { return step%15 == seed })
			for range 3 {
				c.live(50, 120<<10)
			}
		})
	}
}

func skipWhenShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("slow with the race detector, and has nothing to race")
	}
}

// crasher runs random operations on a file system that it copies, as a crash would leave it, along the way.
type crasher struct {
	t        *testing.T
	unsynced int // percent
	variants int // different crashes at each step
	random   *rand.Rand
	clock    *clock
	fs       *vfs.MemFS
	lives    int

	mu            sync.Mutex
	when          func(step int) bool
	steps, looked int
	before, after *model // an operation under way leads from one to the other
}

func newCrasher(t *testing.T, unsynced, variants int, when func(step int) bool) *crasher {
	c := &crasher{
		t: t, unsynced: unsynced, variants: variants, when: when, clock: newClock(), fs: vfs.NewCrashableMem(),
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

// live opens the folder and runs operations with values of up to size bytes. The next life goes on
// with the closed folder, and every other one with what a crash left.
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
	if err := c.look(c.fs.CrashClone(vfs.CrashCloneCfg{}), c.before, c.after); err != nil {
		c.t.Errorf("crash after Close: %v", err)
	}
	if c.lives++; c.lives%2 == 0 {
		c.fs = left
	}
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
	step, before, after := c.steps, c.before, c.after
	var left []*vfs.MemFS
	for variant := range c.variants {
		random := rand.New(rand.NewPCG(uint64(step), uint64(variant)))
		left = append(left, c.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: c.unsynced, RNG: random}))
	}
	c.mu.Unlock()
	for variant, fs := range left {
		if err := c.look(fs, before, after); err != nil {
			c.t.Errorf("crash %d before change %d of the file system, during %s: %v", variant, step, after.last, err)
		}
	}
}

// look says what is wrong with what a crash left.
func (c *crasher) look(left *vfs.MemFS, before, after *model) error {
	b, err := pebble.Open("hubs/data", pebble.Options{FS: left, Now: c.clock.Now})
	if err != nil {
		return err
	}
	defer b.Close()
	if diff := compare(c.t, b, before, after); diff != "" {
		return errors.New(diff)
	}
	return nil
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
