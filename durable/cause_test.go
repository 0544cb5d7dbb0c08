package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/google/go-cmp/cmp"
)

// What an activity of a grandchild failed of can be found, whole, by each orchestration on the way, and by who waits for the first.
func TestCausesCrossSubOrchestrations(t *testing.T) {
	t.Parallel()
	const declined, closed = durable.ErrorKind("Declined"), durable.ErrorKind("Closed")
	pay := durable.NewActivity[string, durable.None]("Pay", durable.Retry{Attempts: 2})
	levels := []durable.Orchestration[string, durable.None]{
		durable.NewOrchestration[string, durable.None]("Bottom"), durable.NewOrchestration[string, durable.None]("Middle"), durable.NewOrchestration[string, durable.None]("Top"),
	}
	look := func(t *testing.T, where string, err error, instances ...string) {
		t.Helper()
		var paid *durable.ActivityError
		if !errors.As(err, &paid) || paid.Activity != "Pay" || paid.Attempt != 2 || paid.Kind != declined || paid.Message != "the bank said: Declined" || paid.Properties["code"] != "51" {
			t.Errorf("%s finds the activity's error %+v in %v", where, paid, err)
		}
		if !errors.Is(err, declined) || where != "Bottom" && !errors.Is(err, closed) || errors.Is(err, durable.InstanceGone) {
			t.Errorf("%s finds other kinds in %v", where, err)
		}
		var got []string
		for e := err; ; {
			var child *durable.OrchestrationError
			if !errors.As(e, &child) {
				break
			}
			got = append(got, child.Instance)
			e = errors.Join(child.Unwrap()...)
		}
		if diff := cmp.Diff(instances, got); diff != "" {
			t.Errorf("%s finds other instances (-want +got):\n%s", where, diff)
		}
	}
	sys := durabletest.New(t,
		pay.Bind(func(context.Context, string) (durable.None, error) {
			return durable.None{}, durable.WithProperties(fmt.Errorf("the bank said: %w", declined), map[string]string{"code": "51"})
		}),
		levels[0].Bind(func(ctx durable.Context, in string) (durable.None, error) {
			_, err := pay.Call(ctx, in)
			look(t, "Bottom", err)
			return durable.None{}, errors.Join(fmt.Errorf("the shop is %w", closed), err)
		}),
		levels[1].Bind(func(ctx durable.Context, in string) (durable.None, error) {
			_, err := levels[0].Call(ctx, in, durable.ID("bottom"))
			look(t, "Middle", err, "bottom")
			return durable.None{}, fmt.Errorf("sold nothing: %w", err)
		}),
		levels[2].Bind(func(ctx durable.Context, in string) (durable.None, error) {
			_, err := levels[1].Call(ctx, in, durable.ID("middle"))
			look(t, "Top", err, "middle", "bottom")
			return durable.None{}, err
		}))
	run, err := levels[2].Submit(t.Context(), sys.Client, "x", durable.ID("top"))
	if err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	_, err = run.Wait(t.Context())
	look(t, "the starter", err, "top", "middle", "bottom")
	want := "instance top is Failed: instance middle is Failed: sold nothing: instance bottom is Failed: the shop is Closed\nPay failed after 2 attempts: the bank said: Declined"
	if err.Error() != want {
		t.Errorf("it reads\n%v\nwant\n%s", err, want)
	}
	in, err := run.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := in.Failure // middle ← bottom ← Pay, each with what it said, and no kind told twice
	for _, want := range []history.Failure{
		{Instance: "middle", Kind: "Closed"}, {Instance: "bottom", Kind: "Closed"}, {Activity: "Pay", Attempt: 2, Kind: "Declined"}} {
		if len(f.Causes) != 1 {
			t.Fatalf("%+v has %d causes, want one", f, len(f.Causes))
		}
		f = &f.Causes[0]
		if f.Instance != want.Instance || f.Activity != want.Activity || f.Attempt != want.Attempt || f.Kind != want.Kind {
			t.Errorf("got %+v, want %+v", f, want)
		}
	}
}

// Deep and large chains keep what fits, and all their kinds.
func TestLongChainsKeepTheirKinds(t *testing.T) {
	t.Parallel()
	const deepest = durable.ErrorKind("Deepest")
	pay := durable.NewActivity[int, durable.None]("Pay")
	dig := durable.NewOrchestration[int, durable.None]("Dig")
	for name, size := range map[string]int{"deep": 1, "large": 3000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sys := durabletest.New(t,
				pay.Bind(func(context.Context, int) (durable.None, error) {
					return durable.None{}, fmt.Errorf("%s: %w", strings.Repeat("x", size), deepest)
				}),
				dig.Bind(func(ctx durable.Context, n int) (durable.None, error) {
					if n == 0 {
						return pay.Call(ctx, n)
					}
					_, err := dig.Call(ctx, n-1)
					return durable.None{}, fmt.Errorf("%s: %w", strings.Repeat("y", size), err)
				}))
			run, err := dig.Submit(t.Context(), sys.Client, 20, durable.ID("top"))
			if err != nil {
				t.Fatal(err)
			}
			sys.Settle()
			_, err = run.Wait(t.Context())
			if !errors.Is(err, deepest) {
				t.Errorf("the kind is lost in %v", err)
			}
			in, err := run.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			levels := 0
			for f := in.Failure; len(f.Causes) > 0; f = &f.Causes[0] {
				levels++
			}
			if n := in.Failure.Size(); n > history.MaxFailure || levels < 2 || levels > 13 {
				t.Errorf("the failure has %d bytes on %d levels, want at most %d on 2 to 13", n, levels, history.MaxFailure)
			}
		})
	}
}

func TestManyKindsWithMuchBesideThemFit(t *testing.T) {
	t.Parallel()
	errs := []error{durable.ErrorKind("")}
	for i := range 60 {
		errs = append(errs, durable.ErrorKind(fmt.Sprintf("%02d%s", i, strings.Repeat("k", history.MaxName-2))))
	}
	err := durable.WithProperties(errors.Join(errs...), map[string]string{"a": strings.Repeat("v", history.MaxProperties-1)})
	_, f := double.Bind(func(context.Context, int) (int, error) { return 0, err }).Do(t.Context(), []byte("1"))
	if n := f.Size(); n > history.MaxFailure || len(f.Causes) < 20 || f.Causes[0].Kind == "" {
		t.Errorf("a failure with %d causes, of which the first is %q, has %d bytes, want at most %d", len(f.Causes), f.Causes[0].Kind, n, history.MaxFailure)
	}
}

func TestATerminatedInstanceSaysWhyWithoutQuotes(t *testing.T) {
	t.Parallel()
	sys := durabletest.New(t, play.Bind(func(ctx durable.Context, _ string) (string, error) { return answer.Next(ctx).Await() }))
	run, err := play.Submit(t.Context(), sys.Client, "", durable.ID("one"))
	if err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	if err := sys.Client.Manage(t.Context(), durable.ManageRequest{Instance: "one", Command: durable.Terminate, Reason: "it is enough"}); err != nil {
		t.Fatal(err)
	}
	sys.Settle()
	_, err = run.Wait(t.Context())
	if want := "instance one is Terminated: it is enough"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
