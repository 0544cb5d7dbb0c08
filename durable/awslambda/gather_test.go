package awslambda

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// letters is a queue that counts its calls, takes a while, and refuses some messages.
type letters struct {
	backend.Queue
	mu    sync.Mutex
	calls []int
}

func (l *letters) Send(_ context.Context, messages []backend.Message) []error {
	l.mu.Lock()
	l.calls = append(l.calls, len(messages))
	l.mu.Unlock()
	time.Sleep(10 * time.Millisecond)
	errs := make([]error, len(messages))
	failed := false
	for i, m := range messages {
		if m.ID == "bad" {
			errs[i], failed = errors.New("bad"), true
		}
	}
	if !failed {
		return nil
	}
	return errs
}

func TestOutcomesAreSentTogether(t *testing.T) {
	for _, c := range []struct {
		name string
		// after is when each body sends; negative: it ends without.
		after []time.Duration
		want  string
		took  time.Duration
	}{
		{"all at once", make([]time.Duration, 10), "[10]", 10 * time.Millisecond},
		{"one", make([]time.Duration, 1), "[1]", 10 * time.Millisecond},
		{"some take longer", []time.Duration{0, 0, 0, time.Second, time.Second}, "[3 2]", time.Second + 10*time.Millisecond},
		{"one ends without a word", []time.Duration{0, 0, -1}, "[2]", 10 * time.Millisecond},
		{"one by one", []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond}, "[1 1 1]", 210 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &letters{}
				g := &gather{Queue: l}
				begin := time.Now()
				g.begin(len(c.after))
				var all sync.WaitGroup
				for i, d := range c.after {
					all.Go(func() {
						defer g.end()
						if time.Sleep(d); d >= 0 {
							if errs := g.Send(t.Context(), []backend.Message{{ID: fmt.Sprint(i)}}); errs != nil {
								t.Errorf("body %d: %v", i, errs)
							}
						}
					})
				}
				all.Wait()
				if got := fmt.Sprint(l.calls); got != c.want {
					t.Errorf("sent as %s, want %s", got, c.want)
				}
				if took := time.Since(begin); took > c.took+gatherFor {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// TestEachHearsOfItsOwn: an error is that of the message which has it.
func TestEachHearsOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gather{Queue: &letters{}}
		ids := [][]string{{"a"}, {"b", "bad", "c"}, {"d"}}
		g.begin(len(ids))
		var all sync.WaitGroup
		for _, mine := range ids {
			all.Go(func() {
				defer g.end()
				var ms []backend.Message
				for _, id := range mine {
					ms = append(ms, backend.Message{ID: id})
				}
				errs := g.Send(t.Context(), ms)
				for i, id := range mine {
					if failed := errs != nil && errs[i] != nil; failed != (id == "bad") {
						t.Errorf("%s: %v", id, errs)
					}
				}
			})
		}
		all.Wait()
	})
}
