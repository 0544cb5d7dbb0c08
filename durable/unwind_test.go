package durable_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

func TestUnwindingRunsDefersAndCannotBeSwallowed(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	s, d := perform(t, func(ctx durable.Context) (_ string, err error) {
		defer func() {
			seen = append(seen, fmt.Sprint("outer: unwinding ", ctx.Unwinding(), ", recovered ", recover(), ", error ", err))
		}()
		mu.Lock()
		defer mu.Unlock()
		defer func() {
			ctx.SetStatus("not me")
			ctx.Log().Info("not me")
			if ctx.Now().IsZero() || ctx.InstanceID() != "one" {
				seen = append(seen, "no time")
			}
			_, err = double.Call(ctx, 2) // ends here when unwinding
			seen = append(seen, "called")
		}()
		func() {
			defer func() {
				if p := recover(); p != nil {
					seen = append(seen, "recovered")
				}
			}()
			_, err = double.Call(ctx, 1)
		}()
		seen = append(seen, "came back")
		return "", err
	})
	waits(t, d)
	s.turn.Close()
	if got, want := strings.Join(seen, "; "), "outer: unwinding true, recovered <nil>, error <nil>"; got != want {
		t.Errorf("seen: %s, want %s", got, want)
	}
	if !mu.TryLock() {
		t.Fatal("the deferred unlock did not run")
	}
	mu.Unlock()
	seen = nil
	waits(t, s.replayed(done("0", 1)))
	returned(t, s.replayed(done("1", 1)), "")
	want := "came back; outer: unwinding true, recovered <nil>, error <nil>; came back; called; outer: unwinding false, recovered <nil>, error <nil>"
	if got := strings.Join(seen, "; "); got != want {
		t.Errorf("seen: %s, want %s", got, want)
	}
}

func TestSagaUndoesOnARealFailureOnly(t *testing.T) {
	t.Parallel()
	body := func(ctx durable.Context) (_ string, err error) {
		saga := durable.NewSaga(ctx)
		defer saga.End(&err)
		for i := range 2 {
			undo.Compensate(saga, fmt.Sprint(i))
			if _, err := double.Call(ctx, i); err != nil {
				return "", err
			}
		}
		defer saga.End(&err)
		return "fine", nil
	}
	s, _ := perform(t, body)
	waits(t, s.deliver(done("0", 1)))
	s.turn.Close()
	d := s.replayed(failed("1", "no"))
	undone := func(d replay.Decision) string { return asked(d) + string(d.Commands[len(d.Commands)-1].Data.Bytes) }
	if got, want := undone(d), `TaskScheduled 2 Undo"1"`; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	d = s.replayed(failed("2", "cannot"))
	if got, want := undone(d), `TaskScheduled 3 Undo"0"`; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	returned(t, s.replayed(done("3", "{}")), "Double failed: no\nDouble failed: cannot")

	s, _ = perform(t, body)
	d = s.deliver(done("0", 1))
	waits(t, d)
	d = s.replayed(done("1", 1))
	if got := asked(d); got != "" {
		t.Errorf("a success is undone: %s", got)
	}
	returned(t, d, "fine")
}

func TestWaitingWhilePanickingIsRefused(t *testing.T) {
	t.Parallel()
	for name, deferred := range map[string]func(durable.Context, *durable.Future[int]){
		"asking":                func(ctx durable.Context, _ *durable.Future[int]) { double.Start(ctx, 2) },
		"waiting":               func(_ durable.Context, f *durable.Future[int]) { _, _ = f.Await() },
		"asking, recovered":     func(ctx durable.Context, _ *durable.Future[int]) { _ = recover(); double.Start(ctx, 2) },
		"waiting for an event":  func(ctx durable.Context, _ *durable.Future[int]) { _, _ = answer.Next(ctx).Await() },
		"asking a child for it": func(ctx durable.Context, _ *durable.Future[int]) { _, _ = durable.Go(ctx, ask).Await() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, d := perform(t, func(ctx durable.Context) (string, error) {
				f := double.Start(ctx, 1)
				if _, err := answer.Next(ctx).Await(); err != nil {
					return "", err
				}
				defer deferred(ctx, f)
				panic("oh dear")
			})
			waits(t, d)
			d = s.replayed(raised("Answer", "go"))
			if d.Err == nil || !strings.Contains(d.Err.Error(), "a deferred function waits") || !strings.Contains(d.Err.Error(), "unwind_test.go") {
				t.Errorf("got %+v, want the place of the panic", d)
			}
		})
	}
}

