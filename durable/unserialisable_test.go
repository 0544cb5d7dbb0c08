package durable_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// What has no JSON fails where it is handed over, once and for good, with a sentence that names the place and the type; what the
// engine cannot refuse so suspends the instance. Nothing is stuck.
func TestWhatHasNoJSON(t *testing.T) {
	t.Parallel()
	odd := durable.NewActivity[any, any]("Odd", durable.Retry{Attempts: 5})
	child := durable.NewOrchestration[any, any]("Child")
	event := durable.NewEvent[any]("Event")
	main := durable.NewOrchestration[string, any]("Main")
	type ring struct{ Next *ring }
	circle := new(ring)
	circle.Next = circle
	channel := make(chan int)
	for name, c := range map[string]struct {
		body    func(ctx durable.Context) (any, error)
		says    []string
		suspend bool
		kind    durable.ErrorKind
	}{
		"an activity's input": {body: func(ctx durable.Context) (any, error) { return odd.Call(ctx, channel) },
			says: []string{"Odd failed: its input cannot be sent", "chan int"}},
		"an activity's result": {body: func(ctx durable.Context) (any, error) { return odd.Call(ctx, "chan") },
			says: []string{"Odd failed: the result cannot be kept", "chan int"}},
		"a result that is no number": {body: func(ctx durable.Context) (any, error) { return odd.Call(ctx, "nan") },
			says: []string{"Odd failed: the result cannot be kept", "NaN"}},
		"a result that refers to itself": {body: func(ctx durable.Context) (any, error) { return odd.Call(ctx, "ring") },
			says: []string{"Odd failed: the result cannot be kept", "ring"}},
		"a result that is too large": {body: func(ctx durable.Context) (any, error) { return odd.Call(ctx, "large") },
			says: []string{"Odd failed: the result cannot be kept", "at most 10485760 are allowed: keep it elsewhere"}, kind: durable.ErrTooLarge},
		"a result whose MarshalJSON panics": {body: func(ctx durable.Context) (any, error) { return odd.Call(ctx, "panics") },
			says: []string{"Odd failed after 5 attempts: panic: not today"}, kind: durable.ActivityPanicked},
		"a step's result": {body: func(ctx durable.Context) (any, error) {
			return durable.Step(ctx, "step", func(context.Context) (any, error) { return channel, nil })
		}, says: []string{"step failed: the result cannot be kept", "chan int"}},
		"a child's input": {body: func(ctx durable.Context) (any, error) { return child.Call(ctx, channel, durable.ID("child")) },
			says: []string{"its input cannot be sent", "chan int"}},
		"a child's output": {body: func(ctx durable.Context) (any, error) { return child.Call(ctx, "chan", durable.ID("child")) },
			says: []string{"instance child is Failed: the output cannot be kept", "chan int"}},
		"an event that is sent": {body: func(ctx durable.Context) (any, error) { return nil, event.Send(ctx, "other", channel) },
			says: []string{"event Event cannot be sent", "chan int"}},
		"the output": {body: func(durable.Context) (any, error) { return math.Inf(1), nil },
			says: []string{"the output cannot be kept", "+Inf"}},
		"the input of the next generation": {body: func(ctx durable.Context) (any, error) { return nil, child.ContinueAsNew(ctx, channel) },
			says: []string{"chan int"}},
		"the custom status": {body: func(ctx durable.Context) (any, error) { ctx.SetStatus(channel); return nil, nil },
			says: []string{"the custom status cannot be set", "chan int"}, suspend: true},
		"a custom status that is too large": {body: func(ctx durable.Context) (any, error) { ctx.SetStatus(strings.Repeat("x", 16<<10)); return nil, nil },
			says: []string{"the custom status cannot be set: it has 16386 bytes of JSON, at most 16384 are allowed"}, suspend: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runs := 0
			sys := durabletest.New(t,
				odd.Bind(func(_ context.Context, in any) (any, error) {
					runs++
					return map[any]any{"chan": channel, "nan": math.NaN(), "ring": circle, "large": strings.Repeat("x", 10<<20), "panics": panics{}}[in], nil
				}),
				child.Bind(func(durable.Context, any) (any, error) { return channel, nil }),
				main.Bind(func(ctx durable.Context, _ string) (any, error) { return c.body(ctx) }))
			run, err := main.Submit(t.Context(), sys.Client, "", durable.ID("one"))
			if err != nil {
				t.Fatal(err)
			}
			sys.Settle()
			in, err := run.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			text := in.SuspendReason
			if want := map[bool]durable.Status{true: durable.Suspended, false: durable.Failed}[c.suspend]; in.Status != want {
				t.Fatalf("it is %s (%s%s), want %s", in.Status, in.Output, text, want)
			}
			if in.Status == durable.Failed {
				_, err := run.Wait(t.Context())
				if text = err.Error(); c.kind != "" && !errors.Is(err, c.kind) {
					t.Errorf("%v is not of kind %s", err, c.kind)
				}
			}
			for _, s := range c.says {
				if !strings.Contains(text, s) {
					t.Errorf("it says %q, want %q in it", text, s)
				}
			}
			if runs > 1 && c.kind != durable.ActivityPanicked {
				t.Errorf("the body ran %d times: no attempt can help", runs)
			}
		})
	}
	t.Run("what clients hand over", func(t *testing.T) {
		t.Parallel()
		sys := durabletest.New(t, child.Bind(func(ctx durable.Context, _ any) (any, error) { return event.Next(ctx).Await() }))
		if _, err := child.Submit(t.Context(), sys.Client, channel); err == nil || !strings.Contains(err.Error(), "chan int") {
			t.Errorf("a start: %v", err)
		}
		if _, err := child.Submit(t.Context(), sys.Client, nil, durable.ID("one")); err != nil {
			t.Fatal(err)
		}
		sys.Settle()
		if err := event.Raise(t.Context(), sys.Client, "one", channel); err == nil || !strings.Contains(err.Error(), "chan int") {
			t.Errorf("an event: %v", err)
		}
	})
}

