package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
)

// A printer is asked again when it is busy, after longer and longer pauses, and never when it has no paper.
func ExampleRetry() {
	const noPaper = durable.ErrorKind("NoPaper")
	printing := durable.NewActivity[string, string]("Print", durable.Timeout(time.Minute), durable.Retry{
		Attempts: 5, Initial: time.Second, Factor: 2, Cap: time.Minute,
		Jitter:       0.5, // a pause is shorter by up to half of it
		NonRetryable: []durable.ErrorKind{noPaper},
	})
	work := durable.NewOrchestration[durable.None, string]("Work")

	show(work,
		printing.Bind(func(ctx context.Context, what string) (string, error) {
			switch {
			case what == "poster":
				return "", fmt.Errorf("a poster: %w", noPaper)
			case durable.Attempt(ctx) < 3:
				return "", errors.New("busy")
			}
			return fmt.Sprint("printed at attempt ", durable.Attempt(ctx)), nil
		}),
		work.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			letter, err := printing.Call(ctx, "letter")
			if err != nil {
				return "", err
			}
			_, err = printing.Call(ctx, "poster")
			var failed *durable.ActivityError
			if errors.As(err, &failed) {
				return fmt.Sprintf("%s; %s failed at attempt %d: %s", letter, failed.Activity, failed.Attempt, failed.Kind), nil
			}
			return letter, err
		}))
	// Output: printed at attempt 3; Print failed at attempt 1: NoPaper <nil>
}

// Some errors are final whatever the policy says.
func ExamplePermanent() {
	open := durable.NewActivity[string, string]("Open", durable.Retry{Attempts: 10, Initial: time.Hour})
	try := durable.NewOrchestration[durable.None, string]("Try")

	show(try,
		open.Bind(func(_ context.Context, key string) (string, error) {
			fmt.Println("trying the", key, "key")
			return "", durable.Permanent(errors.New("it does not fit"))
		}),
		try.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			_, err := open.Call(ctx, "golden")
			return fmt.Sprint("permanent: ", err), nil
		}))
	// Output:
	// trying the golden key
	// permanent: Open failed: it does not fit <nil>
}

// The body sends a token to a person; the answer comes two days later, by any program that has a client.
func ExampleToken() {
	sign := durable.NewActivity[string, string]("Sign", durable.Async, durable.Deadline(7*24*time.Hour))
	rent := durable.NewOrchestration[string, string]("Rent")

	tokens := map[string]string{}
	sys := durabletest.New(durabletest.Standalone{},
		sign.Bind(func(ctx context.Context, contract string) (string, error) {
			tokens[contract] = durable.Token(ctx) // in the link of a mail
			return "", durable.ErrPending
		}),
		rent.Bind(func(ctx durable.Context, contract string) (string, error) { return sign.Call(ctx, contract) }))
	ctx := context.Background()
	run := map[string]durable.Run[string]{}
	for _, id := range []string{"flat", "house", "castle"} {
		r, err := rent.Submit(ctx, sys.Client, id, durable.ID(id))
		if err != nil {
			panic(err)
		}
		run[id] = r
	}
	sys.Advance(48 * time.Hour)
	fmt.Println(
		sign.Complete(ctx, sys.Client, tokens["flat"], "signed by Ada"),
		sign.Fail(ctx, sys.Client, tokens["house"], errors.New("too dear")),
		sign.Heartbeat(ctx, sys.Client, tokens["castle"], "thinking")) // nothing more is heard
	sys.Advance(7 * 24 * time.Hour)
	for _, id := range []string{"flat", "house", "castle"} {
		out, err := run[id].Wait(ctx)
		fmt.Println(id, out, err, errors.Is(err, durable.ActivityTimedOut))
	}
	fmt.Println(sign.Complete(ctx, sys.Client, tokens["flat"], "twice"))
	// Output:
	// <nil> <nil> <nil>
	// flat signed by Ada <nil> false
	// house  instance house is Failed: Sign failed: too dear false
	// castle  instance castle is Failed: Sign failed: the deadline of 168h0m0s over all attempts passed before an outcome came true
	// instance flat: the instance has ended
}