func ask(ctx durable.Context) (int, error) { return double.Call(ctx, 3) }

func TestAPanicNamesTheCode(t *testing.T) {
	t.Parallel()
	var none durable.Context
	for name, c := range map[string]struct {
		body func(durable.Context) (string, error)
		want string
	}{
		"in the body":    {func(durable.Context) (string, error) { return guilty() }, "the code panicked: oh dear"},
		"in a coroutine": {func(ctx durable.Context) (string, error) { return durable.Go(ctx, child).Await() }, "the code panicked: oh dear"},
		"panicked again": {func(durable.Context) (string, error) {
			defer func() { panic(fmt.Sprint("again: ", recover())) }()
			return guilty()
		}, "the code panicked: again: oh dear"},
		"of nil":                 {func(durable.Context) (string, error) { panic(nil) }, "nil"},
		"with a context of none": {func(durable.Context) (string, error) { return "", durable.Sleep(none, 1) }, "nil pointer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, d := perform(t, c.body)
			var p *replay.Panic
			if !errors.As(d.Err, &p) || !strings.Contains(p.Error(), c.want) {
				t.Fatalf("got %+v", d)
			}
			if !strings.Contains(p.Stack, "unwind_test.go:") || strings.Contains(p.Stack, "replay.(*Run).finish") {
				t.Errorf("the stack does not name the code, or too much:\n%s", p.Stack)
			}
		})
	}
}

func guilty() (string, error) { panic("oh dear") }

func child(durable.Context) (string, error) { return guilty() }

func TestGoexitSuspends(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func(durable.Context) (string, error){
		"at once":      func(durable.Context) (string, error) { runtime.Goexit(); return "", nil },
		"in a Go":      func(ctx durable.Context) (string, error) { return durable.Go(ctx, quit).Await() },
		"after a wait": func(ctx durable.Context) (string, error) { _, _ = answer.Next(ctx).Await(); return quit(ctx) },
		"t.FailNow":    func(durable.Context) (string, error) { new(testing.T).FailNow(); return "", nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, d := perform(t, body)
			if d.Err == nil {
				d = s.deliver(raised("Answer", "go"))
			}
			if d.Err == nil || !strings.Contains(d.Err.Error(), "runtime.Goexit") {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func quit(durable.Context) (string, error) { runtime.Goexit(); return "", nil }

func TestLogIsSilentInReplaysAndWhileUnwinding(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.MessageKey || a.Key == "who" || a.Key == "n" {
			return a
		}
		return slog.Attr{}
	}}))
	s, _ := performLogged(t, log, func(ctx durable.Context) (string, error) {
		defer ctx.Log().Info("deferred")
		ctx.Log().With("who", "main").Info("one")
		if _, err := double.Call(ctx, 1); err != nil {
			return "", err
		}
		ctx.Log().WithGroup("g").Info("two", "n", 1)
		_, err := answer.Next(ctx).Await()
		ctx.Log().Info("three")
		return "", err
	})
	s.turn.Close()
	waits(t, s.replayed(done("0", 1)))
	returned(t, s.replayed(raised("Answer", "x")), "")
	want := "msg=one who=main\nmsg=two g.n=1\nmsg=three\nmsg=deferred\n"
	if got := out.String(); got != want {
		t.Errorf("logged:\n%swant:\n%s", got, want)
	}
}

