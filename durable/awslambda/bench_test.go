package awslambda

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/tests/budget/endpoint"
)

var chain = durable.NewOrchestration[goods, int]("Chain")

// BenchmarkWarmTurn drives the orchestrator's handler with events of ten results of activities, for instances that it keeps, over an endpoint in this process: what a turn
// takes of the processor, and beside it what the SDK and that endpoint take of it for the same requests.
func BenchmarkWarmTurn(b *testing.B) {
	const instances = backend.MaxBatch
	f := newFleet(b, instances, 0, false)
	f.handlers = []durable.Handler{handleGoods.Bind(func(_ context.Context, p goods) (goods, error) { return p, nil }), chain.Bind(func(ctx durable.Context, p goods) (int, error) {
		for i := 0; ; i++ {
			if i == 500 {
				return 0, chain.ContinueAsNew(ctx, p)
			}
			if _, err := handleGoods.Call(ctx, p); err != nil {
				return 0, err
			}
		}
	})}
	f.o = f.process()
	var err error
	if f.a, err = newActivities(f.h, f.handlers); err != nil {
		b.Fatal(err)
	}
	for i := range instances {
		id := fmt.Sprint("chain-", i)
		if _, err := chain.Submit(b.Context(), f.h.Client, newParcel(id), durable.ID(id)); err != nil {
			b.Fatal(err)
		}
	}
	ports := f.h.store.Backend()
	// next handles what is in a queue, and returns how long that took.
	next := func(q backend.Queue, arn string, h handler) (took time.Duration, handled int) {
		batch, err := q.Receive(b.Context(), instances, 0)
		if err != nil {
			b.Fatal(err)
		}
		if len(batch) == 0 {
			return 0, 0
		}
		event := eventOf(arn, batch)
		begun := time.Now()
		answer, err := h(b.Context(), event)
		took = time.Since(begun)
		if err != nil || len(failuresOf(b, answer)) > 0 {
			b.Fatalf("%v, %v", answer, err)
		}
		if err := q.Ack(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		return took, len(batch)
	}
	next(ports.Wake, "wake", f.o.handle)
	probe := endpoint.New(endpoint.Options{Now: time.Now}).Backend()
	var turns, sdk time.Duration
	n := 0
	for b.Loop() {
		next(ports.Activities, "work", f.a.handle)
		took, handled := next(ports.Inbox, "inbox.fifo", f.o.handle)
		turns, n = turns+took, n+handled
		sdk += requests(b, probe, n, handled)
	}
	b.ReportMetric(float64(turns.Microseconds())/1000/float64(n), "ms/turn")
	b.ReportMetric(float64((turns-sdk).Microseconds())/1000/float64(n), "ms/turn-beside-the-SDK")
	b.ReportMetric(0, "ns/op")
}

// requests makes those of so many turns: a put of a segment each, and one call for their activities.
func requests(b *testing.B, ports backend.Backend, from, n int) time.Duration {
	messages := make([]backend.Message, n)
	for i := range messages {
		messages[i] = backend.Message{ID: fmt.Sprint("probe-", from+i), Group: "probe", Body: make([]byte, 1200)}
	}
	begun := time.Now()
	for i := range n {
		item := backend.Item{Key: backend.Key{Partition: "probe", Sort: fmt.Sprint(from + i)}, Owner: "probe", Value: make([]byte, 250)}
		if err := ports.Table.Put(b.Context(), item, backend.Absent()); err != nil {
			b.Fatal(err)
		}
	}
	if errs := ports.Activities.Send(b.Context(), messages); errs != nil {
		b.Fatal(errs)
	}
	return time.Since(begun)
}
