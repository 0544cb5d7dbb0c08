package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
)

// An activity, an orchestration that calls it, and a program that starts an instance.
func Example() {
	greet := durable.NewActivity[string, string]("Greet")
	hello := durable.NewOrchestration[string, string]("Hello")

	sys := durabletest.New(durabletest.Standalone{},
		greet.Bind(func(_ context.Context, name string) (string, error) { return "Hello, " + name, nil }),
		hello.Bind(func(ctx durable.Context, name string) (string, error) { return greet.Call(ctx, name) }))
	run, err := hello.Submit(context.Background(), sys.Client, "Ada")
	if err != nil {
		panic(err)
	}
	sys.Settle()
	fmt.Println(run.Wait(context.Background()))
	// Output: Hello, Ada <nil>
}

// A decision from outside, or none in time. Three days pass in no time.
func ExampleEvent_Within() {
	approval := durable.NewEvent[bool]("Approval")
	ask := durable.NewOrchestration[durable.None, string]("Ask")

	sys := durabletest.New(durabletest.Standalone{}, ask.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
		yes, err := approval.Within(ctx, 72*time.Hour)
		switch {
		case errors.Is(err, durable.ErrTimeout):
			return "nobody said anything", nil
		case err != nil:
			return "", err
		}
		return fmt.Sprint("approved: ", yes), nil
	}))
	ctx := context.Background()
	for _, id := range []string{"answered", "forgotten"} {
		if _, err := ask.Submit(ctx, sys.Client, durable.None{}, durable.ID(id)); err != nil {
			panic(err)
		}
	}
	sys.Settle()
	if err := approval.Raise(ctx, sys.Client, "answered", true); err != nil {
		panic(err)
	}
	sys.Advance(72 * time.Hour)
	for _, id := range []string{"answered", "forgotten"} {
		in, err := sys.Client.Get(ctx, id)
		fmt.Println(id, in.Status, string(in.Output), err)
	}
	// Output:
	// answered Completed "approved: true" <nil>
	// forgotten Completed "nobody said anything" <nil>
}

// What was done is undone in reverse when the orchestration fails.
func ExampleSaga() {
	book := durable.NewActivity[string, string]("Book")
	cancel := durable.NewActivity[string, durable.None]("Cancel")
	trip := durable.NewOrchestration[durable.None, string]("Trip")

	sys := durabletest.New(durabletest.Standalone{},
		book.Bind(func(_ context.Context, what string) (string, error) {
			if what == "hotel" {
				return "", errors.New("no room")
			}
			fmt.Println("booked the", what)
			return what, nil
		}),
		cancel.Bind(func(_ context.Context, what string) (durable.None, error) {
			fmt.Println("cancelled the", what)
			return durable.None{}, nil
		}),
		trip.Bind(func(ctx durable.Context, _ durable.None) (_ string, err error) {
			saga := durable.NewSaga(ctx)
			defer saga.End(&err)
			for _, what := range []string{"train", "boat", "hotel"} {
				cancel.Compensate(saga, what) // before the call: an unknown outcome is undone too
				if _, err := book.Call(ctx, what); err != nil {
					return "", err
				}
			}
			return "booked", nil
		}))
	run, err := trip.Submit(context.Background(), sys.Client, durable.None{}, durable.ID("trip"))
	if err != nil {
		panic(err)
	}
	sys.Settle()
	_, err = run.Wait(context.Background())
	fmt.Println(err)
	// Output:
	// booked the train
	// booked the boat
	// cancelled the hotel
	// cancelled the boat
	// cancelled the train
	// instance trip is Failed: Book failed: no room
}

// Offers are taken for an hour.
func ExampleWithTimeout() {
	quote := durable.NewEvent[int]("Quote")
	ask := durable.NewOrchestration[durable.None, string]("Ask")

	sys := durabletest.New(durabletest.Standalone{}, ask.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
		limited, cancel := durable.WithTimeout(ctx, time.Hour)
		defer cancel()
		best := 0
		for {
			price, err := quote.Next(limited).Await()
			switch {
			case errors.Is(err, durable.ErrTimeout):
				return fmt.Sprint("the best offer is ", best), nil
			case err != nil:
				return "", err
			case best == 0 || price < best:
				best = price
			}
		}
	}))
	ctx := context.Background()
	run, err := ask.Submit(ctx, sys.Client, durable.None{})
	if err != nil {
		panic(err)
	}
	sys.Settle()
	for _, price := range []int{30, 20, 25} {
		if err := quote.Raise(ctx, sys.Client, run.ID(), price); err != nil {
			panic(err)
		}
		sys.Advance(10 * time.Minute)
	}
	sys.Advance(time.Hour)
	fmt.Println(run.Wait(ctx))
	// Output: the best offer is 20 <nil>
}

