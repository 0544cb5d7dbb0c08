package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// why is what an error of a scope that is over is called.
func why(err error) string {
	switch {
	case errors.Is(err, durable.ErrCanceled):
		return "canceled"
	case errors.Is(err, durable.ErrTimeout):
		return "timed out"
	case err != nil:
		return err.Error()
	}
	return "well"
}

func TestWithCancelEndsWhatWaits(t *testing.T) {
	t.Parallel()
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		older := answer.Next(ctx) // an event goes to the newest wait, but not to one that was given up
		inner, cancel := durable.WithCancel(ctx)
		work, timer, event := double.Start(inner, 1), durable.After(inner, time.Hour), answer.Next(inner)
		finished := double.Start(inner, 2)
		go1 := durable.Go(inner, func(ctx durable.Context) (string, error) { return "", durable.Sleep(ctx, time.Hour) })
		durable.First(ctx, finished)
		cancel()
		cancel()
		_, err1 := work.Await()
		_, err2 := timer.Await()
		_, err3 := event.Await()
		_, err4 := finished.Await()
		_, err5 := go1.Await()
		_, err6 := older.Await()
		return fmt.Sprint(why(err1), why(err2), why(err3), why(err4), why(err5), why(err6), why(ctx.Err()), why(inner.Err())), nil
	})
	waits(t, d)
	if got, want := asked(d), "TaskScheduled 0 Double, TimerCreated 1, TaskScheduled 2 Double, TimerCreated 3.0"; got != want {
		t.Errorf("it asked for %s, want %s", got, want)
	}
	d = s.replayed(done("2", 4))
	waits(t, d)
	if got, want := asked(d), "TimerCanceled 1, TimerCanceled 3.0"; got != want {
		t.Errorf("the cancellation asked for %s, want %s", got, want)
	}
	waits(t, s.replayed(done("0", 2))) // late
	returned(t, s.replayed(raised("answer", "x")), "canceled"+"canceled"+"canceled"+"well"+"canceled"+"well"+"well"+"canceled")
}

func TestNothingIsAskedForInAScopeThatIsOver(t *testing.T) {
	t.Parallel()
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		inner, cancel := durable.WithCancel(ctx)
		cancel()
		late, _ := durable.WithTimeout(inner, time.Hour)
		_, err1 := double.Call(inner, 1)
		err2 := durable.Sleep(late, time.Hour)
		_, err3 := answer.Within(inner, time.Hour)
		_, err4 := durable.Step(late, "s", func(context.Context) (int, error) { return 1, nil })
		n, err5 := 0, error(nil)
		for _, err5 = range answer.All(inner) {
			n++
		}
		_, err6 := double.Call(durable.Detached(late), 6)
		return fmt.Sprint(why(err1), why(err2), why(err3), why(err4), n, why(err5), why(err6)), nil
	})
	if got, want := asked(d), "TaskScheduled 1 Double"; got != want {
		t.Errorf("it asked for %s, want %s", got, want)
	}
	returned(t, s.replayed(done("1", 12)), "canceled"+"canceled"+"canceled"+"canceled"+"1canceled"+"well")
}

func TestWithTimeout(t *testing.T) {
	t.Parallel()
	body := func(ctx durable.Context) (string, error) {
		inner, cancel := durable.WithTimeout(ctx, time.Minute)
		defer cancel()
		deeper, _ := durable.WithCancel(inner)
		_, err := double.Call(deeper, 1)
		cancel()
		_, after := answer.Next(ctx).Await()
		return why(err) + ", " + why(inner.Err()) + ", " + why(deeper.Err()) + ", " + why(after), nil
	}
	for name, c := range map[string]struct {
		then, end string
	}{
		"that passes": {then: "", end: "timed out, timed out, timed out, well"},
		"in time":     {then: "TimerCanceled 0.0", end: "well, canceled, canceled, well"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, d := perform(t, body)
			if got, want := asked(d), "TimerCreated 0.0, TaskScheduled 1 Double"; got != want {
				t.Fatalf("it asked for %s, want %s", got, want)
			}
			if c.then == "" {
				d = s.replayed(fired("0.0"), done("1", 2))
			} else {
				d = s.replayed(done("1", 2))
			}
			waits(t, d)
			if got := asked(d); got != c.then {
				t.Errorf("then it asked for %q, want %q", got, c.then)
			}
			returned(t, s.replayed(raised("answer", "x")), c.end)
		})
	}
}

