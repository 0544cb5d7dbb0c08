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

func TestAwaitGivesTheSameEachTime(t *testing.T) {
	t.Parallel()
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		good, bad := double.Start(ctx, 1), double.Start(ctx, 2)
		v1, _ := good.Await()
		v2, _ := good.Await()
		_, err1 := bad.Await()
		_, err2 := bad.Await()
		return fmt.Sprint(v1, v2, err1 == err2, good.Ready(), bad.Ready()), nil
	})
	waits(t, d)
	returned(t, s.deliver(done("0", 7), failed("1", "no")), "7 7 true true true")
}

func TestSeveralCoroutinesAwaitOneFuture(t *testing.T) {
	t.Parallel()
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		shared := double.Start(ctx, 1)
		wait := func(durable.Context) (int, error) { return shared.Await() }
		v, err := durable.All(ctx, durable.Go(ctx, wait), durable.Go(ctx, wait), shared)
		return fmt.Sprint(v), err
	})
	waits(t, d)
	returned(t, s.deliver(done("0", 7)), "[7 7 7]")
}

func TestFirstGoesByTheOrderOfMessagesThenOfArguments(t *testing.T) {
	t.Parallel()
	names := func(first durable.Awaitable, a, b *durable.Future[int]) string {
		switch first {
		case a:
			return "a"
		case b:
			return "b"
		}
		return "neither"
	}
	body := func(ctx durable.Context) (string, error) {
		a, b, c := double.Start(ctx, 1), double.Start(ctx, 2), double.Start(ctx, 3)
		waiting := names(durable.First(ctx, a, b), a, b)
		if _, err := c.Await(); err != nil {
			return "", err
		}
		return waiting + names(durable.First(ctx, a, b), a, b) + names(durable.First(ctx, b, a), a, b), nil
	}
	s, _ := perform(t, body)
	returned(t, s.deliver(done("1", 2), done("0", 1), done("2", 3)), "bab")
	s, _ = perform(t, body)
	returned(t, s.deliver(done("0", 1), done("1", 2), done("2", 3)), "aab")
	s, _ = perform(t, body)
	waits(t, s.deliver(done("1", 2)))
	waits(t, s.replayed(done("0", 1)))
	returned(t, s.replayed(done("2", 3)), "bab")
}

func TestFirstTakesFuturesOfAnyKind(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		work, child := double.Start(ctx, 1), durable.Go(ctx, func(ctx durable.Context) (string, error) { return answer.Next(ctx).Await() })
		var order []string
		timer := durable.After(ctx, time.Second)
		for rest := []durable.Awaitable{work, child, timer}; len(rest) > 0; {
			first := durable.First(ctx, rest...)
			for i, f := range rest {
				if f == first {
					rest = append(rest[:i:i], rest[i+1:]...)
				}
			}
			switch first {
			case work:
				order = append(order, "work")
			case child:
				order = append(order, "child")
			case timer:
				order = append(order, "timer")
			}
		}
		return strings.Join(order, " "), nil
	})
	returned(t, s.deliver(raised("answer", "x"), fired("2"), done("0", 1)), "child timer work")
}

func TestFirstWithoutFuturesSuspends(t *testing.T) {
	t.Parallel()
	_, d := perform(t, func(ctx durable.Context) (string, error) { durable.First(ctx); return "", nil })
	if d.Err == nil || !strings.Contains(d.Err.Error(), "durable.First was called without futures") {
		t.Errorf("got %+v", d)
	}
}

func TestAllJoinsFailuresAndKeepsTheOtherValues(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		v, err := durable.All(ctx, double.Start(ctx, 1), double.Start(ctx, 2), double.Start(ctx, 3), double.Start(ctx, 4))
		var failure *durable.ActivityError
		return fmt.Sprint(v, errors.As(err, &failure), " ", strings.ReplaceAll(err.Error(), "\n", "; ")), nil
	})
	returned(t, s.deliver(failed("3", "four"), done("2", 6), failed("0", "one"), done("1", 4)),
		"[0 4 6 0] true Double failed: one; Double failed: four")
}

func TestAllOfNothing(t *testing.T) {
	t.Parallel()
	_, d := perform(t, func(ctx durable.Context) (string, error) {
		v, err := durable.All[int](ctx)
		return fmt.Sprint(v), err
	})
	returned(t, d, "[]")
}