// What is no value of the type that is asked for says whose it is, as an error of the kind that is promised there.
func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	number := durable.NewOrchestration[string, int]("Number")
	twice := durable.NewEvent[int]("Twice")
	text := history.Payload{Bytes: []byte(`"text"`)}
	for name, c := range map[string]struct {
		body  func(ctx durable.Context) error
		comes history.Event
		as    any
		says  string
	}{
		"an activity's result": {func(ctx durable.Context) error { _, err := double.Call(ctx, 1); return err },
			history.Event{Kind: history.TaskCompleted, Op: "0", Data: text}, new(*durable.ActivityError), "Double failed: the result is no int: "},
		"a child's output": {func(ctx durable.Context) error { _, err := number.Call(ctx, "", durable.ID("kid")); return err },
			history.Event{Kind: history.SubOrchestrationCompleted, Op: "0", Data: text}, new(*durable.OrchestrationError), "instance kid is Completed: the result is no int: "},
		"an event": {func(ctx durable.Context) error { _, err := twice.Next(ctx).Await(); return err },
			raised("Twice", "text"), new(*json.UnmarshalTypeError), "what event Twice brought is no int: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := perform(t, func(ctx durable.Context) (string, error) {
				err, reason := c.body(ctx), new(*json.UnmarshalTypeError)
				return fmt.Sprint(errors.As(err, c.as) && errors.As(err, reason), " ", strings.HasPrefix(fmt.Sprint(err), c.says), " ", err), nil
			})
			d := s.replayed(c.comes)
			if got := string(d.Commands[len(d.Commands)-1].Data.Bytes); !strings.HasPrefix(got, `"true true `) {
				t.Errorf("it came to %s, want %s", got, c.says)
			}
		})
	}
}

func TestABodyThatIsMissingIsNoticedWhenItIsBound(t *testing.T) {
	t.Parallel()
	for name, bind := range map[string]func(){
		"an orchestration's": func() { play.Bind(nil) },
		"an activity's":      func() { double.Bind(nil) },
		"an unnamed contract's": func() {
			durable.Orchestration[int, int]{}.Bind(func(durable.Context, int) (int, error) { return 0, nil })
		},
		"an activity of no name": func() { durable.Activity[int, int]{}.Bind(func(context.Context, int) (int, error) { return 0, nil }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, "bound to nil") && !strings.Contains(p, "name") {
					t.Errorf("it panicked with %s", p)
				}
			}()
			bind()
		})
	}
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("not today") }
