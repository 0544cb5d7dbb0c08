package backendtest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// moment is the unit of the tests that let time pass: SQS counts in seconds.
const moment = 2 * time.Second

func visibilityTests() []queueTest {
	return []queueTest{
		{"hides a message that was received", hidesReceived},
		{"delivers a message again when its visibility ends, and counts", redelivers},
		{"never delivers again what was acknowledged", ackIsFinal},
		{"Defer of zero makes a message ready at once", deferZero},
		{"Defer hides a message for its time, shorter or longer than the visibility", deferHides},
		{"Defer beyond the limit is refused", deferLimit},
		{"Ack with an out-of-date receipt is no error", ackOutOfDate},
		{"Defer with an out-of-date receipt is no error and changes nothing", deferOutOfDate},
	}
}

func hidesReceived(q *queue) {
	q.send(message("m"))
	q.receive(1)
	q.wantNone("while the message is in flight")
}

func redelivers(q *queue) {
	q.affordable(q.visibility)
	q.send(message("m"))
	for want := 1; want <= 3; want++ {
		got := q.receive(1)[0]
		q.same("Receives", got.Receives, want)
		q.Advance(q.visibility)
	}
}

func ackIsFinal(q *queue) {
	q.affordable(q.visibility)
	q.send(messages("a", "b")...)
	q.must(q.Ack(q.ctx, q.receive(2)))
	q.Advance(q.visibility + moment)
	q.wantNone("after the visibility")
	q.must(q.Ack(q.ctx, nil))
}

func deferZero(q *queue) {
	q.send(message("m"))
	q.deferTo(q.receive(1)[0], 0)
	q.same("Receives", q.receive(1)[0].Receives, 2)
}

func deferHides(q *queue) {
	q.send(message("m"))
	d := q.receive(1)[0]
	q.deferTo(d, moment)
	q.wantNone("while deferred")
	q.Advance(moment)
	d = q.receive(1)[0]

	q.affordable(q.visibility)
	q.deferTo(d, q.visibility+2*moment)
	q.Advance(q.visibility)
	q.wantNone("after the visibility, still deferred")
	q.Advance(2 * moment)
	q.receive(1)
}

func deferLimit(q *queue) {
	q.send(message("m"))
	d := q.receive(1)[0]
	q.wantInvalid("a negative visibility", q.Defer(q.ctx, d, -time.Second))
	q.wantInvalid("a visibility too long", q.Defer(q.ctx, d, backend.MaxVisibility+time.Second))
	q.deferTo(d, backend.MaxVisibility)
}

func ackOutOfDate(q *queue) {
	q.send(message("m"))
	old := q.receive(1)
	q.deferTo(old[0], 0)
	last := q.receive(1)
	q.must(q.Ack(q.ctx, old))
	q.must(q.Ack(q.ctx, last))
	q.must(q.Ack(q.ctx, last))
	q.wantNone("after both were acknowledged")
}

func deferOutOfDate(q *queue) {
	q.send(message("m"))
	old := q.receive(1)[0]
	q.deferTo(old, 0)
	last := q.receive(1)[0]
	q.deferTo(old, 0)
	q.wantNone("while the later delivery is in flight")
	q.must(q.Ack(q.ctx, []backend.Delivery{last}))
	q.deferTo(last, 0)
	q.wantNone("after the message was acknowledged")
}

func waitTests() []queueTest {
	return []queueTest{
		{"Receive returns none when nothing is ready", receiveNone},
		{"Receive returns at most max messages", receiveMax},
		{"Receive of fewer than one or more than ten messages is refused", receiveLimits},
		{"Receive waits for a message", receiveWaits},
		{"Receive waits for a message that is deferred to now", receiveWaitsForDefer},
		{"Receive ends with the context's error", receiveContext},
		{"delivers every message to somebody when receivers race", receiversRace},
	}
}

func receiveNone(q *queue) {
	for _, wait := range []time.Duration{0, 20 * time.Millisecond} {
		got, err := q.Receive(q.ctx, 1, wait)
		if len(got) != 0 || err != nil {
			q.Errorf("Receive with a wait of %v: got %v and error %v, want none", wait, got, err)
		}
	}
}

func receiveMax(q *queue) {
	q.send(messages("a", "b", "c")...)
	got, err := q.Receive(q.ctx, 2, q.Patience)
	q.must(err)
	if len(got) < 1 || len(got) > 2 {
		q.Errorf("received %q, want one or two", bodies(got))
	}
}

func receiveLimits(q *queue) {
	for _, max := range []int{-1, 0, backend.MaxBatch + 1} {
		_, err := q.Receive(q.ctx, max, 0)
		q.wantInvalid("Receive", err)
	}
}

// background runs Receive with a long wait, and returns a function that waits for its answer, which must come before the
// wait ends.
func (q *queue) background(ctx context.Context) func() ([]backend.Delivery, error) {
	const wait = 20 * time.Second
	var got []backend.Delivery
	var err error
	done := make(chan struct{})
	start := time.Now()
	go func() {
		defer close(done)
		got, err = q.Receive(ctx, 1, wait)
	}()
	return func() ([]backend.Delivery, error) {
		<-done
		if took := time.Since(start); took > wait*3/4 {
			q.Errorf("Receive answered after %v of a wait of %v", took, wait)
		}
		return got, err
	}
}

func receiveWaits(q *queue) {
	answer := q.background(q.ctx)
	q.Advance(moment)
	q.send(message("m"))
	got, err := answer()
	q.must(err)
	q.wantBodies(got, "m")
}

func receiveWaitsForDefer(q *queue) {
	q.send(message("m"))
	d := q.receive(1)[0]
	q.deferTo(d, backend.MaxVisibility)
	answer := q.background(q.ctx)
	q.Advance(moment)
	q.deferTo(d, 0)
	got, err := answer()
	q.must(err)
	q.wantBodies(got, "m")
}

func receiveContext(q *queue) {
	ctx, cancel := context.WithCancel(q.ctx)
	answer := q.background(ctx)
	q.Advance(moment)
	cancel()
	if got, err := answer(); !errors.Is(err, context.Canceled) {
		q.Errorf("got %v and error %v, want context.Canceled", got, err)
	}
}

func receiversRace(q *queue) {
	const total = 24
	for i, name := range numbered("m%02d", total) {
		q.send(backend.Message{Group: numbered("g%d", 4)[i%4], Body: []byte(name)})
	}
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				got, err := q.Receive(q.ctx, 3, q.Patience)
				if err != nil || len(got) == 0 {
					return
				}
				mu.Lock()
				for _, d := range got {
					seen[string(d.Body)]++
				}
				mu.Unlock()
				if q.Ack(q.ctx, got) != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	// A receiver gives up when the groups are locked by the others; what they left is fetched here.
	for _, d := range q.rest() {
		seen[string(d.Body)]++
	}
	for _, name := range numbered("m%02d", total) {
		if seen[name] == 0 || q.Patience == 0 && seen[name] > 1 {
			q.Errorf("message %s was delivered %d times, want once", name, seen[name])
		}
	}
}

func (q *queue) rest() []backend.Delivery {
	var all []backend.Delivery
	for {
		got, err := q.Receive(q.ctx, backend.MaxBatch, q.Patience)
		q.must(err)
		if len(got) == 0 {
			return all
		}
		q.must(q.Ack(q.ctx, got))
		all = append(all, got...)
	}
}