// Not parallel: it counts goroutines.
func TestCloseLeavesNoGoroutineBehind(t *testing.T) {
	const coroutines = 3000
	before := runtime.NumGoroutine()
	unlocked := 0
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		var all []*durable.Future[int]
		for i := range coroutines {
			all = append(all, durable.Go(ctx, func(ctx durable.Context) (int, error) {
				defer func() { unlocked++ }()
				if i%3 == 0 {
					return 0, nil
				}
				if i%3 == 1 {
					defer func() { _ = durable.Sleep(ctx, time.Hour) }()
				}
				return double.Call(ctx, i)
			}))
		}
		_, err := durable.All(ctx, all...)
		return "", err
	})
	waits(t, d)
	if got := runtime.NumGoroutine() - before; got < coroutines/2 {
		t.Errorf("%d goroutines for %d coroutines: this test sees nothing", got, coroutines)
	}
	s.turn.Close()
	s.turn.Close()
	for range 1_000_000 { // the last one is on its way out
		if runtime.NumGoroutine() <= before {
			break
		}
		runtime.Gosched()
	}
	if got := runtime.NumGoroutine(); got > before {
		t.Errorf("%d goroutines are left of %d", got-before, coroutines)
	}
	if unlocked != coroutines {
		t.Errorf("%d of %d deferred functions ran", unlocked, coroutines)
	}
}

// A context is of no use in a goroutine that the code has begun with a go statement; a coroutine that it makes of an iterator is the code.
func TestAContextUsedInAGoroutineSaysSo(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func(durable.Context) error{
		"that is waited for": func(ctx durable.Context) (err error) {
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() { _, err := double.Call(ctx, 1); t.Error("it came back with", err) })
			}
			all.Wait()
			return nil
		},
		"that is waited for in vain": func(ctx durable.Context) error {
			answers := make(chan string)
			go func() {
				text, err := answer.Next(ctx).Await()
				answers <- fmt.Sprint(text, err)
			}()
			return errors.New(<-answers)
		},
		"after a wait": func(ctx durable.Context) error {
			if _, err := double.Call(ctx, 1); err != nil {
				return err
			}
			never := make(chan bool)
			go func() { _, _ = durable.Step(ctx, "s", func(context.Context) (int, error) { return 1, nil }) }()
			<-never
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, d := perform(t, func(ctx durable.Context) (string, error) { return "", body(ctx) })
			if name == "after a wait" {
				waits(t, d)
				d = s.deliver(done("0", 2))
			}
			if d.Err == nil || !strings.Contains(d.Err.Error(), "in a goroutine of its own") || !strings.Contains(d.Err.Error(), "unwind_test.go:") {
				t.Errorf("got %+v", d)
			}
		})
	}
	s, _ := perform(t, func(ctx durable.Context) (string, error) {
		next, stop := iter.Pull2(answer.All(ctx))
		defer stop()
		one, _, _ := next()
		two, err, _ := next()
		return one + two, err
	})
	waits(t, s.replayed(raised("Answer", "x")))
	returned(t, s.replayed(raised("Answer", "y")), "xy")
}

func TestAContextUsedInAStepSaysSo(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(durable.Context) (int, error){
		"by a call":     func(ctx durable.Context) (int, error) { return double.Call(ctx, 1) },
		"by its status": func(ctx durable.Context) (int, error) { ctx.SetStatus("no replay would set it"); return 1, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, d := perform(t, func(ctx durable.Context) (string, error) {
				_, err := durable.Step(ctx, "nested", func(context.Context) (int, error) { return use(ctx) })
				return "", err
			})
			if end := d.Commands[len(d.Commands)-1]; end.Failure == nil || !strings.Contains(end.Failure.Message, "outside the orchestration's own code") {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestWhatAMismatchShowsIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	tell := durable.NewActivity[string, int]("Tell")
	text := strings.Repeat("é", 100)
	s, d := perform(t, func(ctx durable.Context) (string, error) {
		_, err := tell.Call(ctx, text)
		return "", err
	})
	waits(t, d)
	text = strings.Repeat("ü", 100)
	if d = s.replayed(done("0", 1)); d.Err == nil || !utf8.ValidString(d.Err.Error()) || !strings.Contains(d.Err.Error(), "ü… instead of ") {
		t.Errorf("it says %q", d.Err)
	}
}
