package dev_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/dev"
)

// plan is what a benchmark's instance does: so many activities.
type plan struct{ Activities int }

var (
	nothing  = durable.NewActivity[int, int]("Nothing")
	queued   = durable.NewOrchestration[plan, int]("Queued")
	inlined  = durable.NewOrchestration[plan, int]("Inlined")
	fanned   = durable.NewOrchestration[plan, int]("Fanned")
	circling = durable.NewOrchestration[plan, int]("Circling")
)

// bench is a server on disk, of orchestrations whose activities do nothing, and its client.
type bench struct {
	b      *testing.B
	client durable.Client
	ended  atomic.Int64 // orchestrations whose code has returned
}

func newBench(b *testing.B) *bench {
	x := &bench{b: b}
	ended := func(n int, err error) (int, error) { x.ended.Add(1); return n, err }
	cfg := dev.Config{Addr: "127.0.0.1:0", Data: b.TempDir(), Handlers: func(s dev.Services) []durable.Handler {
		x.client = s.Client
		inline := nothing.Inline(func(_ context.Context, n int) (int, error) { return n, nil })
		return []durable.Handler{
			nothing.Bind(func(_ context.Context, n int) (int, error) { return n, nil }),
			queued.Bind(func(ctx durable.Context, p plan) (int, error) {
				for i := range p.Activities {
					if _, err := nothing.Call(ctx, i); err != nil {
						return i, err
					}
				}
				return ended(p.Activities, nil)
			}),
			inlined.Bind(func(ctx durable.Context, p plan) (int, error) {
				for i := range p.Activities {
					if _, err := inline.Call(ctx, i); err != nil {
						return i, err
					}
				}
				return ended(p.Activities, nil)
			}),
			fanned.Bind(func(ctx durable.Context, p plan) (int, error) {
				var all []*durable.Future[int]
				for i := range p.Activities {
					all = append(all, nothing.Start(ctx, i))
				}
				_, err := durable.All(ctx, all...)
				return ended(p.Activities, err)
			}),
			circling.Bind(func(ctx durable.Context, p plan) (int, error) {
				if _, err := nothing.Call(ctx, p.Activities); err != nil {
					return 0, err
				}
				if p.Activities--; p.Activities > 0 {
					return 0, circling.ContinueAsNew(ctx, p)
				}
				return ended(0, nil)
			}),
		}
	}}
	ctx, cancel := context.WithCancel(b.Context())
	up := banner{make(chan string, 1)}
	cfg.Out = up
	over := make(chan error, 1)
	go func() { over <- dev.Serve(ctx, cfg) }()
	select {
	case <-up.addr:
	case err := <-over:
		b.Fatalf("the server ended with %v", err)
	}
	b.Cleanup(func() {
		cancel()
		if err := <-over; err != nil {
			b.Error(err)
		}
	})
	return x
}

// run takes so many instances to their end.
func (x *bench) run(o durable.Orchestration[plan, int], instances int, p plan) {
	x.ended.Store(0)
	var runs []durable.Run[int]
	for range instances {
		run, err := o.Submit(x.b.Context(), x.client, p)
		if err != nil {
			x.b.Fatal(err)
		}
		runs = append(runs, run)
	}
	for x.ended.Load() < int64(instances) {
		time.Sleep(time.Millisecond)
	}
	for _, run := range runs {
		x.await(run, time.Millisecond)
	}
}

// await looks again and again until the instance has ended.
func (x *bench) await(run durable.Run[int], pause time.Duration) {
	for {
		in, err := run.Status(x.b.Context())
		switch {
		case err != nil:
			x.b.Fatal(err)
		case in.Status == durable.Completed:
			return
		case in.Status.Ended() || in.Status == durable.Suspended:
			x.b.Fatalf("an instance is %s: %s %s", in.Status, in.Output, in.SuspendReason)
		}
		time.Sleep(pause)
	}
}

// BenchmarkThroughput is what a server does in a second, of queued activities and of inline steps, with everything synced to disk.
func BenchmarkThroughput(b *testing.B) {
	for _, c := range []struct {
		name      string
		o         durable.Orchestration[plan, int]
		instances int
		each      int
	}{{"queued", queued, 100, 100}, {"inline", inlined, 100, 500}} {
		b.Run(fmt.Sprintf("%s/instances=%d", c.name, c.instances), func(b *testing.B) {
			x := newBench(b)
			x.run(c.o, c.instances, plan{5})
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				x.run(c.o, c.instances, plan{c.each})
			}
			b.ReportMetric(float64(b.N*c.instances*c.each)/b.Elapsed().Seconds(), "activities/s")
		})
	}
}

// BenchmarkLatency is how long five activities, one after the other, take on a server that does nothing else: from the start until a client sees the end.
func BenchmarkLatency(b *testing.B) {
	x := newBench(b)
	x.run(queued, 1, plan{5})
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		run, err := queued.Submit(b.Context(), x.client, plan{5})
		if err != nil {
			b.Fatal(err)
		}
		x.await(run, 100*time.Microsecond)
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkLong takes one instance through a long history, a wide fan-out and many generations.
func BenchmarkLong(b *testing.B) {
	for _, c := range []struct {
		name string
		o    durable.Orchestration[plan, int]
	}{{"sequential", queued}, {"inline", inlined}, {"fan-out", fanned}, {"generations", circling}} {
		for _, n := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/activities=%d", c.name, n), func(b *testing.B) {
				x := newBench(b)
				var peak uint64
				done := make(chan struct{})
				go func() {
					var m runtime.MemStats
					for {
						select {
						case <-done:
							return
						case <-time.After(50 * time.Millisecond):
							runtime.ReadMemStats(&m)
							peak = max(peak, m.HeapInuse)
						}
					}
				}()
				b.ResetTimer()
				for range b.N {
					x.run(c.o, 1, plan{n})
				}
				close(done)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/activity")
				b.ReportMetric(float64(peak)/1e6, "peak-MB")
			})
		}
	}
}
