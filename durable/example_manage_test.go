package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
)

// nap is an orchestration that sleeps as many hours as it is told, and fails when that is none.
var nap = durable.NewOrchestration[int, string]("Nap")

func napping(ctx durable.Context, hours int) (string, error) {
	if hours == 0 {
		return "", errors.New("no time")
	}
	return fmt.Sprintf("slept for %d hours", hours), durable.Sleep(ctx, time.Duration(hours)*time.Hour)
}

// hub is a system in which instances nap.
func hub() (context.Context, *durabletest.System) {
	return context.Background(), durabletest.New(durabletest.Standalone{}, nap.Bind(napping))
}

// standing prints where an instance stands.
func standing(ctx context.Context, sys *durabletest.System, id string) {
	sys.Settle()
	in, err := sys.Client.Get(ctx, id, durable.NoInput)
	fmt.Println(id, in.Status, string(in.Output), err)
}

// An id that is in use, by an instance that has ended or by one that runs.
func ExampleReuse() {
	ctx, sys := hub()
	start := func(hours int, opts ...durable.StartOption) {
		_, err := nap.Submit(ctx, sys.Client, hours, append(opts, durable.ID("cat"))...)
		fmt.Println(hours, errors.Is(err, durable.ErrExists))
		sys.Settle()
	}
	start(0)
	start(1, durable.ReuseNever)                   // one has failed
	start(2, durable.ReuseWhen(durable.Completed)) // and has not completed
	start(3, durable.ReuseWhen(durable.Failed))    // so it is replaced
	start(4)                                       // one runs
	start(5, durable.UseExisting)                  // whatever it does
	start(6, durable.UseSame)                      // only if it does the same
	start(3, durable.UseSame)                      // so the start was only repeated
	sys.Advance(3 * time.Hour)
	standing(ctx, sys, "cat")
	// Output:
	// 0 false
	// 1 true
	// 2 true
	// 3 false
	// 4 true
	// 5 false
	// 6 true
	// 3 false
	// cat Completed "slept for 3 hours" <nil>
}

// What ended begins again with the same input, under its id or a new one.
func ExampleRestartRequest() {
	ctx, sys := hub()
	if _, err := nap.Submit(ctx, sys.Client, 1, durable.ID("cat")); err != nil {
		panic(err)
	}
	sys.Advance(time.Hour)
	standing(ctx, sys, "cat")
	if _, err := sys.Client.Restart(ctx, durable.RestartRequest{Instance: "cat"}); err != nil {
		panic(err)
	}
	standing(ctx, sys, "cat")
	sys.Advance(time.Hour)
	standing(ctx, sys, "cat")
	// Output:
	// cat Completed "slept for 1 hours" <nil>
	// cat Running  <nil>
	// cat Completed "slept for 1 hours" <nil>
}

// An instance that has failed goes on where it failed, when the cause is gone. What succeeded keeps its result.
func ExampleCommand_rewind() {
	fetch := durable.NewActivity[string, string]("Fetch")
	cook := durable.NewOrchestration[durable.None, string]("Cook")

	ctx, closed := context.Background(), true
	sys := durabletest.New(durabletest.Standalone{},
		fetch.Bind(func(_ context.Context, what string) (string, error) {
			fmt.Println("fetching", what)
			if what == "eggs" && closed {
				return "", errors.New("the shop is closed")
			}
			return what, nil
		}),
		cook.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			flour, err := fetch.Call(ctx, "flour")
			if err != nil {
				return "", err
			}
			eggs, err := fetch.Call(ctx, "eggs")
			return flour + " and " + eggs, err
		}))
	if _, err := cook.Submit(ctx, sys.Client, durable.None{}, durable.ID("cake")); err != nil {
		panic(err)
	}
	standing(ctx, sys, "cake")
	closed = false
	if err := sys.Client.Manage(ctx, durable.ManageRequest{Instance: "cake", Command: durable.Rewind, Reason: "it has opened"}); err != nil {
		panic(err)
	}
	standing(ctx, sys, "cake")
	// Output:
	// fetching flour
	// fetching eggs
	// cake Failed "Fetch failed: the shop is closed" <nil>
	// fetching eggs
	// cake Completed "flour and eggs" <nil>
}

// A suspended instance keeps what arrives, and does nothing, until it is resumed; a terminated one has ended.
func ExampleManageRequest() {
	ctx, sys := hub()
	for _, id := range []string{"cat", "dog"} {
		if _, err := nap.Submit(ctx, sys.Client, 1, durable.ID(id)); err != nil {
			panic(err)
		}
	}
	manage := func(id string, c durable.Command) {
		if err := sys.Client.Manage(ctx, durable.ManageRequest{Instance: id, Command: c, Reason: "the vet is here"}); err != nil {
			panic(err)
		}
		standing(ctx, sys, id)
	}
	sys.Settle()
	manage("cat", durable.Suspend)
	sys.Advance(5 * time.Hour)
	manage("cat", durable.Resume)
	if _, err := nap.Submit(ctx, sys.Client, 9, durable.ID("dog")); err != nil {
		panic(err)
	}
	sys.Settle()
	manage("dog", durable.Terminate)
	// Output:
	// cat Suspended  <nil>
	// cat Completed "slept for 1 hours" <nil>
	// dog Terminated "the vet is here" <nil>
}

