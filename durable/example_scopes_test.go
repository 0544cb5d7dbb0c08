package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
)

// All of them are waited for, and their values come in the order in which they were asked for.
func ExampleAll() {
	length := durable.NewActivity[string, int]("Length")
	count := durable.NewOrchestration[durable.None, string]("Count")

	show(count,
		length.Bind(func(_ context.Context, s string) (int, error) { return len(s), nil }),
		count.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			one, three := length.Start(ctx, "one"), length.Start(ctx, "three")
			all, err := durable.All(ctx, one, three)
			return fmt.Sprint(all), err
		}))
	// Output: [3 5] <nil>
}

// Events are taken one after the other, until one of them says that it was the last.
func ExampleEvent_All() {
	reading := durable.NewEvent[int]("Reading")
	collect := durable.NewOrchestration[durable.None, int]("Collect")

	sys := durabletest.New(durabletest.Standalone{}, collect.Bind(func(ctx durable.Context, _ durable.None) (int, error) {
		sum := 0
		for n, err := range reading.All(ctx) {
			if err != nil || n < 0 {
				return sum, err
			}
			sum += n
		}
		return sum, nil
	}))
	ctx := context.Background()
	run, err := collect.Submit(ctx, sys.Client, durable.None{})
	if err != nil {
		panic(err)
	}
	for _, n := range []int{20, 22, -1} {
		if err := reading.Raise(ctx, sys.Client, run.ID(), n); err != nil {
			panic(err)
		}
		sys.Settle()
	}
	fmt.Println(run.Wait(ctx))
	// Output: 42 <nil>
}

// One instance tells another one.
func ExampleEvent_Send() {
	arrived := durable.NewEvent[string]("Arrived")
	dock := durable.NewOrchestration[durable.None, string]("Dock")
	lorry := durable.NewOrchestration[string, durable.None]("Lorry")

	sys := durabletest.New(durabletest.Standalone{},
		dock.Bind(func(ctx durable.Context, _ durable.None) (string, error) { return arrived.Next(ctx).Await() }),
		lorry.Bind(func(ctx durable.Context, to string) (durable.None, error) {
			return durable.None{}, arrived.Send(ctx, to, "books")
		}))
	ctx := context.Background()
	run, err := dock.Submit(ctx, sys.Client, durable.None{}, durable.ID("dock-1"))
	if err != nil {
		panic(err)
	}
	sys.Settle()
	if _, err := lorry.Submit(ctx, sys.Client, "dock-1"); err != nil {
		panic(err)
	}
	sys.Settle()
	fmt.Println(run.Wait(ctx))
	// Output: books <nil>
}

// The search is given up as soon as somebody has found it.
func ExampleWithCancel() {
	found := durable.NewEvent[string]("Found")
	search := durable.NewOrchestration[durable.None, string]("Search")

	sys := durabletest.New(durabletest.Standalone{}, search.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
		scope, cancel := durable.WithCancel(ctx)
		patrol := durable.Go(scope, func(ctx durable.Context) (durable.None, error) {
			return durable.None{}, durable.Sleep(ctx, 100*time.Hour)
		})
		where, err := found.Next(ctx).Await()
		cancel()
		if _, gaveUp := patrol.Await(); errors.Is(gaveUp, durable.ErrCanceled) {
			return where + ": the patrol goes home", err
		}
		return where, err
	}))
	ctx := context.Background()
	run, err := search.Submit(ctx, sys.Client, durable.None{})
	if err != nil {
		panic(err)
	}
	sys.Settle()
	if err := found.Raise(ctx, sys.Client, run.ID(), "in the cellar"); err != nil {
		panic(err)
	}
	sys.Settle()
	fmt.Println(run.Wait(ctx))
	// Output: in the cellar: the patrol goes home <nil>
}

