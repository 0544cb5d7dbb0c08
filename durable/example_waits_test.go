package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
)

// show runs an orchestration to its end, for a day of its clock at most, and prints what it returned.
func show[O any](o durable.Orchestration[durable.None, O], handlers ...durable.Handler) {
	sys := durabletest.New(durabletest.Standalone{}, handlers...)
	run, err := o.Submit(context.Background(), sys.Client, durable.None{})
	if err != nil {
		panic(err)
	}
	sys.Settle()
	sys.Advance(24 * time.Hour)
	fmt.Println(run.Wait(context.Background()))
}

// Every item is worked on, two at a time.
func ExampleMap() {
	length := durable.NewActivity[string, int]("Length")
	sum := durable.NewOrchestration[durable.None, int]("Sum")

	show(sum,
		length.Bind(func(_ context.Context, s string) (int, error) { return len(s), nil }),
		sum.Bind(func(ctx durable.Context, _ durable.None) (int, error) {
			results, err := durable.Map(ctx, []string{"one", "three", "fifteen"}, length.Call, durable.Concurrency(2))
			total := 0
			for _, n := range durable.Values(results) {
				total += n
			}
			return total, err
		}))
	// Output: 15 <nil>
}

// Whoever is there first counts.
func ExampleFirst() {
	answer := durable.NewEvent[string]("Answer")
	ask := durable.NewOrchestration[durable.None, string]("Ask")

	show(ask, ask.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
		said, late := answer.Next(ctx), durable.After(ctx, time.Hour)
		if durable.First(ctx, said, late) == late {
			return "nobody answered by " + ctx.Now().Format(time.TimeOnly), nil
		}
		return said.Await()
	}))
	// Output: nobody answered by 01:00:00 <nil>
}

// What is ready sooner is seen sooner.
func ExampleAsCompleted() {
	race := durable.NewOrchestration[durable.None, string]("Race")

	show(race, race.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
		runner := func(name string, d time.Duration) *durable.Future[string] {
			return durable.Go(ctx, func(ctx durable.Context) (string, error) { return name, durable.Sleep(ctx, d) })
		}
		order := ""
		for f := range durable.AsCompleted(ctx, runner("tortoise ", 2*time.Hour), runner("hare ", time.Hour)) {
			name, err := f.Await()
			if err != nil {
				return "", err
			}
			order += name
		}
		return order + "are there", nil
	}))
	// Output: hare tortoise are there <nil>
}

// An orchestration is a part of another one, and an instance of its own.
func ExampleOrchestration_Call() {
	pack := durable.NewOrchestration[string, string]("Pack")
	ship := durable.NewOrchestration[durable.None, string]("Ship")

	show(ship,
		pack.Bind(func(ctx durable.Context, what string) (string, error) {
			return "a box of " + what, durable.Sleep(ctx, time.Hour)
		}),
		ship.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			box, err := pack.Call(ctx, "books")
			return "shipped " + box, err
		}))
	// Output: shipped a box of books <nil>
}

// What is short, and needs no queue, runs where the orchestration does; its result is recorded, and it does not run in a replay.
func ExampleStep() {
	quote := durable.NewOrchestration[durable.None, int]("Quote")

	show(quote, quote.Bind(func(ctx durable.Context, _ durable.None) (int, error) {
		price, err := durable.Step(ctx, "price", func(context.Context) (int, error) {
			fmt.Println("looked up")
			return 12, nil
		})
		if err != nil {
			return 0, err
		}
		return price, durable.Sleep(ctx, time.Hour)
	}))
	// Output:
	// looked up
	// 12 <nil>
}

// What others read of an instance that runs.
func ExampleContext_SetStatus() {
	work := durable.NewOrchestration[durable.None, durable.None]("Work")

	sys := durabletest.New(durabletest.Standalone{}, work.Bind(func(ctx durable.Context, _ durable.None) (durable.None, error) {
		ctx.SetStatus("half-way")
		return durable.None{}, durable.Sleep(ctx, time.Hour)
	}))
	run, err := work.Submit(context.Background(), sys.Client, durable.None{})
	if err != nil {
		panic(err)
	}
	sys.Settle()
	in, err := run.Status(context.Background())
	fmt.Println(in.Status, string(in.CustomStatus), err)
	// Output: Running "half-way" <nil>
}

// One that fails is no reason to give up, nor are fewer than half.
func ExampleTolerate() {
	ask := durable.NewActivity[string, string]("Ask")
	vote := durable.NewOrchestration[durable.None, string]("Vote")

	show(vote,
		ask.Bind(func(_ context.Context, who string) (string, error) {
			if who == "Eve" {
				return "", errors.New("she says nothing")
			}
			return "yes", nil
		}),
		vote.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			who := []string{"Ada", "Eve", "Joe"}
			_, none := durable.Map(ctx, who, ask.Call)
			one, err := durable.Map(ctx, who, ask.Call, durable.Tolerate(1))
			if err != nil {
				return "", err
			}
			half, err := durable.Map(ctx, who, ask.Call, durable.TolerateShare(0.5))
			return fmt.Sprint(none, "; ", durable.Values(one), one[1].Err != nil, len(half)), err
		}))
	// Output: item 1: Ask failed: she says nothing; [yes yes] true 3 <nil>
}

// A child that its parent waits for in any case, and a look at whether it is there.
func ExampleOrchestration_Start() {
	pack := durable.NewOrchestration[string, string]("Pack")
	ship := durable.NewOrchestration[durable.None, string]("Ship")

	show(ship,
		pack.Bind(func(ctx durable.Context, what string) (string, error) {
			return "a box of " + what, durable.Sleep(ctx, time.Hour)
		}),
		ship.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			box := pack.Start(ctx, "books", durable.ID("box-1"), durable.WaitForChild)
			before := box.Ready()
			if err := durable.Sleep(ctx, 2*time.Hour); err != nil {
				return "", err
			}
			after := box.Ready()
			what, err := box.Await()
			return fmt.Sprint(box.ID(), " ready: ", before, ", ", after, ": ", what), err
		}))
	// Output: box-1 ready: false, true: a box of books <nil>
}
