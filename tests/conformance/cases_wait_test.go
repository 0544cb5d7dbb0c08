package conformance

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

var timerCases = []sentence{
	{area: "timers", says: "a timer fires when it is due and not before", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { return "done", durable.Sleep(ctx, time.Hour) }))
		e.start("")
		e.advance(time.Hour - time.Millisecond)
		e.runs()
		e.advance(time.Millisecond)
		e.gives("done")
	}},
	{area: "timers", says: "a short timer fires", aws: true, script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { return "done", durable.Sleep(ctx, 2*time.Second) }))
		e.start("")
		e.runs()
		e.advance(4 * time.Second)
		e.gives("done")
	}},
	{area: "timers", says: "a timer of days fires when it is due and not before", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { return "done", durable.Sleep(ctx, 72*time.Hour) }))
		e.start("")
		e.advance(72*time.Hour - time.Second)
		e.runs()
		e.advance(time.Second)
		e.gives("done")
	}},
	{area: "timers", says: "timers one after another add up", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			begin := ctx.Now()
			err := errors.Join(durable.Sleep(ctx, 10*time.Second), durable.Sleep(ctx, 20*time.Minute), durable.Sleep(ctx, 30*time.Minute))
			return ctx.Now().Sub(begin).String(), err
		}))
		e.start("")
		e.advance(2 * time.Hour)
		e.gives("50m10s")
	}},
	{area: "timers", says: "a timer of no time or of less is due at once", aws: true, script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			return "done", errors.Join(durable.Sleep(ctx, 0), durable.Sleep(ctx, -time.Hour))
		}))
		e.start("")
		e.gives("done")
	}},
	{area: "timers", says: "timers that begin together fire in the order in which they are due", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			late, early := durable.After(ctx, 3*time.Minute), durable.After(ctx, 2*time.Minute)
			first := durable.First(ctx, late, early) == durable.Awaitable(early)
			_, err := late.Await()
			return first, err
		}))
		e.start("")
		e.advance(time.Hour)
		e.gives(true)
	}},
	{area: "timers", says: "of futures that are ready together First returns the first argument", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			a, b := durable.After(ctx, time.Minute), durable.After(ctx, time.Minute)
			if err := durable.Sleep(ctx, time.Hour); err != nil {
				return nil, err
			}
			return durable.First(ctx, b, a) == durable.Awaitable(b) && durable.First(ctx, a, b) == durable.Awaitable(a), nil
		}))
		e.start("")
		e.advance(2 * time.Hour)
		e.gives(true)
	}},
	{area: "timers", says: "a timer that nobody waits for does not keep the instance", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { durable.After(ctx, time.Hour); return "done", nil }))
		e.start("")
		e.gives("done")
	}},
	{area: "timers", says: "a timer that fires after the end does nothing", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { durable.After(ctx, time.Minute); return "done", nil }))
		e.start("")
		before := e.kinds("main")
		e.advance(time.Hour)
		e.equal("history", e.kinds("main"), before)
	}},
	{area: "timers", says: "the time is the same in every replay", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			begin := ctx.Now()
			if err := durable.Sleep(ctx, time.Hour); err != nil {
				return nil, err
			}
			_, err := double.Call(ctx, 1)
			return []string{begin.Format(time.TimeOnly), ctx.Now().Format(time.TimeOnly)}, err
		}))
		e.start("")
		e.advance(2 * time.Hour)
		e.gives([]string{"00:00:00", "01:00:00"})
	}},
	{area: "timers", says: "forty timers fire at their own times", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			begin, good := ctx.Now(), 0
			var all []*durable.Future[time.Time]
			for n := range 40 {
				all = append(all, durable.After(ctx, time.Duration(40-n)*time.Second))
			}
			for f := range durable.AsCompleted(ctx, all...) {
				good++
				if due, err := f.Await(); err != nil || !due.Equal(begin.Add(time.Duration(good)*time.Second)) {
					return nil, fmt.Errorf("timer %d was due at %v: %w", good, due, err)
				}
			}
			return good, nil
		}))
		e.start("")
		e.advance(3 * time.Minute)
		e.gives(40)
	}},
}

