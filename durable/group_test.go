package durable_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

func TestGroupGivesUpWithTheFirstError(t *testing.T) {
	t.Parallel()
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		g := durable.NewGroup(ctx)
		var slept, nested error
		g.Go(func(ctx durable.Context) error {
			slept = durable.Sleep(ctx, time.Hour)
			return slept
		})
		g.Go(func(ctx durable.Context) error {
			g.Go(func(ctx durable.Context) error {
				_, nested = answer.Next(ctx).Await()
				_, err := double.Call(durable.Detached(ctx), 2)
				return errors.Join(errors.New("later"), err)
			})
			_, err := double.Call(ctx, 1)
			return err
		})
		err := g.Wait()
		return fmt.Sprint(why(slept), ", ", why(nested), ", ", err), nil
	})
	waits(t, d)
	if got, want := asked(d), "TimerCreated 0.0, TaskScheduled 1.1 Double"; got != want {
		t.Errorf("it asked for %s, want %s", got, want)
	}
	d = s.replayed(failed("1.1", "no"))
	waits(t, d) // for the function that has still something to do
	if got, want := asked(d), "TimerCanceled 0.0, TaskScheduled 1.0.0 Double"; got != want {
		t.Errorf("then it asked for %s, want %s", got, want)
	}
	returned(t, s.replayed(done("1.0.0", 4)), "canceled, canceled, Double failed: no")
}

func TestGroupWithoutAnError(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		if err := durable.NewGroup(ctx).Wait(); err != nil {
			return "", err
		}
		g, sum := durable.NewGroup(ctx), 0
		var inner durable.Context
		for i := range 3 {
			g.Go(func(ctx durable.Context) error {
				inner = ctx
				v, err := double.Call(ctx, i)
				sum += v
				return err
			})
		}
		err := g.Wait()
		return fmt.Sprint(sum, why(inner.Err()), why(ctx.Err())), err
	})
	waits(t, s.replayed(done("1.0", 2), done("0.0", 1)))
	returned(t, s.replayed(done("2.0", 4)), "7canceledwell")
}

func TestGroupWithinAScopeThatEnds(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		inner, cancel := durable.WithTimeout(ctx, time.Minute)
		defer cancel()
		g := durable.NewGroup(inner)
		g.Go(func(ctx durable.Context) error { _, err := double.Call(ctx, 1); return err })
		return "", g.Wait()
	})
	returned(t, s.replayed(fired("0.0")), "timed out")
}

func TestParallel(t *testing.T) {
	t.Parallel()
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		call := func(ctx durable.Context) (int, error) { return double.Call(ctx, 1) }
		quick := func(durable.Context) (int, error) { return 5, nil }
		results, err := durable.Parallel(ctx, []func(durable.Context) (int, error){call, quick, call}, durable.Tolerate(1), durable.Concurrency(2))
		return fmt.Sprint(durable.Values(results), results[0].Err), err
	})
	if got, want := asked(d), "TaskScheduled 0.0 Double, TaskScheduled 1.0 Double"; got != want {
		t.Errorf("it asked for %s, want %s", got, want)
	}
	returned(t, s.replayed(failed("0.0", "no"), done("1.0", 2)), "[5 2] Double failed: no")
}
