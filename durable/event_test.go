package durable_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

func TestEventsAreKeptInTheirOrderWhateverTheCase(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		if _, err := double.Call(ctx, 1); err != nil {
			return "", err
		}
		var got []string
		for range 3 {
			v, err := answer.Next(ctx).Await()
			if err != nil {
				return "", err
			}
			got = append(got, v)
		}
		return strings.Join(got, " "), nil
	})
	waits(t, s.deliver(raised("Answer", "one"), raised("ANSWER", "two"), raised("Other", "none")))
	waits(t, s.replayed(done("0", 1)))
	returned(t, s.replayed(raised("answer", "three")), "one two three")
}

func TestTheNewestWaiterGetsTheEvent(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		lower := durable.NewEvent[string]("answer")
		old, middle, newest := answer.Next(ctx), lower.Next(ctx), answer.Next(ctx)
		v, err := durable.All(ctx, old, middle, newest)
		return strings.Join(v, " "), err
	})
	waits(t, s.deliver(raised("Answer", "one")))
	waits(t, s.replayed(raised("Answer", "two")))
	returned(t, s.replayed(raised("Answer", "three")), "three two one")
}

func TestWithin(t *testing.T) {
	t.Parallel()
	t.Run("the event is first", func(t *testing.T) {
		t.Parallel()
		s, _ := perform(t, within(false))
		d := s.deliver(raised("Answer", "in time"))
		if got, want := asked(d), "TimerCanceled 0"; got != want {
			t.Errorf("asked for %s, want %s", got, want)
		}
		returned(t, s.replayed(raised("Answer", "outer")), "in time, outer")
	})
	t.Run("the timer is first", func(t *testing.T) {
		t.Parallel()
		s, _ := perform(t, within(false))
		waits(t, s.deliver(fired("0")))
		returned(t, s.replayed(raised("Answer", "outer")), "too late, outer")
	})
	t.Run("both come together, the event first", func(t *testing.T) {
		t.Parallel()
		s, _ := perform(t, within(false))
		waits(t, s.deliver(raised("Answer", "in time"), fired("0")))
		returned(t, s.replayed(raised("Answer", "outer")), "in time, outer")
	})
	t.Run("both come together, the timer first", func(t *testing.T) {
		t.Parallel()
		s, _ := perform(t, within(false))
		returned(t, s.deliver(fired("0"), raised("Answer", "outer")), "too late, outer")
	})
	t.Run("an event that came before needs no timer", func(t *testing.T) {
		t.Parallel()
		s, d := perform(t, within(true))
		if got, want := asked(d), "TaskScheduled 0 Double"; got != want {
			t.Errorf("asked for %s, want %s", got, want)
		}
		waits(t, s.deliver(raised("ANSWER", "one"), raised("answer", "two")))
		d = s.replayed(done("0", 1))
		if got := asked(d); got != "" {
			t.Errorf("asked for %s, want nothing", got)
		}
		returned(t, d, "two, one")
	})
	t.Run("a later event is kept for the next wait", func(t *testing.T) {
		t.Parallel()
		s, _ := perform(t, func(ctx durable.Context) (string, error) {
			_, late := answer.Within(ctx, time.Minute)
			_, err := double.Call(ctx, 1)
			v, next := answer.Within(ctx, time.Minute)
			return fmt.Sprint(v, " ", late), errors.Join(err, next)
		})
		waits(t, s.deliver(fired("0"), raised("Answer", "kept")))
		returned(t, s.replayed(done("1", 1)), "kept timed out")
	})
}

// within waits for two events, the second of them for a minute at most; or it calls an activity before.
func within(busy bool) func(durable.Context) (string, error) {
	return func(ctx durable.Context) (string, error) {
		if busy {
			if _, err := double.Call(ctx, 1); err != nil {
				return "", err
			}
		}
		outer := answer.Next(ctx)
		v, err := answer.Within(ctx, time.Minute)
		if errors.Is(err, durable.ErrTimeout) {
			v = "too late"
		} else if err != nil {
			return "", err
		}
		w, err := outer.Await()
		return v + ", " + w, err
	}
}

func TestAnEventOfAnotherTypeIsAnError(t *testing.T) {
	t.Parallel()
	count := durable.NewEvent[int]("Count")
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		_, err := count.Next(ctx).Await()
		return fmt.Sprint(err != nil), nil
	})
	returned(t, s.deliver(raised("count", "many")), "true")
}

func TestANameThatCanNeverBeRightPanics(t *testing.T) {
	t.Parallel()
	for name, declare := range map[string]func(){
		"event":         func() { durable.NewEvent[int]("") },
		"activity":      func() { durable.NewActivity[int, int]("a\nb") },
		"orchestration": func() { durable.NewOrchestration[int, int](strings.Repeat("x", 257)) },
		"retry":         func() { durable.NewActivity[int, int]("A", durable.Retry{}) },
		"jitter":        func() { durable.NewActivity[int, int]("A", durable.Retry{Attempts: 2, Jitter: 1.01}) },
		"time-out":      func() { durable.Timeout(0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("it was accepted")
				}
			}()
			declare()
		})
	}
}
