package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/google/go-cmp/cmp"
)

var (
	work = durable.NewActivity[int, int]("Work")
	odd  = durable.ErrorKind("Odd")
)

// mapped runs Map over n items, of which item i takes i seconds and fails when fails says so, and returns what came of it, how many
// ran at most at a time, and how many ran in all.
func mapped(t *testing.T, n int, fails func(int) bool, opts ...durable.MapOption) (out string, most, ran int) {
	t.Helper()
	running := 0
	sys := durabletest.New(t,
		work.Bind(func(_ context.Context, i int) (int, error) {
			ran++
			if fails(i) {
				return 0, fmt.Errorf("%d: %w", i, odd)
			}
			return i * i, nil
		}),
		play.Bind(func(ctx durable.Context, _ string) (string, error) {
			var items []int
			for i := range n {
				items = append(items, i)
			}
			results, err := durable.Map(ctx, items, func(ctx durable.Context, i int) (int, error) {
				running++
				most = max(most, running)
				defer func() { running-- }()
				if err := durable.Sleep(ctx, time.Duration(i)*time.Second); err != nil {
					return 0, err
				}
				return work.Call(ctx, i)
			}, opts...)
			var b strings.Builder
			for i, r := range results {
				switch {
				case !r.Done:
					b.WriteString(" -")
				case errors.Is(r.Err, odd):
					b.WriteString(" odd")
				default:
					fmt.Fprint(&b, " ", results[i].Value)
				}
			}
			if sum := durable.Values(results); len(sum) != strings.Count(b.String(), " ")-strings.Count(b.String(), "odd")-strings.Count(b.String(), "-") {
				t.Errorf("the values are %v", sum)
			}
			switch {
			case errors.Is(err, durable.ErrTooManyFailures):
				b.WriteString(" too many")
			case errors.Is(err, odd):
				b.WriteString(" failed")
			}
			return b.String(), nil
		}))
	run, err := play.Submit(t.Context(), sys.Client, "")
	if err != nil {
		t.Fatal(err)
	}
	sys.Advance(time.Minute)
	out, err = run.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out, most, ran
}

func squares(from, to int) (s string) {
	for i := from; i < to; i++ {
		s += fmt.Sprint(" ", i*i)
	}
	return s
}

func TestMap(t *testing.T) {
	t.Parallel()
	none := func(int) bool { return false }
	some := func(i int) bool { return i%2 == 1 }
	first := func(i int) bool { return i < 29 }
	for name, c := range map[string]struct {
		n         int
		fails     func(int) bool
		opts      []durable.MapOption
		out       string
		most, ran int
	}{
		"of nothing":                {0, none, nil, "", 0, 0},
		"waits for all":             {4, none, nil, " 0 1 4 9", 4, 4},
		"waits for all that fail":   {4, some, nil, " 0 odd 4 odd failed", 4, 4},
		"with little concurrency":   {6, none, []durable.MapOption{durable.Concurrency(2)}, " 0 1 4 9 16 25", 2, 6},
		"with more than there are":  {2, none, []durable.MapOption{durable.Concurrency(9)}, " 0 1", 2, 2},
		"tolerates as many as fail": {4, some, []durable.MapOption{durable.Tolerate(2)}, " 0 odd 4 odd", 4, 4},
		"tolerates fewer than fail": {6, some, []durable.MapOption{durable.Tolerate(1)}, " 0 odd 4 odd - - too many", 6, 4},
		"begins no more":            {6, some, []durable.MapOption{durable.Tolerate(0), durable.Concurrency(1)}, " 0 odd - - - - too many", 1, 2},
		"tolerates a share":         {4, some, []durable.MapOption{durable.TolerateShare(0.5)}, " 0 odd 4 odd", 4, 4},
		"tolerates a smaller share": {4, some, []durable.MapOption{durable.TolerateShare(0.49)}, " 0 odd 4 odd too many", 4, 4},
		"tolerates an exact share":  {50, first, []durable.MapOption{durable.TolerateShare(0.58)}, strings.Repeat(" odd", 29) + squares(29, 50), 50, 50},
		"has enough":                {5, some, []durable.MapOption{durable.AtLeast(2)}, " 0 odd 4 - -", 5, 3},
		"cannot have enough":        {5, some, []durable.MapOption{durable.AtLeast(4), durable.Concurrency(1)}, " 0 odd 4 odd - too many", 1, 4},
		"needs all":                 {5, some, []durable.MapOption{durable.AtLeast(5)}, " 0 odd - - - too many", 5, 2},
		"needs more than it may":    {5, some, []durable.MapOption{durable.AtLeast(4), durable.Tolerate(2)}, " 0 odd 4 odd - too many", 5, 4},
		"could never have enough":   {2, none, []durable.MapOption{durable.AtLeast(3)}, " - - too many", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, most, ran := mapped(t, c.n, c.fails, c.opts...)
			if out != c.out || most != c.most || ran != c.ran {
				t.Errorf("it came to %q, with at most %d at a time and %d in all, want %q, %d and %d", out, most, ran, c.out, c.most, c.ran)
			}
		})
	}
}