// A long copy is alive as long as it says so, and the next attempt goes on where it was.
func ExampleHeartbeat() {
	copying := durable.NewActivity[int, string]("Copy", durable.HeartbeatTimeout(time.Minute), durable.Retry{Attempts: 2})
	backup := durable.NewOrchestration[durable.None, string]("Backup")

	show(backup,
		copying.Bind(func(ctx context.Context, pages int) (string, error) {
			from, _ := durable.LastHeartbeat[int](ctx)
			for page := from; page < pages; page++ {
				if err := durable.Heartbeat(ctx, page); err != nil {
					return "", err // canceled: return
				}
				if page == 7 && durable.Attempt(ctx) == 1 {
					return "", errors.New("the disk was pulled out")
				}
			}
			return fmt.Sprintf("attempt %d went on at page %d", durable.Attempt(ctx), from), nil
		}),
		backup.Bind(func(ctx durable.Context, _ durable.None) (string, error) { return copying.Call(ctx, 10) }))
	// Output: attempt 2 went on at page 7 <nil>
}

// The bank gets the same key with every attempt, and takes the money once.
func ExampleIdempotencyKey() {
	charge := durable.NewActivity[int, string]("Charge", durable.Retry{Attempts: 3, Initial: time.Second})
	pay := durable.NewOrchestration[durable.None, string]("Pay")

	taken := map[string]int{}
	show(pay,
		charge.Bind(func(ctx context.Context, amount int) (string, error) {
			taken[durable.IdempotencyKey(ctx)] = amount
			if durable.Attempt(ctx) < 3 {
				return "", errors.New("the line broke, after the bank had understood")
			}
			return fmt.Sprintf("%d payment, after %d attempts", len(taken), durable.Attempt(ctx)), nil
		}),
		pay.Bind(func(ctx durable.Context, _ durable.None) (string, error) { return charge.Call(ctx, 12) }))
	// Output: 1 payment, after 3 attempts <nil>
}

// Two numbers are drawn. A crash between them repeats neither: each is kept before the other one is drawn.
func ExampleStep_checkpoint() {
	draw := durable.NewOrchestration[durable.None, int]("Draw")

	drawn := 0
	show(draw, draw.Bind(func(ctx durable.Context, _ durable.None) (int, error) {
		sum := 0
		for _, name := range []string{"first", "second"} {
			n, err := durable.Step(ctx, name, func(context.Context) (int, error) { drawn++; return drawn, nil }, durable.Checkpoint)
			if err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	}))
	// Output: 3 <nil>
}

// A mail that must not go out twice: when nobody can know whether it did, the orchestration decides.
func ExampleActivityOption_atMostOnce() {
	send := durable.NewActivity[string, durable.None]("Send", durable.AtMostOnce)
	tell := durable.NewOrchestration[durable.None, string]("Tell")

	show(tell,
		send.Bind(func(_ context.Context, to string) (durable.None, error) {
			fmt.Println("to", to)
			return durable.None{}, nil
		}),
		tell.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			_, err := send.Call(ctx, "Ada")
			if errors.Is(err, durable.OutcomeUnknown) {
				return "ask Ada whether she has got it", nil // its worker was lost
			}
			return "told", err
		}))
	// Output:
	// to Ada
	// told <nil>
}

// A contract's options are its defaults: a call may have others.
func ExampleActivity_With() {
	knock := durable.NewActivity[string, string]("Knock")
	visit := durable.NewOrchestration[durable.None, string]("Visit")

	show(visit,
		knock.Bind(func(ctx context.Context, door string) (string, error) {
			if durable.Attempt(ctx) < 3 {
				return "", errors.New("nobody is in")
			}
			return fmt.Sprintf("%s opened at knock %d", door, durable.Attempt(ctx)), nil
		}),
		visit.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
			return knock.With(durable.Retry{Attempts: 3, Initial: time.Minute}).Call(ctx, "the blue door")
		}))
	// Output: the blue door opened at knock 3 <nil>
}
