package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// BenchmarkOrders is a whole order on the development server: over HTTP, on disk, six activities and four mails each.
func BenchmarkOrders(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			s := serve(b, b.TempDir())
			b.ResetTimer()
			var wg sync.WaitGroup
			next := make(chan int)
			for range clients {
				wg.Go(func() {
					for i := range next {
						s.complete(fmt.Sprint("b", i))
					}
				})
			}
			for i := range b.N {
				next <- i
			}
			close(next)
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
		})
	}
}

// complete places an order and waits for its end.
func (s *server) complete(id string) {
	if status, reply := s.request("POST", "/orders", order(id)); status != http.StatusAccepted {
		s.t.Errorf("the order was answered with %d %s", status, reply)
		return
	}
	s.eventually("the order completes", func() bool {
		_, reply := s.request("GET", "/runtime/webhooks/durabletask/instances/order-"+id, "")
		return strings.Contains(reply, `"runtimeStatus":"Completed"`)
	})
}
