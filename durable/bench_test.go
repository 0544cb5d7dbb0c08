package durable_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

// sequence is a history of n activities, one after the other.
func sequence(n int) []*history.Segment {
	past := []*history.Segment{{Time: epoch, Events: []history.Event{{Kind: history.ExecutionStarted, Name: "Play"}}}}
	for i := range n {
		asked := history.Event{Kind: history.TaskScheduled, Op: strconv.Itoa(i), Name: "Double", Data: history.Payload{Bytes: []byte(strconv.Itoa(i))}}
		last := past[len(past)-1]
		last.Events = append(last.Events, asked)
		past = append(past, &history.Segment{Time: epoch, Events: []history.Event{done(asked.Op, 2*i)}})
	}
	past[len(past)-1].Events = append(past[len(past)-1].Events, history.Event{Kind: history.ExecutionCompleted})
	return past
}

// BenchmarkReplay replays sequential activities, each with a number as input and as result.
func BenchmarkReplay(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		code := play.Bind(func(ctx durable.Context, _ string) (string, error) {
			for i := range n {
				if _, err := double.Call(ctx, i); err != nil {
					return "", err
				}
			}
			return "", nil
		}).Run
		past := sequence(n)
		for name, check := range map[string]replay.Check{"unchecked": replay.CheckOff, "checked": replay.CheckWarn} {
			b.Run(fmt.Sprintf("activities=%d/inputs=%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					turn := replay.Open(code, past, replay.Options{Inputs: check})
					d := turn.Deliver(nil, epoch)
					turn.Close()
					if d.Err != nil || !d.Ended {
						b.Fatalf("%+v", d)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/activity")
			})
		}
	}
}

// BenchmarkFanOut replays activities that were asked for together.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		code := play.Bind(func(ctx durable.Context, _ string) (string, error) {
			var all []*durable.Future[int]
			for i := range n {
				all = append(all, double.Start(ctx, i))
			}
			_, err := durable.All(ctx, all...)
			return "", err
		}).Run
		b.Run(fmt.Sprintf("first-run/activities=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				turn := replay.Open(code, nil, replay.Options{})
				d := turn.Deliver([]history.Event{{Kind: history.ExecutionStarted}}, epoch)
				turn.Close()
				if d.Err != nil || len(d.Commands) != n {
					b.Fatalf("%+v", d.Err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/activity")
		})
	}
}

// BenchmarkSwitch lets two coroutines take turns: one wait, and one switch, for each event.
func BenchmarkSwitch(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		code := play.Bind(func(ctx durable.Context, _ string) (string, error) {
			wait := func(name string) *durable.Future[int] {
				return durable.Go(ctx, func(ctx durable.Context) (int, error) {
					event := durable.NewEvent[durable.None](name)
					for range n / 2 {
						if _, err := event.Next(ctx).Await(); err != nil {
							return 0, err
						}
					}
					return 0, nil
				})
			}
			_, err := durable.All(ctx, wait("a"), wait("b"))
			return "", err
		}).Run
		events := []history.Event{{Kind: history.ExecutionStarted}}
		for i := range n {
			events = append(events, history.Event{Kind: history.EventRaised, Name: []string{"a", "b"}[i%2]})
		}
		events = append(events, history.Event{Kind: history.ExecutionCompleted})
		past := []*history.Segment{{Time: epoch, Events: events}}
		b.Run(fmt.Sprintf("switches=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				turn := replay.Open(code, past, replay.Options{})
				d := turn.Deliver(nil, epoch)
				turn.Close()
				if d.Err != nil || !d.Ended {
					b.Fatalf("%+v", d)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/switch")
		})
	}
}
