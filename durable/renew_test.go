package durable_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
	"github.com/google/go-cmp/cmp"
)

func numbered(name string, i int) history.Event {
	return history.Event{Kind: history.EventRaised, Name: name, MessageID: fmt.Sprint(name, i), Data: history.Payload{Bytes: []byte(fmt.Sprintf(`"%d"`, i))}}
}

func last(d replay.Decision) history.Event { return d.Commands[len(d.Commands)-1] }

func TestContinueAsNewEndsTheGeneration(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, func(ctx durable.Context) (_ string, err error) {
		saga := durable.NewSaga(ctx)
		defer saga.End(&err)
		undo.Compensate(saga, "x")
		if _, err := answer.Next(ctx).Await(); err != nil {
			return "", err
		}
		answer.Next(ctx) // takes one, and nobody looks at it
		return "", play.ContinueAsNew(ctx, "again")
	})
	d := s.deliver(numbered("Other", 1), numbered("ANSWER", 1), numbered("answer", 2), numbered("answer", 3))
	if d.Err != nil || !d.Ended {
		t.Fatalf("got %+v", d)
	}
	want := history.Event{Kind: history.ContinuedAsNew, Data: history.Payload{Bytes: []byte(`"again"`)},
		Start: &history.Start{Carried: []string{"Other1"}}}
	if diff := cmp.Diff(want, last(d)); diff != "" {
		t.Errorf("the end (-want +got):\n%s", diff)
	}
	if d.Consumed != 2 {
		t.Errorf("it took %d inputs, want 2: the others are for the next generation", d.Consumed)
	}
}

func TestAGenerationBeginsWithTheEventsThatItCarries(t *testing.T) {
	t.Parallel()
	start := history.Event{Kind: history.GenerationStarted, Name: "Play", Version: 3, Start: &history.Start{Carried: []string{"Answer1", "Answer2"}}}
	for name, c := range map[string]struct {
		body     func(durable.Context) (string, error)
		consumed int
		carried  []string
	}{
		"taken": {func(ctx durable.Context) (string, error) { return answer.Next(ctx).Await() }, 3, nil},
		"passed on": {func(ctx durable.Context) (string, error) { return "", play.ContinueAsNew(ctx, "") }, 3,
			[]string{"Answer1", "Answer2"}},
		"passed on but one": {func(ctx durable.Context) (string, error) {
			_, err := answer.Next(ctx).Await()
			return "", errors.Join(err, play.ContinueAsNew(ctx, ""))
		}, 3, []string{"Answer2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stage{t: t, now: epoch, code: play.Bind(func(ctx durable.Context, _ string) (string, error) { return c.body(ctx) }).Run}
			s.open()
			t.Cleanup(func() { s.turn.Close() })
			d := s.deliver(start, numbered("Answer", 1), numbered("Answer", 2), numbered("Answer", 3))
			if d.Err != nil || !d.Ended || d.Consumed != c.consumed {
				t.Fatalf("got %+v", d)
			}
			if c.carried != nil {
				end := last(d)
				if diff := cmp.Diff(c.carried, end.Start.Carried); diff != "" || end.Version != 3 {
					t.Errorf("it ends as version %d and carries over (-want +got):\n%s", end.Version, diff)
				}
			}
			s.open() // a replay takes the same path
			if again := s.turn.Deliver(nil, s.now); again.Err != nil || !again.Ended || len(again.Commands) > 0 {
				t.Errorf("its replay is %+v", again)
			}
		})
	}
}

func TestContinueAsNewIsRefused(t *testing.T) {
	t.Parallel()
	other := durable.NewOrchestration[string, string]("Other")
	for name, c := range map[string]struct {
		body   func(durable.Context) (string, error)
		events int
		says   string
	}{
		"by another orchestration": {func(ctx durable.Context) (string, error) { return "", other.ContinueAsNew(ctx, "") }, 0,
			"Other was asked to continue as new by a run of Play"},
		"with too many events": {func(ctx durable.Context) (string, error) {
			_, err := answer.Next(ctx).Await()
			return "", errors.Join(err, play.ContinueAsNew(ctx, ""))
		}, history.MaxCarried + 1, "with 251 events that it has not taken, and at most 250 go over"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, d := perform(t, c.body)
			if c.events > 0 {
				var events []history.Event
				for i := range c.events {
					events = append(events, numbered("Other", i))
				}
				d = s.deliver(append(events, numbered("Answer", 0))...)
			}
			if d.Err == nil || !strings.Contains(d.Err.Error(), c.says) {
				t.Errorf("got %v, want %q", d.Err, c.says)
			}
		})
	}
	t.Run("with an input that cannot be kept", func(t *testing.T) {
		t.Parallel()
		loop := durable.NewOrchestration[func(), string]("Play")
		_, d := perform(t, func(ctx durable.Context) (string, error) { return "", loop.ContinueAsNew(ctx, func() {}) })
		if d.Err != nil || last(d).Kind != history.ExecutionFailed {
			t.Errorf("got %+v, want an instance that fails", d)
		}
	})
}
