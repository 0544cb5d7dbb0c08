package delivery_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend/delivery"
)

// receive waits for one message in a goroutine.
func receive(ctx context.Context, s *delivery.Schedule, max int) <-chan []delivery.Taken {
	got := make(chan []delivery.Taken, 1)
	go func() {
		taken, _ := s.Receive(ctx, max, time.Hour)
		got <- taken
	}()
	synctest.Wait()
	return got
}

// TestWhoWaitsIsWoken: of those that wait each gets one, those that are delayed too.
func TestWhoWaitsIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := delivery.New(delivery.Options{Now: time.Now, Visibility: time.Hour})
		var all []<-chan []delivery.Taken
		for range 4 {
			all = append(all, receive(t.Context(), s, 10))
		}
		for seq := range uint64(4) {
			s.Add(delivery.Entry{Seq: seq, Due: time.Now().Add(time.Duration(seq/2) * time.Minute)})
		}
		for i, got := range all {
			if n := len(<-got); n != 1 {
				t.Errorf("receive %d got %d messages, while others waited", i, n)
			}
		}
	})
}

// TestWhoGoesLeavesItToAnother: one that is woken and goes, because its context ends just then, does not take the news along.
func TestWhoGoesLeavesItToAnother(t *testing.T) {
	for range 100 { // which of two is noticed first is a matter of luck
		synctest.Test(t, func(t *testing.T) {
			s := delivery.New(delivery.Options{Now: time.Now, Visibility: time.Hour})
			begun := time.Now()
			stays := receive(t.Context(), s, 1)
			ctx, cancel := context.WithCancel(t.Context())
			goes := receive(ctx, s, 1) // the last that came is woken
			s.Add(delivery.Entry{Seq: 1})
			cancel()
			if len(<-goes) == 1 {
				s.Add(delivery.Entry{Seq: 2})
			}
			if len(<-stays) != 1 || time.Since(begun) > 0 {
				t.Fatalf("nobody got the message for %v", time.Since(begun))
			}
		})
	}
}

// TestAWaitEnds at its time, and with what is there then.
func TestAWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := delivery.New(delivery.Options{Now: time.Now, Visibility: time.Hour})
		begun := time.Now()
		taken, err := s.Receive(t.Context(), 1, time.Minute)
		if len(taken) > 0 || err != nil || time.Since(begun) != time.Minute {
			t.Errorf("after %v: %v, %v", time.Since(begun), taken, err)
		}
	})
}
