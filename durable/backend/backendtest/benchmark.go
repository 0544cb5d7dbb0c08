package backendtest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// Benchmark measures an adapter that open returns empty, with items and messages of 700 bytes: a turn of a small
// orchestration. One writer shows what a call costs, 64 what sharing gains.
func Benchmark(b *testing.B, open func(b *testing.B) backend.Backend) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("Put/writers=%d", writers), func(b *testing.B) { benchmarkPut(b, open(b), writers) })
	}
	for _, workers := range []int{1, 64} {
		b.Run(fmt.Sprintf("SendReceiveAck/workers=%d", workers), func(b *testing.B) { benchmarkQueue(b, open(b), workers) })
	}
}

const benchmarkSize = 700

func benchmarkPut(b *testing.B, sys backend.Backend, writers int) {
	value := make([]byte, benchmarkSize)
	spread(b, writers, "puts/s", func(writer, i int) error {
		item := backend.Item{
			Key:   backend.Key{Partition: fmt.Sprintf("instance-%d-%d", writer, i/10), Sort: fmt.Sprintf("%08d", i)},
			Owner: "owner", Value: value,
		}
		return sys.Table.Put(b.Context(), item, backend.Absent())
	})
}

// benchmarkQueue sends a message to a group of the worker's own, receives whatever there is and acknowledges it.
func benchmarkQueue(b *testing.B, sys backend.Backend, workers int) {
	body := make([]byte, benchmarkSize)
	spread(b, workers, "messages/s", func(worker, i int) error {
		m := backend.Message{ID: fmt.Sprintf("%d-%d", worker, i), Group: fmt.Sprintf("group-%d", worker), Body: body}
		for _, err := range sys.Inbox.Send(b.Context(), []backend.Message{m}) {
			if err != nil {
				return err
			}
		}
		got, err := sys.Inbox.Receive(b.Context(), backend.MaxBatch, 0)
		if err != nil {
			return err
		}
		return sys.Inbox.Ack(b.Context(), got)
	})
}

// spread runs op b.N times over the workers and reports the rate.
func spread(b *testing.B, workers int, unit string, op func(worker, i int) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	start := time.Now()
	for worker := range workers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := op(worker, int(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), unit)
}