// Whatever has timed out, the room is given back.
func ExampleDetached() {
	release := durable.NewActivity[string, string]("Release")
	meet := durable.NewOrchestration[durable.None, string]("Meet")

	show(meet,
		release.Bind(func(_ context.Context, room string) (string, error) { return room + " is free", nil }),
		meet.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			hour, cancel := durable.WithTimeout(ctx, time.Hour)
			defer cancel()
			if err := durable.Sleep(hour, 3*time.Hour); !errors.Is(err, durable.ErrTimeout) {
				return "", err
			}
			_, refused := release.Call(hour, "room 1") // in a scope that is over nothing is asked for
			free, err := release.Call(durable.Detached(hour), "room 1")
			return fmt.Sprintf("%v, %v, %s", hour.Err(), refused, free), err
		}))
	// Output: timed out, timed out, room 1 is free <nil>
}

// An orchestration that goes on for ever begins each round with an empty history, and keeps the events that it has not taken.
func ExampleOrchestration_ContinueAsNew() {
	add := durable.NewEvent[int]("Add")
	counter := durable.NewOrchestration[int, int]("Counter")

	sys := durabletest.New(durabletest.Standalone{}, counter.Bind(func(ctx durable.Context, sum int) (int, error) {
		n, err := add.Next(ctx).Await()
		if err != nil || n == 0 {
			return sum, err
		}
		return 0, counter.ContinueAsNew(ctx, sum+n)
	}))
	ctx := context.Background()
	run, err := counter.Submit(ctx, sys.Client, 0, durable.ID("counter"))
	if err != nil {
		panic(err)
	}
	for range 500 {
		if err := add.Raise(ctx, sys.Client, "counter", 2); err != nil {
			panic(err)
		}
	}
	sys.Settle()
	history, err := sys.Client.History(ctx, "counter")
	fmt.Println("a short history:", len(history) < 10, err)
	if err := add.Raise(ctx, sys.Client, "counter", 0); err != nil {
		panic(err)
	}
	sys.Settle()
	fmt.Println(run.Wait(ctx))
	// Output:
	// a short history: true <nil>
	// 1000 <nil>
}

// A child that nobody needs any more ends with its parent.
func ExampleParentClose() {
	watch := durable.NewOrchestration[durable.None, durable.None]("Watch")
	work := durable.NewOrchestration[durable.None, durable.None]("Work")

	sys := durabletest.New(durabletest.Standalone{},
		watch.Bind(func(ctx durable.Context, _ durable.None) (durable.None, error) {
			return durable.None{}, durable.Sleep(ctx, 1000*time.Hour)
		}),
		work.Bind(func(ctx durable.Context, _ durable.None) (durable.None, error) {
			watch.Start(ctx, durable.None{}, durable.ID("watch"), durable.TerminateChild)
			watch.Start(ctx, durable.None{}, durable.ID("watch that goes on"), durable.AbandonChild) // as without
			return durable.None{}, durable.Sleep(ctx, time.Hour)
		}))
	ctx := context.Background()
	if _, err := work.Submit(ctx, sys.Client, durable.None{}); err != nil {
		panic(err)
	}
	sys.Advance(2 * time.Hour)
	for _, id := range []string{"watch", "watch that goes on"} {
		in, err := sys.Client.Get(ctx, id)
		fmt.Println(id, in.Status, err)
	}
	// Output:
	// watch Terminated <nil>
	// watch that goes on Running <nil>
}

// Ids and random numbers that are the same in every replay.
func ExampleContext_NewID() {
	draw := durable.NewOrchestration[durable.None, bool]("Draw")

	show(draw, draw.Bind(func(ctx durable.Context, _ durable.None) (bool, error) {
		id, n := ctx.NewID(), ctx.Rand().IntN(6)
		if err := durable.Sleep(ctx, time.Hour); err != nil { // what follows is a replay
			return false, err
		}
		ctx.Log().Info("drawn", "id", id, "number", n, "instance", ctx.InstanceID())
		return id != ctx.NewID() && n < 6, nil
	}))
	// Output: true <nil>
}
