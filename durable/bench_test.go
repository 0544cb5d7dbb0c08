package durable_test

import (
	"fmt"
	"runtime"
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
	past[len(past)-1].Events = append(past[len(past)-1].Events, history.Event{Kind: history.ExecutionCompleted, Data: history.Payload{Bytes: []byte(`""`)}})
	return past
}

// stored is a history as it is kept: its segments' values.
func stored(past []*history.Segment) (values [][]byte) {
	for _, seg := range past {
		values = append(values, seg.Encode())
	}
	return values
}

// replayed reads a history and replays it with code that calls so many activities.
func replayed(tb testing.TB, values [][]byte, code replay.Code, check replay.Check) {
	var slab history.Slab
	past := make([]*history.Segment, 0, len(values))
	for _, v := range values {
		seg, err := slab.DecodeSegment(v)
		if err != nil {
			tb.Fatal(err)
		}
		past = append(past, seg)
	}
	turn := replay.Open(code, past, replay.Options{Inputs: check})
	d := turn.Deliver(nil, epoch)
	turn.Close()
	if d.Err != nil || !d.Ended {
		tb.Fatalf("%+v", d)
	}
}

// calling is code that calls activities one after the other, each with a number as input and as result.
func calling(n int) replay.Code {
	return play.Bind(func(ctx durable.Context, _ string) (string, error) {
		for i := range n {
			if _, err := double.Call(ctx, i); err != nil {
				return "", err
			}
		}
		return "", nil
	}).Run
}

// TestReplayAllocatesLittle holds what a replay allocates: for each activity what json.Unmarshal does, twice, and hardly anything else; and no more for one of a long history.
func TestReplayAllocatesLittle(t *testing.T) {
	perActivity := func(n int) (allocations, bytes float64) {
		code, values := calling(n), stored(sequence(n))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		replayed(t, values, code, replay.CheckWarn)
		runtime.ReadMemStats(&after)
		return float64(after.Mallocs-before.Mallocs) / float64(n), float64(after.TotalAlloc-before.TotalAlloc) / float64(n)
	}
	_, few := perActivity(1_000)
	allocations, many := perActivity(20_000)
	if allocations > 2.1 {
		t.Errorf("a replay allocates %.2f times for each activity", allocations)
	}
	if many > 1.1*few {
		t.Errorf("a replay allocates %.0f bytes for each of 20,000 activities, and %.0f for each of 1,000", many, few)
	}
}

// BenchmarkReplay reads and replays sequential activities, from the bytes that are stored.
func BenchmarkReplay(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		code, values := calling(n), stored(sequence(n))
		replayed(b, values, code, replay.CheckStrict) // the history is what the code asks for, so that no warning is measured
		b.Run(fmt.Sprintf("activities=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				replayed(b, values, code, replay.CheckWarn)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/activity")
		})
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
		events = append(events, history.Event{Kind: history.ExecutionCompleted, Data: history.Payload{Bytes: []byte(`""`)}})
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