// The instance is there at once; its code begins at the time.
func ExampleStartAt() {
	ctx, sys := hub()
	run, err := nap.Submit(ctx, sys.Client, 1, durable.ID("bear"), durable.StartAt(sys.Now().Add(90*24*time.Hour)))
	if err != nil {
		panic(err)
	}
	standing(ctx, sys, "bear")
	sys.Advance(90 * 24 * time.Hour)
	in, err := run.Started(ctx)
	fmt.Println(in.Status, err)
	// Output:
	// bear Pending  <nil>
	// Running <nil>
}

// Instances are found by what is known of them, a page at a time.
func ExampleQuery() {
	ctx, sys := hub()
	for hours, id := range []string{"cat", "dog", "bear"} {
		if _, err := nap.Submit(ctx, sys.Client, hours, durable.ID(id), durable.Tag("lives", map[bool]string{true: "wild", false: "here"}[id == "bear"])); err != nil {
			panic(err)
		}
	}
	sys.Settle()
	for _, q := range []durable.Query{
		{Statuses: []durable.Status{durable.Failed}},
		{Tags: map[string]string{"lives": "wild"}},
		{Names: []string{"Nap"}, IDPrefix: "d", NoInput: true, Limit: 10},
	} {
		page, err := sys.Client.List(ctx, q)
		for _, in := range page.Instances {
			fmt.Println(in.ID, in.Status, err)
		}
	}
	// Output:
	// cat Failed <nil>
	// bear Running <nil>
	// dog Running <nil>
}

// What has ended is forgotten: by its id, by a query, or with its sub-orchestrations.
func ExamplePurgeRequest() {
	ctx, sys := hub()
	for n := range 6 {
		if _, err := nap.Submit(ctx, sys.Client, n, durable.ID(fmt.Sprint("cat", n))); err != nil {
			panic(err)
		}
	}
	sys.Advance(4 * time.Hour)
	fmt.Println(durable.PurgeAll(ctx, sys.Client, "cat0", "cat1", "cat5", "nobody")) // one runs, and one is not there
	fmt.Println(durable.PurgeTree(ctx, sys.Client, "cat2"))
	done, err := sys.Client.PurgeWhere(ctx, durable.PurgeRequest{
		Where: durable.Query{Statuses: []durable.Status{durable.Completed}}, Budget: time.Minute})
	fmt.Println(done.Instances, done.Continue == "", err)
	// Output:
	// 2 <nil>
	// 1 <nil>
	// 2 true <nil>
}

// What an instance has been through.
func ExampleHistoryEvent() {
	ctx, sys := hub()
	if _, err := nap.Submit(ctx, sys.Client, 1, durable.ID("cat")); err != nil {
		panic(err)
	}
	sys.Advance(time.Hour)
	events, err := sys.Client.History(ctx, "cat")
	if err != nil {
		panic(err)
	}
	for _, e := range events {
		fmt.Println(e.Time.Format(time.TimeOnly), e.Kind)
	}
	// Output:
	// 00:00:00 ExecutionStarted
	// 00:00:00 TimerCreated
	// 01:00:00 TimerFired
	// 01:00:00 ExecutionCompleted
}

// An error of an instance keeps its kind.
func ExampleOrchestrationError() {
	const noTime = durable.ErrorKind("NoTime")
	hurry := durable.NewOrchestration[durable.None, durable.None]("Hurry")

	ctx := context.Background()
	sys := durabletest.New(durabletest.Standalone{}, hurry.Bind(func(durable.Context, durable.None) (durable.None, error) {
		return durable.None{}, fmt.Errorf("it is late: %w", noTime)
	}))
	run, err := hurry.Submit(ctx, sys.Client, durable.None{}, durable.ID("rabbit"))
	if err != nil {
		panic(err)
	}
	sys.Settle()
	_, err = run.Wait(ctx)
	var failed *durable.OrchestrationError
	if errors.As(err, &failed) {
		fmt.Println(failed.Instance, failed.Status, errors.Is(err, noTime))
	}
	// Output: rabbit Failed true
}

// Instances of many customers share a hub: each says whose it is, and theirs are found by that.
func ExampleTenant() {
	ctx, sys := hub()
	for id, whose := range map[string]string{"cat": "Ann", "dog": "Bob"} {
		if _, err := nap.Submit(ctx, sys.Client, 1, durable.ID(id), durable.Tenant(whose)); err != nil {
			panic(err)
		}
	}
	sys.Settle()
	page, err := sys.Client.List(ctx, durable.Query{Tags: map[string]string{"tenant": "Bob"}})
	for _, in := range page.Instances {
		fmt.Println(in.ID, in.Tags, err)
	}
	// Output:
	// dog map[tenant:Bob] <nil>
}
