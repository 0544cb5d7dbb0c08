package dev

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

var (
	beating = durable.NewActivity[string, string]("Beating", durable.HeartbeatTimeout(30*time.Second), durable.Timeout(time.Hour))
	once    = durable.NewActivity[string, string]("Once", durable.AtMostOnce)
	caller  = durable.NewOrchestration[string, string]("Caller")
)

// pumped runs one call of an activity over a data folder, in a bubble of synctest, and returns what came of it.
func pumped(t *testing.T, call durable.Activity[string, string], body func(context.Context, string) (string, error)) durable.Instance {
	t.Helper()
	db, err := pebble.Open(t.TempDir(), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var bodies sync.WaitGroup
	defer func() { bodies.Wait(); synctest.Wait() }() // those that nobody waited for, too
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	st := store.New(store.Config{Backend: db.Backend()})
	w, err := worker.New(worker.Config{Store: st, Log: log, Handlers: []durable.Handler{
		call.Bind(func(ctx context.Context, in string) (string, error) {
			bodies.Add(1)
			defer bodies.Done()
			return body(ctx, in)
		}),
		caller.Bind(func(ctx durable.Context, in string) (string, error) { return call.Call(ctx, in) })}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer startPumps(w, st, db, log)()
	c := client.New(st)
	if _, err := caller.Submit(t.Context(), c, "", durable.ID("one")); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		in, err := c.Get(t.Context(), "one")
		if err != nil {
			t.Fatal(err)
		}
		if in.Status.Ended() {
			return in
		}
		time.Sleep(time.Second)
	}
	t.Fatal("it does not end")
	return durable.Instance{}
}

func TestWhatBeatsIsRunOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		in := pumped(t, beating, func(ctx context.Context, _ string) (string, error) {
			runs.Add(1)
			for range 30 { // five minutes: its message is hidden for one at first
				time.Sleep(10 * time.Second)
				if err := durable.Heartbeat(ctx); err != nil {
					return "", err
				}
			}
			return "", nil
		})
		if in.Status != durable.Completed || runs.Load() != 1 {
			t.Errorf("it ran %d times and came to %+v", runs.Load(), in)
		}
	})
}

// What does not heed the end of its time goes on while its message comes again.
func TestAtMostOnceIsRunOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		in := pumped(t, once, func(context.Context, string) (string, error) {
			runs.Add(1)
			time.Sleep(10 * time.Minute)
			return "", nil
		})
		if f := in.Failure; f == nil || f.Kind != string(durable.OutcomeUnknown) || runs.Load() != 1 {
			t.Errorf("it ran %d times and came to %+v", runs.Load(), in)
		}
	})
}

func TestSilenceIsATimeOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		in := pumped(t, beating, func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		f := in.Failure
		if f == nil || f.Kind != string(durable.ActivityTimedOut) || !strings.Contains(f.Message, "the heartbeat was missed: none came for 30s") {
			t.Errorf("it came to %+v", in)
		}
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}