// What belongs to one task is given up together.
func ExampleGroup() {
	pack := durable.NewActivity[string, int]("Pack")
	ship := durable.NewOrchestration[durable.None, string]("Ship")

	sys := durabletest.New(durabletest.Standalone{},
		pack.Bind(func(_ context.Context, what string) (int, error) {
			if what == "glass" {
				return 0, errors.New("it broke")
			}
			return len(what), nil
		}),
		ship.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			g := durable.NewGroup(ctx)
			for _, what := range []string{"book", "glass"} {
				g.Go(func(ctx durable.Context) error {
					if _, err := pack.Call(ctx, what); err != nil {
						return err
					}
					return durable.Sleep(ctx, 24*time.Hour) // until the lorry comes: in vain, for the book
				})
			}
			err := g.Wait()
			return fmt.Sprint(err, " at ", ctx.Now().Format(time.TimeOnly)), nil
		}))
	ctx := context.Background()
	run, err := ship.Submit(ctx, sys.Client, durable.None{})
	if err != nil {
		panic(err)
	}
	sys.Settle()
	fmt.Println(run.Wait(ctx))
	// Output: Pack failed: it broke at 00:00:00 <nil>
}

// What came back decides when to ask again.
func ExampleRetrying() {
	const busy = durable.ErrorKind("Busy")
	ask := durable.NewActivity[int, string]("Ask")
	poll := durable.NewOrchestration[durable.None, string]("Poll")

	sys := durabletest.New(durabletest.Standalone{},
		ask.Bind(func(_ context.Context, attempt int) (string, error) {
			if attempt < 3 {
				return "", fmt.Errorf("come back later: %w", busy)
			}
			return "ready", nil
		}),
		poll.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			begin := ctx.Now()
			v, err := durable.Retrying(ctx,
				func(attempt int) (string, error) { return ask.Call(ctx, attempt) },
				func(attempt int, err error) (time.Duration, bool) {
					return time.Duration(attempt) * time.Hour, attempt < 5 && errors.Is(err, busy)
				})
			return fmt.Sprint(v, " after ", ctx.Now().Sub(begin)), err
		}))
	ctx := context.Background()
	run, err := poll.Submit(ctx, sys.Client, durable.None{})
	if err != nil {
		panic(err)
	}
	sys.Advance(3 * time.Hour)
	fmt.Println(run.Wait(ctx))
	// Output: ready after 3h0m0s <nil>
}

// Two sources are asked, and one answer is enough.
func ExampleParallel() {
	ask := durable.NewActivity[string, string]("Ask")
	look := durable.NewOrchestration[string, string]("Look")

	sys := durabletest.New(durabletest.Standalone{},
		ask.Bind(func(_ context.Context, where string) (string, error) {
			if where == "cache" {
				return "", errors.New("it has nothing")
			}
			return "found in the " + where, nil
		}),
		look.Bind(func(ctx durable.Context, _ string) (string, error) {
			results, err := durable.Parallel(ctx, []func(durable.Context) (string, error){
				func(ctx durable.Context) (string, error) { return ask.Call(ctx, "cache") },
				func(ctx durable.Context) (string, error) { return ask.Call(ctx, "archive") },
			}, durable.AtLeast(1))
			if err != nil {
				return "", err
			}
			return durable.Values(results)[0], nil
		}))
	ctx := context.Background()
	run, err := look.Submit(ctx, sys.Client, "")
	if err != nil {
		panic(err)
	}
	sys.Settle()
	fmt.Println(run.Wait(ctx))
	// Output: found in the archive <nil>
}

// A step that must not be repeated, and one that is run in place of an activity.
func ExampleActivity_Inline() {
	price := durable.NewActivity[string, int]("Price").Inline(func(_ context.Context, article string) (int, error) { return len(article), nil })
	buy := durable.NewOrchestration[string, string]("Buy")

	sys := durabletest.New(durabletest.Standalone{}, buy.Bind(func(ctx durable.Context, article string) (string, error) {
		euros, err := price.Call(ctx, article)
		if err != nil {
			return "", err
		}
		number, err := durable.Step(ctx, "draw a number", func(context.Context) (int, error) { return 17, nil }, durable.AtMostOnce)
		if errors.Is(err, durable.OutcomeUnknown) {
			return "a number may be lost", nil // its worker was
		}
		return fmt.Sprintf("number %d: %d euros", number, euros), err
	}))
	ctx := context.Background()
	run, err := buy.Submit(ctx, sys.Client, "clock")
	if err != nil {
		panic(err)
	}
	sys.Settle()
	fmt.Println(run.Wait(ctx))
	// Output: number 17: 5 euros <nil>
}

