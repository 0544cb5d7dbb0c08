package durable_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

func TestRetrying(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		var asked []string
		v, err := durable.Retrying(ctx, func(n int) (int, error) { return double.Call(ctx, n) },
			func(n int, err error) (time.Duration, bool) {
				asked = append(asked, fmt.Sprint(n, err))
				return time.Duration(n-1) * time.Minute, true
			})
		return fmt.Sprint(v, " after ", strings.Join(asked, ", ")), err
	})
	d := s.replayed(failed("0", "a"))
	if got, want := asked(d), "TaskScheduled 1 Double"; got != want { // no pause, no timer
		t.Errorf("after the first failure it asked for %s, want %s", got, want)
	}
	d = s.replayed(failed("1", "b"))
	if got, want := asked(d), "TimerCreated 2"; got != want || !d.Commands[1].At.Equal(epoch.Add(time.Minute)) {
		t.Errorf("after the second failure it asked for %s: %+v", got, d.Commands)
	}
	waits(t, s.replayed(fired("2")))
	returned(t, s.replayed(done("3", 6)), "6 after 1 Double failed: a, 2 Double failed: b")
}

func TestRetryingEnds(t *testing.T) {
	t.Parallel()
	body := func(again bool) func(ctx durable.Context) (string, error) {
		return func(ctx durable.Context) (string, error) {
			inner, cancel := durable.WithTimeout(ctx, time.Minute)
			defer cancel()
			decided := 0
			_, err := durable.Retrying(inner, func(n int) (int, error) { return double.Call(inner, n) },
				func(int, error) (time.Duration, bool) { decided++; return time.Hour, again })
			return fmt.Sprint(decided, " ", strings.ReplaceAll(err.Error(), "\n", ", ")), nil
		}
	}
	s, _ := perform(t, body(false))
	returned(t, s.replayed(failed("1", "no")), "1 Double failed: no")
	s, _ = perform(t, body(true))
	returned(t, s.replayed(failed("1", "no"), fired("0.0")), "1 Double failed: no, timed out")
	s, _ = perform(t, body(true))
	returned(t, s.replayed(fired("0.0")), "0 timed out")
}

func TestRetryingLeavesARenewalAlone(t *testing.T) {
	t.Parallel()
	_, d := perform(t, func(ctx durable.Context) (string, error) {
		return durable.Retrying(ctx, func(int) (string, error) { return "", play.ContinueAsNew(ctx, "next") },
			func(int, error) (time.Duration, bool) { t.Error("it is asked whether to try again"); return 0, false })
	})
	if !d.Ended {
		t.Errorf("got %+v", d)
	}
}
