package awslambda

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
)

// asked is a hub with an activity to run for each of n instances.
func asked(t *testing.T, n int) (*testHub, *orchestrator) {
	t.Helper()
	h := newTestHub(t)
	o := h.orchestrator(hello.Bind(sayHello))
	for i := range n {
		h.submit(fmt.Sprint("i", i))
	}
	h.invoke(t.Context(), o.handle, h.store.Backend().Wake, "wake")
	return h, o
}

func TestActivitiesOfABatchRunAtTheSameTimeAndSuspectsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := asked(t, 5)
		var mu sync.Mutex
		var ran []string
		running, most := 0, 0
		a := h.activities(greet.Bind(func(ctx context.Context, _ string) (string, error) {
			mu.Lock()
			running++
			most = max(most, running)
			ran = append(ran, durable.InstanceID(ctx))
			if id := durable.InstanceID(ctx); (id == "i1" || id == "i3") && running > 1 {
				t.Errorf("%s runs beside others", id)
			}
			mu.Unlock()
			if id := durable.InstanceID(ctx); id == "i1" || id == "i3" {
				// Were the process to end here, what is done would not come again.
				if left, want := h.all.Queues().Activities.Total(), 5-len(ran)+1; left != want {
					t.Errorf("while %s runs there are %d messages, want %d", id, left, want)
				}
			}
			time.Sleep(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return "", nil
		}))
		batch := h.receive(h.store.Backend().Activities)
		batch[1].Receives, batch[3].Receives = suspect+7, suspect+1
		if failed := h.conclude(t.Context(), a.handle, h.store.Backend().Activities, "activities", batch); len(failed) > 0 {
			t.Errorf("not done: %v", failed)
		}
		if most != 3 {
			t.Errorf("at most %d ran at the same time, want 3", most)
		}
		if diff := cmp.Diff([]string{"i3", "i1"}, ran[3:]); diff != "" {
			t.Errorf("the last ones differ (-want +got):\n%s", diff)
		}
	})
}

func TestAnActivityThatHeedsItsContextIsPutBackInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := asked(t, 2)
		a := h.activities(greet.Bind(func(ctx context.Context, _ string) (string, error) {
			if durable.InstanceID(ctx) == "i0" {
				<-ctx.Done()
			}
			return "", ctx.Err()
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		failed := h.invoke(ctx, a.handle, h.store.Backend().Activities, "activities")
		if diff := cmp.Diff([]string{"0"}, failed); diff != "" || len(h.exits) > 0 {
			t.Errorf("exits %v; the failures differ (-want +got):\n%s", h.exits, diff)
		}
	})
}

func TestAnActivityThatHeedsNothingEndsTheProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := asked(t, 2)
		release := make(chan struct{})
		defer close(release)
		a := h.activities(greet.Bind(func(ctx context.Context, _ string) (string, error) {
			if durable.InstanceID(ctx) == "i0" {
				<-release
			}
			return "", nil
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		batch := h.receive(h.store.Backend().Activities)
		if answer, err := a.handle(ctx, eventOf("activities", batch)); err == nil {
			t.Fatalf("a process that ends answers %v", answer)
		}
		if diff := cmp.Diff([]int{1}, h.exits); diff != "" {
			t.Fatalf("the exits differ (-want +got):\n%s", diff)
		}
		if took := time.Since(begin); took >= time.Minute+settleWithin {
			t.Errorf("it took %v, which is too late to settle anything", took)
		}
		h.now = h.now.Add(time.Second)
		if left := h.all.Queues().Activities; left.Total() != 1 || left.Ready != 1 {
			t.Errorf("in the queue is %+v, want the one that did not return, ready", left)
		}
	})
}

func TestABodyThatEndsItsGoroutineIsPutBack(t *testing.T) {
	t.Parallel()
	h, _ := asked(t, 2)
	a := h.activities(greet.Bind(func(ctx context.Context, _ string) (string, error) {
		if durable.InstanceID(ctx) == "i1" {
			runtime.Goexit()
		}
		return "", nil
	}))
	failed := h.invoke(t.Context(), a.handle, h.store.Backend().Activities, "activities")
	if !slices.Equal(failed, []string{"1"}) || len(h.exits) > 0 {
		t.Errorf("failures %v, exits %v; want the one put back", failed, h.exits)
	}
}

func TestTheActivitiesRefuseOtherEvents(t *testing.T) {
	t.Parallel()
	a := newTestHub(t).activities()
	for _, event := range []string{`{}`, `{"source":"aws.events"}`, `7`} {
		if _, err := a.handle(t.Context(), json.RawMessage(event)); err == nil {
			t.Errorf("%s was accepted", event)
		}
	}
}