func TestAsCompleted(t *testing.T) {
	t.Parallel()
	sys := durabletest.New(t, play.Bind(func(ctx durable.Context, _ string) (string, error) {
		var futures []*durable.Future[int]
		for _, n := range []int{3, 1, 2, 1, 9} {
			futures = append(futures, durable.Go(ctx, func(ctx durable.Context) (int, error) {
				return n, durable.Sleep(ctx, time.Duration(n)*time.Second)
			}))
		}
		begin := ctx.Now()
		var out []string
		for f := range durable.AsCompleted(ctx, futures...) {
			n, err := f.Await()
			if err != nil {
				return "", err
			}
			out = append(out, fmt.Sprint(n, "@", ctx.Now().Sub(begin)))
			if len(out) == 4 {
				break
			}
		}
		return strings.Join(out, " "), nil
	}))
	run, err := play.Submit(t.Context(), sys.Client, "")
	if err != nil {
		t.Fatal(err)
	}
	sys.Advance(5 * time.Second)
	out, err := run.Wait(t.Context())
	if want := "1@1s 1@1s 2@2s 3@3s"; err != nil || out != want {
		t.Errorf("got %q (%v), want %q", out, err, want)
	}
}

func TestAllEvents(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		var out []string
		for v, err := range answer.All(ctx) {
			if err != nil {
				return "", err
			}
			if out = append(out, v); v == "3" {
				break
			}
		}
		last, err := answer.Next(ctx).Await() // the loop has taken no more than it gave
		return strings.Join(append(out, last), ""), err
	})
	waits(t, s.deliver(numbered("Answer", 1)))
	returned(t, s.deliver(numbered("Answer", 2), numbered("Answer", 3), numbered("Answer", 4)), "1234")
}

func TestAllEventsEndWithWhyTheirScopeDid(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		inner, _ := durable.WithTimeout(ctx, time.Minute)
		for _, err := range answer.All(inner) {
			if err != nil {
				return why(err), nil
			}
			if err := durable.Sleep(ctx, time.Hour); err != nil { // the scope is over when the loop comes round
				return "", err
			}
		}
		return "ended without a word", nil
	})
	waits(t, s.deliver(raised("answer", "x")))
	waits(t, s.deliver(fired("0.0")))
	returned(t, s.deliver(fired("1")), "timed out")
}

func TestWhatOrchestrationsMakeUpIsTheSameInEveryReplay(t *testing.T) {
	t.Parallel()
	var runs [][]string
	make := func(ctx durable.Context) []string {
		r := ctx.Rand()
		return []string{ctx.NewID(), ctx.NewID(), fmt.Sprint(r.Uint64()), fmt.Sprint(ctx.Rand().Uint64())}
	}
	body := func(ctx durable.Context) (string, error) {
		all := make(ctx)
		side := durable.Go(ctx, func(ctx durable.Context) ([]string, error) { return make(ctx), nil })
		more, err := side.Await()
		all = append(append(all, more...), make(ctx)...)
		if _, waitErr := answer.Next(ctx).Await(); waitErr != nil {
			return "", waitErr
		}
		runs = append(runs, append(all, make(ctx)...))
		return "", err
	}
	s, _ := perform(t, body)
	s.deliver(numbered("Answer", 1))
	s.open()
	s.turn.Deliver(nil, s.now)
	if len(runs) != 2 {
		t.Fatalf("it ran %d times", len(runs))
	}
	if diff := cmp.Diff(runs[0], runs[1]); diff != "" {
		t.Errorf("a replay makes up something else (-first +second):\n%s", diff)
	}
	seen := map[string]bool{}
	for _, s := range runs[0] {
		if seen[s] {
			t.Errorf("%s is made up twice", s)
		}
		seen[s] = true
	}
	if id := runs[0][0]; len(id) != 36 || id[14] != '5' {
		t.Errorf("%s is no UUID of version 5", id)
	}
}
