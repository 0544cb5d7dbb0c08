package bench

import (
	"fmt"
	"testing"
)

// BenchmarkReplayers has everybody replay the workload, from the bytes that each stores.
func BenchmarkReplayers(b *testing.B) {
	for _, r := range Replayers {
		for _, n := range Sizes {
			stored, replay, err := r.Make(n)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%s/activities=%d", r.Name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := replay(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/activity")
				b.ReportMetric(float64(stored)/float64(n), "stored-B/activity")
			})
		}
	}
}

// TestEverybodyReplays: a history that one of them takes for another's would be measured in vain.
func TestEverybodyReplays(t *testing.T) {
	for _, r := range Replayers {
		_, replay, err := r.Make(10)
		if err == nil {
			err = replay()
		}
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}
