package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

// sum doubles the numbers below n, all at once, and adds them up.
func sum(ctx durable.Context, n int) (int, error) {
	var all []*durable.Future[int]
	for i := range n {
		all = append(all, double.Start(ctx, i))
	}
	got, err := durable.All(ctx, all...)
	total := 0
	for _, v := range got {
		total += v
	}
	return total, err
}

// halves fails for odd numbers.
func halves() durable.Handler {
	return double.Bind(func(_ context.Context, n int) (int, error) {
		if n%2 == 1 {
			return 0, fmt.Errorf("%d is odd", n)
		}
		return n / 2, nil
	})
}

var fanCases = []sentence{
	{area: "fan-out", says: "results of a fan-out come in the order of the calls", aws: true, script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			return durable.All(ctx, double.Start(ctx, 3), double.Start(ctx, 1), double.Start(ctx, 2))
		}))
		e.start("")
		e.gives([]int{6, 2, 4})
	}},
	{area: "fan-out", says: "fifty calls at once all come back", aws: true, script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) { return sum(ctx, 50) }))
		e.start("")
		e.gives(2450)
	}},
	{area: "fan-out", says: "a thousand calls at once, and more than may be under way, all come back", not: minutes, script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) { return sum(ctx, 1010) }))
		e.start("")
		e.gives(1019090)
	}},
	{area: "fan-out", says: "two fan-outs one after another do not mix", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			a, err := sum(ctx, 20)
			b, err2 := sum(ctx, 30)
			return []int{a, b}, errors.Join(err, err2)
		}))
		e.start("")
		e.gives([]int{380, 870})
	}},
	{area: "fan-out", says: "a fan-out of nothing is done at once", aws: true, script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) { return sum(ctx, 0) }))
		e.start("")
		e.gives(0)
	}},
	{area: "fan-out", says: "the error of All joins all that failed and the other values are there", aws: true, script: func(e *env) {
		e.deploy(halves(), body(func(ctx durable.Context, _ string) (any, error) {
			got, err := durable.All(ctx, double.Start(ctx, 8), double.Start(ctx, 3), double.Start(ctx, 5))
			return fmt.Sprint(got, " ", err), nil
		}))
		e.start("")
		e.gives("[4 0 0] Double failed: 3 is odd\nDouble failed: 5 is odd")
	}},
	{area: "fan-out", says: "AsCompleted yields futures in the order in which they are ready", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			nap := func(d time.Duration) *durable.Future[string] {
				return durable.Go(ctx, func(ctx durable.Context) (string, error) { return d.String(), durable.Sleep(ctx, d) })
			}
			var got []string
			for f := range durable.AsCompleted(ctx, nap(3*time.Minute), nap(time.Minute), nap(2*time.Minute)) {
				v, err := f.Await()
				if err != nil {
					return nil, err
				}
				got = append(got, v)
			}
			return got, nil
		}))
		e.start("")
		e.advance(time.Hour)
		e.gives([]string{"1m0s", "2m0s", "3m0s"})
	}},
	{area: "fan-out", says: "Map returns what each item came to, in the items' order", script: func(e *env) {
		e.deploy(halves(), body(func(ctx durable.Context, _ string) (any, error) {
			got, err := durable.Map(ctx, []int{8, 3, 4}, double.Call)
			return fmt.Sprint(got[0].Value, got[1].Err, got[2].Value, err != nil), nil
		}))
		e.start("")
		e.gives("4 Double failed: 3 is odd 2 true")
	}},
	{area: "fan-out", says: "Map begins no more at once than Concurrency allows", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			begin, now, most := ctx.Now(), 0, 0
			_, err := durable.Map(ctx, make([]int, 10), func(ctx durable.Context, _ int) (int, error) {
				now++
				most = max(most, now)
				err := durable.Sleep(ctx, time.Minute)
				now--
				return 0, err
			}, durable.Concurrency(3))
			return fmt.Sprint(most, " at a time, ", ctx.Now().Sub(begin)), err
		}))
		e.start("")
		e.advance(time.Hour)
		e.gives("3 at a time, 4m0s")
	}},
	{area: "fan-out", says: "Map tolerates so many failures and no more", script: func(e *env) {
		e.deploy(halves(), body(func(ctx durable.Context, _ string) (any, error) {
			_, two := durable.Map(ctx, []int{1, 2, 3, 4}, double.Call, durable.Tolerate(2))
			_, one := durable.Map(ctx, []int{1, 2, 3, 4}, double.Call, durable.Tolerate(1))
			_, half := durable.Map(ctx, []int{1, 2, 3, 4}, double.Call, durable.TolerateShare(0.5))
			return []bool{two == nil, errors.Is(one, durable.ErrTooManyFailures), half == nil}, nil
		}))
		e.start("")
		e.gives([]bool{true, true, true})
	}},
	{area: "fan-out", says: "Map ends when there are enough successes", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			begin := ctx.Now()
			got, err := durable.Map(ctx, []time.Duration{time.Hour, time.Minute, 2 * time.Minute}, func(ctx durable.Context, d time.Duration) (bool, error) {
				return true, durable.Sleep(ctx, d)
			}, durable.AtLeast(2))
			return fmt.Sprint(got[0].Done, got[1].Done, got[2].Done, ctx.Now().Sub(begin)), err
		}))
		e.start("")
		e.advance(3 * time.Minute)
		e.gives("false true true 2m0s")
	}},
	{area: "fan-out", says: "Parallel returns what each function came to, in their order", aws: true, script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			f := func(n int) func(durable.Context) (int, error) {
				return func(ctx durable.Context) (int, error) { return double.Call(ctx, n) }
			}
			got, err := durable.Parallel(ctx, []func(durable.Context) (int, error){f(2), f(1)})
			return []int{got[0].Value, got[1].Value}, err
		}))
		e.start("")
		e.gives([]int{4, 2})
	}},
	{area: "fan-out", says: "the first error of a Group ends what its other functions wait for", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			var other error
			g := durable.NewGroup(ctx)
			g.Go(func(ctx durable.Context) error { other = durable.Sleep(ctx, time.Hour); return other })
			g.Go(func(ctx durable.Context) error {
				return errors.Join(durable.Sleep(ctx, time.Minute), errors.New("the first"))
			})
			err := g.Wait()
			return fmt.Sprint(err, ", ", errors.Is(other, durable.ErrCanceled)), nil
		}))
		e.start("")
		e.advance(2 * time.Minute)
		e.gives("the first, true")
	}},
	{area: "fan-out", says: "a Group of which nothing fails waits for all", aws: true, script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			total := 0
			g := durable.NewGroup(ctx)
			for n := range 5 {
				g.Go(func(ctx durable.Context) error { v, err := double.Call(ctx, n); total += v; return err })
			}
			err := g.Wait()
			return total, err
		}))
		e.start("")
		e.gives(20)
	}},
	{area: "coroutines", says: "Go runs functions beside each other", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			begin := ctx.Now()
			nap := func(ctx durable.Context) (int, error) { return 1, durable.Sleep(ctx, time.Hour) }
			_, err := durable.All(ctx, durable.Go(ctx, nap), durable.Go(ctx, nap))
			return ctx.Now().Sub(begin).String(), err
		}))
		e.start("")
		e.advance(3 * time.Hour)
		e.gives("1h0m0s")
	}},
	{area: "coroutines", says: "a coroutine may start coroutines", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			return durable.Go(ctx, func(ctx durable.Context) (int, error) {
				a := durable.Go(ctx, func(ctx durable.Context) (int, error) { return double.Call(ctx, 1) })
				b := durable.Go(ctx, func(ctx durable.Context) (int, error) { return double.Call(ctx, 2) })
				x, err := a.Await()
				y, err2 := b.Await()
				return x + y, errors.Join(err, err2)
			}).Await()
		}))
		e.start("")
		e.gives(6)
	}},
	{area: "coroutines", says: "a coroutine that still waits when the code returns is given up", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			durable.Go(ctx, func(ctx durable.Context) (string, error) { return answer.Next(ctx).Await() })
			return "done", nil
		}))
		e.start("")
		e.gives("done")
	}},
	{area: "coroutines", says: "every wait for one future returns the same", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			f := double.Start(ctx, 4)
			before := f.Ready()
			a, _ := f.Await()
			b, _ := f.Await()
			return fmt.Sprint(before, a, b, f.Ready()), nil
		}))
		e.start("")
		e.gives("false 8 8 true")
	}},
}