// An instance that has asked already goes on as it began; those that have not ask the right person.
func ExampleChanged() {
	approval := durable.NewEvent[bool]("Approval")
	tell := durable.NewActivity[string, durable.None]("Tell")
	ask := durable.NewOrchestration[string, string]("Ask")

	told := tell.Bind(func(_ context.Context, who string) (durable.None, error) {
		fmt.Println("asking", who)
		return durable.None{}, nil
	})
	sys := durabletest.New(durabletest.Standalone{}, told, ask.Bind(func(ctx durable.Context, name string) (string, error) {
		if _, err := tell.Call(ctx, "the clerk for "+name); err != nil {
			return "", err
		}
		_, err := approval.Next(ctx).Await()
		return "", err
	}))
	ctx := context.Background()
	start := func(name string) {
		if _, err := ask.Submit(ctx, sys.Client, name, durable.ID(name)); err != nil {
			panic(err)
		}
		sys.Settle()
	}
	start("before")

	sys.Deploy("build 2", told, ask.Bind(func(ctx durable.Context, name string) (string, error) {
		who := "the clerk"
		if durable.Changed(ctx, "managers approve") {
			who = "the manager"
		}
		if _, err := tell.Call(ctx, who+" for "+name); err != nil {
			return "", err
		}
		_, err := approval.Next(ctx).Await()
		return "approved by " + who, err
	}))
	start("after")
	for _, name := range []string{"before", "after"} {
		if err := approval.Raise(ctx, sys.Client, name, true); err != nil {
			panic(err)
		}
		sys.Settle()
		in, err := sys.Client.Get(ctx, name)
		fmt.Println(name, in.Status, string(in.Output), err)
	}
	// Output:
	// asking the clerk for before
	// asking the manager for after
	// before Completed "approved by the clerk" <nil>
	// after Completed "approved by the manager" <nil>
}

// Instances that run go on with the body that they began with; new ones get the new one.
func ExampleCurrentVersion() {
	greet := durable.NewOrchestration[string, string]("Greet", durable.CurrentVersion(2))

	sys := durabletest.New(durabletest.Standalone{},
		greet.Bind(func(_ durable.Context, name string) (string, error) { return "Hello, " + name, nil }),
		greet.Version(2).Bind(func(_ durable.Context, name string) (string, error) { return "Good morning, " + name, nil }))
	ctx := context.Background()
	for _, opts := range [][]durable.StartOption{nil, {durable.Version(0)}} {
		run, err := greet.Submit(ctx, sys.Client, "Ada", opts...)
		if err != nil {
			panic(err)
		}
		sys.Settle()
		fmt.Println(run.Wait(ctx))
	}
	// Output:
	// Good morning, Ada <nil>
	// Hello, Ada <nil>
}

// A report is asked for, and takes the server a while. A test answers in the server's place.
func ExampleHTTP() {
	report := durable.NewOrchestration[string, string]("Report")

	server := durable.BindHTTP(func(_ context.Context, req durable.HTTPRequest) (durable.HTTPResponse, error) {
		fmt.Println(req.Method, req.URL)
		if strings.HasSuffix(req.URL, "/reports") {
			return durable.HTTPResponse{Status: 202, Header: map[string][]string{"Location": {"/reports/1"}, "Retry-After": {"60"}}}, nil
		}
		return durable.HTTPResponse{Status: 200, Body: []byte("42 pages")}, nil
	})
	sys := durabletest.New(durabletest.Standalone{}, server, report.Bind(func(ctx durable.Context, about string) (string, error) {
		resp, err := durable.HTTP(ctx, durable.HTTPRequest{Method: "POST", URL: "https://example.com/reports", Body: []byte(about),
			Retry: durable.Retry{Attempts: 3, Initial: time.Second}, Deadline: time.Hour})
		return string(resp.Body), err
	}))
	ctx := context.Background()
	run, err := report.Submit(ctx, sys.Client, "whales")
	if err != nil {
		panic(err)
	}
	sys.Advance(time.Minute)
	fmt.Println(run.Wait(ctx))
	// Output:
	// POST https://example.com/reports
	// GET https://example.com/reports/1
	// 42 pages <nil>
}

// What a bank says of a refusal arrives where the payment was asked for, and is looked at there.
func ExampleWithProperties() {
	const declined = durable.ErrorKind("CardDeclined")
	charge := durable.NewActivity[int, durable.None]("Charge")
	pay := durable.NewOrchestration[int, string]("Pay")

	sys := durabletest.New(durabletest.Standalone{},
		charge.Bind(func(context.Context, int) (durable.None, error) {
			err := durable.WithProperties(declined, map[string]string{"bank code": "51"})
			return durable.None{}, durable.Permanent(err)
		}),
		pay.Bind(func(ctx durable.Context, amount int) (string, error) {
			_, err := charge.Call(ctx, amount)
			if errors.Is(err, declined) {
				return "declined, because of " + durable.Properties(err)["bank code"], nil
			}
			return "paid", err
		}))
	ctx := context.Background()
	run, err := pay.Submit(ctx, sys.Client, 12)
	if err != nil {
		panic(err)
	}
	sys.Settle()
	fmt.Println(run.Wait(ctx))
	// Output: declined, because of 51 <nil>
}
