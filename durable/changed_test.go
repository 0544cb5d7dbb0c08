package durable_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// deploy has the stage go on with another body.
func (s *stage) deploy(body func(durable.Context) (string, error)) {
	s.code = play.Bind(func(ctx durable.Context, _ string) (string, error) { return body(ctx) }).Run
}

// changing calls twice; where marked says so it asks before each of the calls on which side it is.
func changing(marked ...bool) func(durable.Context) (string, error) {
	return func(ctx durable.Context) (string, error) {
		var sides []string
		for i, asks := range marked {
			if asks {
				sides = append(sides, fmt.Sprint(durable.Changed(ctx, "it")))
			}
			if _, err := double.Call(ctx, i); err != nil {
				return "", err
			}
		}
		return strings.Join(sides, " "), nil
	}
}

func TestChangedIsMarkedWhereTheCodeComesToItFirst(t *testing.T) {
	t.Parallel()
	s, d := perform(t, changing(true, true))
	if got, want := asked(d), "ChangeMarked 0 it, TaskScheduled 0 Double"; got != want {
		t.Errorf("it asked for %s, want %s", got, want)
	}
	d = s.replayed(done("0", 0))
	if got, want := asked(d), "TaskScheduled 1 Double"; got != want {
		t.Errorf("it asked for %s, want %s", got, want)
	}
	returned(t, s.replayed(done("1", 0)), "true true")
}

func TestChangedIsFalseWhereTheHistoryHasPassed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code []bool
		want string
	}{
		"before the change":          {[]bool{false, true}, "true"},
		"behind it":                  {[]bool{true, false}, "false"},
		"and so at all other places": {[]bool{true, true}, "false false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := perform(t, changing(false, false))
			s.deploy(changing(c.code...))
			waits(t, s.replayed(done("0", 0)))
			returned(t, s.replayed(done("1", 0)), c.want)
		})
	}
}

func TestAMarkThatNobodyAsksForDoesNoHarm(t *testing.T) {
	t.Parallel()
	s, _ := perform(t, changing(true, false))
	s.deploy(changing(false, false))
	waits(t, s.replayed(done("0", 0)))
	returned(t, s.replayed(done("1", 0)), "")
}

// A worker was lost after a piece of a turn, and another build goes on with the turn.
func TestChangedInATurnThatIsUnfinished(t *testing.T) {
	t.Parallel()
	body := func(marked int) func(durable.Context) (string, error) {
		return func(ctx durable.Context) (string, error) {
			var calls []*durable.Future[int]
			side := "none"
			for i := range 3 {
				if i == marked {
					side = fmt.Sprint(durable.Changed(ctx, "it"))
				}
				calls = append(calls, double.Start(ctx, i))
			}
			_, err := durable.All(ctx, calls...)
			return side, err
		}
	}
	for name, c := range map[string]struct {
		marked int
		want   string
	}{
		"which has passed it":     {1, "false"},
		"which has not passed it": {2, "true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, d := perform(t, body(-1))
			s.past = []*history.Segment{{Time: s.now, More: true, Events: d.Commands[:3]}} // the start, and two of the calls
			s.deploy(body(c.marked))
			waits(t, s.replayed())
			returned(t, s.replayed(done("0", 0), done("1", 0), done("2", 0)), c.want)
		})
	}
}

// A step's outcome is all that the history has of it.
func TestChangedBetweenStepsOfAnUnfinishedTurn(t *testing.T) {
	t.Parallel()
	body := func(marked int) func(durable.Context) (string, error) {
		return func(ctx durable.Context) (string, error) {
			side := "none"
			for i := range 2 {
				if i == marked {
					side = fmt.Sprint(durable.Changed(ctx, "it"))
				}
				if _, err := durable.Step(ctx, "s", func(context.Context) (int, error) { return i, nil }); err != nil {
					return "", err
				}
			}
			_, err := double.Call(ctx, 1)
			return side, err
		}
	}
	for marked, want := range []string{"false", "true"} {
		s, d := perform(t, body(-1))
		s.past = []*history.Segment{{Time: s.now, More: true, Events: d.Commands[:2]}} // the start, and the first step
		s.deploy(body(marked))
		waits(t, s.replayed())
		returned(t, s.replayed(done("2", 0)), want)
	}
}

func TestMarksComeFirst(t *testing.T) {
	t.Parallel()
	_, d := perform(t, func(ctx durable.Context) (string, error) {
		child := durable.Go(ctx, func(ctx durable.Context) (int, error) { return double.Call(ctx, 1) })
		durable.Changed(ctx, "b")
		durable.Changed(ctx, "a")
		_, err := child.Await()
		return "", err
	})
	if got, want := asked(d), "ChangeMarked 1 b, ChangeMarked 1 a, TaskScheduled 0.0 Double"; got != want {
		t.Errorf("it asked for %s, want %s", got, want)
	}
}

func TestChangedWithoutANameSuspends(t *testing.T) {
	t.Parallel()
	_, d := perform(t, func(ctx durable.Context) (string, error) { durable.Changed(ctx, ""); return "", nil })
	if d.Err == nil || !strings.Contains(d.Err.Error(), "the change has no name") {
		t.Errorf("got %+v", d)
	}
}

func TestCurrentVersion(t *testing.T) {
	t.Parallel()
	plain, third := durable.NewOrchestration[int, int]("O"), durable.NewOrchestration[int, int]("O", durable.CurrentVersion(3))
	body := func(durable.Context, int) (int, error) { return 0, nil }
	for name, c := range map[string]struct {
		of              durable.Orchestration[int, int]
		current, binds  uint32
		handlersCurrent uint32
	}{
		"without":          {plain, 0, 0, 0},
		"with":             {third, 3, 0, 3},
		"of a version":     {third.Version(2), 2, 2, 3},
		"of the first one": {third.Version(0), 0, 0, 3},
	} {
		if h := c.of.Bind(body); c.of.CurrentVersion() != c.current || h.Version != c.binds || h.Current != c.handlersCurrent {
			t.Errorf("%s: new instances are of version %d, it binds %d, and the handler's current one is %d; want %+v", name, c.of.CurrentVersion(), h.Version, h.Current, c)
		}
	}
}

func TestASubOrchestrationIsOfTheCurrentVersion(t *testing.T) {
	t.Parallel()
	third := durable.NewOrchestration[int, int]("Third", durable.CurrentVersion(3))
	_, d := perform(t, func(ctx durable.Context) (string, error) {
		third.Start(ctx, 1)
		third.Start(ctx, 1, durable.Version(1))
		_, err := third.Version(0).Call(ctx, 1)
		return "", err
	})
	var got []uint32
	for _, e := range d.Commands {
		if e.Kind == history.SubOrchestrationCreated {
			got = append(got, e.Version)
		}
	}
	if want := []uint32{3, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("it started versions %v, want %v", got, want)
	}
}