func TestATimeoutThatNobodyWaitedForAsksForNoTimer(t *testing.T) {
	t.Parallel()
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		none, _ := durable.WithTimeout(ctx, 0)
		_, cancel := durable.WithTimeout(ctx, time.Hour)
		cancel()
		_, err := double.Call(ctx, 1)
		return why(none.Err()), err
	})
	if got, want := asked(d), "TaskScheduled 1 Double"; got != want {
		t.Errorf("it asked for %s, want %s", got, want)
	}
	returned(t, s.replayed(done("1", 2)), "timed out")
}

func TestACancelThatIsDeferredDoesNotHideAPanic(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		inner, cancel := durable.WithTimeout(ctx, time.Hour)
		defer cancel()
		if _, err := double.Call(inner, 1); err != nil {
			return "", err
		}
		panic("the very reason")
	})
	if d := s.replayed(done("1", 2)); d.Err == nil || !strings.Contains(d.Err.Error(), "the very reason") {
		t.Errorf("got %+v", d)
	}
}

func TestASagaUndoesWhatWasCanceled(t *testing.T) {
	t.Parallel()
	s, d := perform(t, func(ctx durable.Context) (_ string, err error) {
		inner, cancel := durable.WithTimeout(ctx, time.Minute)
		defer cancel()
		saga := durable.NewSaga(inner)
		defer saga.End(&err)
		undo.Compensate(saga, "it")
		_, err = double.Call(inner, 1)
		return "", err
	})
	waits(t, d)
	d = s.replayed(fired("0.0"))
	waits(t, d)
	if got, want := asked(d), "TaskScheduled 2 Undo"; got != want {
		t.Errorf("it asked for %s, want %s", got, want)
	}
	returned(t, s.replayed(done("2", "null")), "timed out")
}

func TestACancellationWakesOtherCoroutinesInTheOrderOfTheirWaits(t *testing.T) {
	t.Parallel()
	var order []string
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		order = nil
		inner, cancel := durable.WithCancel(ctx)
		wait := func(ctx durable.Context, name string) *durable.Future[string] {
			return durable.Go(ctx, func(ctx durable.Context) (string, error) {
				_, err := answer.Next(ctx).Await()
				order = append(order, name+" "+why(err))
				return "", nil
			})
		}
		deeper, _ := durable.WithCancel(inner)
		a, b, c := wait(deeper, "deeper"), wait(inner, "inner"), wait(ctx, "outer")
		if _, err := double.Call(ctx, 1); err != nil {
			return "", err
		}
		cancel()
		_, err := durable.All(ctx, a, b, c)
		return strings.Join(order, ", "), err
	})
	waits(t, s.replayed(done("3", 2)))
	returned(t, s.replayed(raised("answer", "x")), "inner canceled, deeper canceled, outer well")
}

func TestAStepThatWasAskedForRunsWhateverIsCanceled(t *testing.T) {
	t.Parallel()
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		inner, cancel := durable.WithCancel(ctx)
		step := durable.Go(inner, func(ctx durable.Context) (string, error) {
			return durable.Step(ctx, "s", func(context.Context) (string, error) { return "stepped", nil })
		})
		durable.Go(inner, func(durable.Context) (string, error) { cancel(); return "", nil })
		out, err := step.Await()
		if err == nil {
			_, err = answer.Next(ctx).Await()
		}
		return out + " " + why(inner.Err()), err
	})
	waits(t, d)
	returned(t, s.replayed(raised("answer", "x")), "stepped canceled")
}

func TestACancelThatIsDeferredEndsNoUnwinding(t *testing.T) {
	t.Parallel()
	released := 0
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		inner, cancel := durable.WithTimeout(ctx, time.Hour)
		defer func() {
			cancel()
			released++
		}()
		_, err := double.Call(inner, 1)
		return "", err
	})
	if s.turn.Close(); released != 1 {
		t.Errorf("what comes after the cancel ran %d times while the turn was unwound, want once", released)
	}
}