// hears waits for n events, one after another, and returns them.
func hears(ctx durable.Context, n int) (any, error) {
	var got []string
	for range n {
		v, err := answer.Next(ctx).Await()
		if err != nil {
			return nil, err
		}
		got = append(got, v)
	}
	return strings.Join(got, " "), nil
}

// hear is the orchestration that does so.
func hear(n int) durable.Handler {
	return body(func(ctx durable.Context, _ string) (any, error) { return hears(ctx, n) })
}

var eventCases = []sentence{
	{area: "events", says: "an event reaches the code that waits for it", aws: true, script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.runs()
		e.tell("yes")
		e.settle()
		e.gives("yes")
	}},
	{area: "events", says: "an event that comes before anybody waits for it is kept", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			if err := durable.Sleep(ctx, 2*time.Second); err != nil {
				return nil, err
			}
			return hears(ctx, 1)
		}))
		e.start("")
		e.tell("early")
		e.settle()
		e.runs()
		e.advance(4 * time.Second)
		e.gives("early")
	}},
	{area: "events", says: "an event that is raised before the instance has begun is kept", aws: true, script: func(e *env) {
		e.deploy(hear(1))
		e.begin("")
		e.tell("first")
		e.settle()
		e.gives("first")
	}},
	{area: "events", says: "events come in the order in which they were raised", script: func(e *env) {
		e.deploy(hear(6))
		e.start("")
		e.tell("1", "2", "3")
		e.settle()
		e.tell("4", "5", "6")
		e.settle()
		e.gives("1 2 3 4 5 6")
	}},
	{area: "events", says: "events that are raised while activities run are not dropped", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, _ string) (any, error) {
			for n := range 10 {
				if _, err := double.Call(ctx, n); err != nil {
					return nil, err
				}
			}
			return hears(ctx, 30)
		}))
		e.begin("")
		var want []string
		for n := range 30 {
			e.host.step()
			e.tell(fmt.Sprint(n))
			want = append(want, fmt.Sprint(n))
		}
		e.settle()
		e.gives(strings.Join(want, " "))
	}},
	{area: "events", says: "names of events do not depend on the case", aws: true, script: func(e *env) {
		e.deploy(hear(2))
		e.start("")
		e.must(durable.NewEvent[string]("ANSWER").Raise(e.ctx, e.client, "main", "loud"))
		e.must(durable.NewEvent[string]("answer").Raise(e.ctx, e.client, "main", "low"))
		e.settle()
		e.gives("loud low")
	}},
	{area: "events", says: "an event of another name does not wake who waits for this one", script: func(e *env) {
		e.deploy(hear(1))
		e.start("")
		e.must(durable.NewEvent[string]("Question").Raise(e.ctx, e.client, "main", "what?"))
		e.settle()
		e.runs()
		e.tell("42")
		e.settle()
		e.gives("42")
	}},
	{area: "events", says: "of several that wait the newest gets the event", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			old, newest := answer.Next(ctx), answer.Next(ctx)
			v, err := durable.All(ctx, old, newest)
			return strings.Join(v, " "), err
		}))
		e.start("")
		e.tell("one")
		e.settle()
		e.tell("two")
		e.settle()
		e.gives("two one")
	}},
	{area: "events", says: "the same event raised twice under one id is one event", aws: true, script: func(e *env) {
		e.deploy(hear(2))
		e.start("")
		for range 3 {
			e.must(e.client.Raise(e.ctx, durable.EventRequest{Instance: "main", Name: "Answer", Data: []byte(`"once"`), ID: "the-id"}))
			e.settle()
		}
		e.runs()
		e.tell("then")
		e.settle()
		e.gives("once then")
	}},
	{area: "events", says: "a wait with a time limit ends as ErrTimeout when it is over", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			_, err := answer.Within(ctx, 2*time.Second)
			return errors.Is(err, durable.ErrTimeout), nil
		}))
		e.start("")
		e.advance(4 * time.Second)
		e.gives(true)
	}},
	{area: "events", says: "a wait with a time limit gets an event that comes in time", aws: true, script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { return answer.Within(ctx, time.Hour) }))
		e.start("")
		e.tell("in time")
		e.settle()
		e.gives("in time")
	}},
	{area: "events", says: "a wait that is over does not take a later event", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			_, late := answer.Within(ctx, time.Minute)
			v, err := answer.Next(ctx).Await()
			return fmt.Sprint(errors.Is(late, durable.ErrTimeout), " ", v), err
		}))
		e.start("")
		e.advance(2 * time.Minute)
		e.tell("kept")
		e.settle()
		e.gives("true kept")
	}},
	{area: "events", says: "an event that races a timer at the same instant is taken once or kept", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			v, err := answer.Within(ctx, time.Minute)
			if errors.Is(err, durable.ErrTimeout) {
				v, err = answer.Within(ctx, time.Minute)
			}
			_, none := answer.Within(ctx, time.Minute)
			return fmt.Sprint(v, " ", errors.Is(none, durable.ErrTimeout)), err
		}))
		e.start("")
		e.skip(time.Minute)
		e.tell("tie")
		e.settle()
		e.advance(time.Hour)
		e.gives("tie true")
	}},
	{area: "events", says: "First tells an event from a timer", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, in string) (any, error) {
			heard, deadline := answer.Next(ctx), durable.After(ctx, time.Hour)
			return durable.First(ctx, heard, deadline) == durable.Awaitable(heard), nil
		}))
		e.start("")
		e.tell("yes")
		e.settle()
		e.gives(true)
	}},
	{area: "events", says: "a loop over all events sees each once", script: func(e *env) {
		e.deploy(doubles(), body(func(ctx durable.Context, in string) (any, error) {
			var got []string
			for v, err := range answer.All(ctx) {
				if err != nil {
					return nil, err
				}
				if v == "stop" {
					break
				}
				got = append(got, v)
				if _, err := double.Call(ctx, len(got)); err != nil {
					return nil, err
				}
			}
			return strings.Join(got, " "), nil
		}))
		e.start("")
		e.tell("a", "b")
		e.settle()
		e.tell("c", "d", "stop")
		e.settle()
		e.gives("a b c d")
	}},
	{area: "events", says: "a hundred events at once all come, in their order", script: func(e *env) {
		e.deploy(hear(100))
		e.start("")
		var want []string
		for n := range 100 {
			want = append(want, fmt.Sprint(n))
		}
		e.tell(want...)
		e.settle()
		e.gives(strings.Join(want, " "))
	}},
	{area: "events", says: "an event whose data is of another type is an error of its wait", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) {
			_, err := answer.Next(ctx).Await()
			return err != nil, nil
		}))
		e.start("")
		e.must(e.client.Raise(e.ctx, durable.EventRequest{Instance: "main", Name: "Answer", Data: []byte(`{"n":1}`)}))
		e.settle()
		e.gives(true)
	}},
	{area: "events", says: "an event for an instance that does not exist is refused as ErrNotFound", aws: true, script: func(e *env) {
		e.refuses(answer.Raise(e.ctx, e.client, "nobody", "hello"), durable.ErrNotFound)
	}},
	{area: "events", says: "an event for an instance that has ended is refused as ErrEnded", script: func(e *env) {
		e.deploy(hear(0))
		e.start("")
		e.refuses(answer.Raise(e.ctx, e.client, "main", "late"), durable.ErrEnded)
	}},
	{area: "events", says: "an orchestration sends an event to another", aws: true, script: func(e *env) {
		e.deploy(hear(1), child.Bind(func(ctx durable.Context, to string) (string, error) { return "sent", answer.Send(ctx, to, "from afar") }))
		e.start("")
		_, err := child.Submit(e.ctx, e.client, "main", durable.ID("sender"))
		e.must(err)
		e.settle()
		e.completes("sender", "sent")
		e.gives("from afar")
	}},
	{area: "events", says: "events from one orchestration to another come once and in order", script: func(e *env) {
		e.deploy(hear(20), child.Bind(func(ctx durable.Context, to string) (string, error) {
			for n := range 20 {
				if err := answer.Send(ctx, to, fmt.Sprint(n)); err != nil {
					return "", err
				}
			}
			return "sent", nil
		}))
		e.start("")
		_, err := child.Submit(e.ctx, e.client, "main", durable.ID("sender"))
		e.must(err)
		e.settle()
		e.gives("0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19")
	}},
	{area: "events", says: "an event to an orchestration that does not exist does the sender no harm", script: func(e *env) {
		e.deploy(body(func(ctx durable.Context, _ string) (any, error) { return "sent", answer.Send(ctx, "nobody", "hello") }))
		e.start("")
		e.gives("sent")
	}},
}