func TestGoNumbersOperationsBelowItsOwn(t *testing.T) {
	t.Parallel()
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		child := durable.Go(ctx, func(ctx durable.Context) (int, error) {
			grandchild := durable.Go(ctx, func(ctx durable.Context) (int, error) { return double.Call(ctx, 3) })
			v, err := double.Call(ctx, 2)
			w, err2 := grandchild.Await()
			return v + w, errors.Join(err, err2)
		})
		mine, err := double.Call(ctx, 1)
		theirs, err2 := child.Await()
		return fmt.Sprint(mine, theirs), errors.Join(err, err2)
	})
	if got, want := asked(d), "TaskScheduled 0.0.0 Double, TaskScheduled 0.1 Double, TaskScheduled 1 Double"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	waits(t, s.deliver(done("0.0.0", 6)))
	waits(t, s.replayed(failed("0.1", "no")))
	returned(t, s.replayed(done("1", 2)), "Double failed: no")
}

func TestAnOperationInAGoRenumbersNoSibling(t *testing.T) {
	t.Parallel()
	extra := false
	body := func(ctx durable.Context) (string, error) {
		a := durable.Go(ctx, func(ctx durable.Context) (int, error) {
			v, err := double.Call(ctx, 1)
			if extra {
				return double.Call(ctx, v)
			}
			return v, err
		})
		b := durable.Go(ctx, func(ctx durable.Context) (int, error) { return double.Call(ctx, 2) })
		v, err := durable.All(ctx, a, b)
		return fmt.Sprint(v), err
	}
	s, _ := perform(t, body)
	waits(t, s.deliver(done("1.0", 4)))
	extra = true
	if got, want := asked(s.replayed(done("0.0", 2))), "TaskScheduled 0.1 Double"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	returned(t, s.replayed(done("0.1", 8)), "[8 4]")
}

func TestAnActivityWhoseInputCannotBeSentFails(t *testing.T) {
	t.Parallel()
	odd := durable.NewActivity[func(), int]("Odd")
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		f := odd.Start(ctx, nil)
		_, err := f.Await()
		if durable.First(ctx, f) != durable.Awaitable(f) {
			return "", errors.New("it is not ready")
		}
		_, wait := double.Call(ctx, 1)
		return fmt.Sprint(err), wait
	})
	if got, want := asked(d), "TaskScheduled 1 Double"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	returned(t, s.replayed(done("1", 1)), "Odd failed: its input cannot be sent: json: unsupported type: func()")
}

func TestSteps(t *testing.T) {
	t.Parallel()
	runs := 0
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		v, err := durable.Step(ctx, "count", func(context.Context) (int, error) { runs++; return runs, nil })
		_, bad := durable.Step(ctx, "bad", func(context.Context) (int, error) { return 0, fmt.Errorf("sorry: %w", durable.ErrorKind("Kind")) })
		_, worse := durable.Step(ctx, "worse", func(context.Context) (int, error) { panic("oh") })
		w, _ := double.Call(ctx, v)
		return fmt.Sprint(w, bad, errors.Is(bad, durable.ErrorKind("Kind")), errors.Is(worse, durable.ActivityPanicked)), err
	})
	returned(t, s.replayed(done("3", 5)), "5 bad failed: sorry: Kind true true")
	if runs != 1 {
		t.Errorf("the step ran %d times, want 1", runs)
	}
}

func TestNowIsTheTimeOfTheTurn(t *testing.T) {
	t.Parallel()
	var seen []time.Duration
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		for i := range 2 {
			seen = append(seen, ctx.Now().Sub(epoch))
			if _, err := double.Call(ctx, i); err != nil {
				return "", err
			}
		}
		return "", durable.Sleep(ctx, time.Hour)
	})
	s.now = epoch.Add(time.Minute)
	waits(t, s.deliver(done("0", 1)))
	s.now = epoch.Add(time.Hour)
	d := s.replayed(done("1", 1))
	waits(t, d)
	if got, want := fmt.Sprint(seen), "[0s 1m0s 0s 1m0s]"; got != want {
		t.Errorf("Now was %s, want %s", got, want)
	}
	if got, want := d.Commands[1].At, epoch.Add(2*time.Hour); !got.Equal(want) {
		t.Errorf("the timer is due at %v, want %v", got, want)
	}
}

func TestTimers(t *testing.T) {
	t.Parallel()
	const ever = time.Duration(1<<63 - 1)
	for _, c := range []struct {
		name    string
		d, from time.Duration
	}{
		{"a negative one is due at once", -time.Hour, 0},
		{"none is due at once", 0, 0},
		{"it is rounded up to a millisecond", time.Nanosecond, time.Millisecond},
		{"a millisecond is one", time.Millisecond, time.Millisecond},
		{"for ever is late", ever, 90 * 365 * 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, d := perform(t, func(ctx durable.Context) (string, error) { return "", durable.Sleep(ctx, c.d) })
			waits(t, d)
			due := d.Commands[1].At
			if got := due.Sub(epoch); got < c.from || c.d < ever && got > c.from {
				t.Errorf("it is due after %v, want %v", got, c.from)
			}
			if due.UnixMilli() > 9_999_999_999_999 {
				t.Errorf("its time %v has more digits than a due row holds", due)
			}
		})
	}
}
