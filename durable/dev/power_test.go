package dev

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

var (
	add   = durable.NewActivity[int, int]("Add")
	tally = durable.NewOrchestration[int, int]("Tally")
	part  = durable.NewOrchestration[int, int]("Part")
	ready = durable.NewEvent[int]("Ready")
)

// tallies are activities one after the other, a fan-out, a child, a timer and another generation; the sum of the numbers says that each came once.
func tallies() []durable.Handler {
	return []durable.Handler{
		add.Bind(func(_ context.Context, n int) (int, error) { return n + 1, nil }),
		part.Bind(func(ctx durable.Context, n int) (int, error) { return add.Call(ctx, n) }),
		tally.Bind(func(ctx durable.Context, n int) (sum int, err error) {
			if n < 5 { // the first generation
				if _, err := ready.Next(ctx).Await(); err != nil {
					return 0, err
				}
			}
			for range 4 {
				if n, err = add.Call(ctx, n); err != nil {
					return 0, err
				}
			}
			var all []*durable.Future[int]
			for i := range 4 {
				all = append(all, add.Start(ctx, i))
			}
			several, err := durable.All(ctx, all...)
			if err != nil {
				return 0, err
			}
			for _, v := range several {
				n += v
			}
			if n, err = part.Call(ctx, n); err != nil {
				return 0, err
			}
			if err := durable.Sleep(ctx, time.Millisecond); err != nil {
				return 0, err
			}
			if n < 20 {
				return 0, tally.ContinueAsNew(ctx, n)
			}
			return n, nil
		}),
	}
}

// tallied is what an instance comes to that begins with n: 15 more in each generation.
func tallied(n int) int {
	for n += 15; n < 20; n += 15 {
	}
	return n
}

// TestPowerLoss takes the power away again and again, while workers send without waiting for the disk: of what was not synced a part is lost. Whatever a client was told of
// comes to its end, and to the right one.
func TestPowerLoss(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			fs := vfs.NewCrashableMem()
			var accepted []string
			for life := range 8 {
				fs, accepted = powered(t, fs, accepted, life, random, false)
			}
			powered(t, fs, accepted, 8, random, true)
		})
	}
}

// powered runs a hub on a disk, until the power fails, or until all that was accepted has ended. It returns the disk as that leaves it, and what was accepted until then.
func powered(t *testing.T, fs *vfs.MemFS, accepted []string, life int, random *rand.Rand, last bool) (*vfs.MemFS, []string) {
	db, err := pebble.Open("data", pebble.Options{FS: fs})
	if err != nil {
		t.Fatalf("life %d: %v", life, err)
	}
	defer db.Close()
	st := store.New(store.Config{Backend: db.Relay()})
	w, err := worker.New(worker.Config{Store: st, Handlers: tallies(), Warm: 1 << 20, StrictInputs: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer startPumps(w, st, db, slog.New(slog.DiscardHandler))()
	c := client.New(store.New(store.Config{Backend: db.Backend()}))
	for i := range 5 {
		if last {
			break
		}
		id := fmt.Sprintf("%d-%d", life, i)
		if _, err := tally.Submit(t.Context(), c, i, durable.ID(id)); err != nil {
			t.Fatal(err)
		}
		if err := ready.Raise(t.Context(), c, id, i); err != nil {
			t.Fatal(err)
		}
		accepted = append(accepted, id)
		time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond)
	}
	if !last {
		return fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random}), accepted
	}
	for _, id := range accepted {
		var n int
		fmt.Sscanf(id[len(id)-1:], "%d", &n)
		in, err := c.Get(t.Context(), id)
		for until := time.Now().Add(time.Minute); err == nil && !in.Status.Ended() && time.Now().Before(until); in, err = c.Get(t.Context(), id) {
			time.Sleep(time.Millisecond)
		}
		if want := fmt.Sprint(tallied(n)); err != nil || in.Status != durable.Completed || string(in.Output) != want {
			t.Errorf("%s, which was accepted, is %s with %s, %v, want %s", id, in.Status, in.Output, err, want)
		}
	}
	return nil, nil
}
