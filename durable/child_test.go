package durable_test

import (
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// The code has returned and waits for its child, of which another coroutine hears as well: that one goes on first, and those whom it
// wakes, whether the turn was kept or its code is replayed from the beginning.
func TestWhoeverAChildsEndWakesGoesOnBeforeTheParentEnds(t *testing.T) {
	t.Parallel()
	for name, deliver := range map[string]func(*stage, ...history.Event) replay.Decision{"kept": (*stage).deliver, "replayed": (*stage).replayed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, d := perform(t, func(ctx durable.Context) (string, error) {
				child := play.Start(ctx, "", durable.WaitForChild)
				var heard *durable.Future[string]
				durable.Go(ctx, func(ctx durable.Context) (string, error) {
					defer double.Start(ctx, 2)
					return heard.Await()
				})
				heard = durable.Go(ctx, func(ctx durable.Context) (string, error) { // the last to wait: it is what a replay feeds
					defer double.Start(ctx, 1)
					return child.Await()
				})
				return "", nil
			})
			waits(t, d)
			d = deliver(s, history.Event{Kind: history.SubOrchestrationCompleted, Op: "0", Data: history.Payload{Bytes: []byte(`"out"`)}})
			if got, want := asked(d), "TaskScheduled 1.0 Double, TaskScheduled 2.0 Double"; got != want {
				t.Errorf("with the child's end it asked for %q, want %q", got, want)
			}
			returned(t, d, "")
			s.open()
			if d := s.turn.Deliver(nil, s.now); d.Err != nil {
				t.Errorf("a replay takes another path: %v", d.Err)
			}
		})
	}
}

// A path of coroutines in coroutines may be longer than an id.
func TestAChildHasAnIDHoweverDeepItIsAskedFor(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	var dig func(ctx durable.Context, depth int) (string, error)
	dig = func(ctx durable.Context, depth int) (string, error) {
		ids[play.Start(ctx, "").ID()] = true
		if depth == 0 {
			return "", nil
		}
		return durable.Go(ctx, func(ctx durable.Context) (string, error) { return dig(ctx, depth-1) }).Await()
	}
	_, d := perform(t, func(ctx durable.Context) (string, error) { return dig(ctx, 200) })
	returned(t, d, "")
	for id := range ids {
		if err := history.CheckInstanceID(id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if len(ids) != 201 {
		t.Errorf("201 children have %d ids", len(ids))
	}
}
