package bench

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/internal/replay"
)

var (
	handle = durable.NewActivity[Order, Order]("Handle")
	calls  = durable.NewOrchestration[Order, Order]("Calls")
)

// Durable is this product: segments are expanded and decoded as a load does it, and replayed by the engine as a worker opens it.
var Durable = Replayer{"durable-lambda", func(n int) (int, func() error, error) {
	code := calls.Bind(func(ctx durable.Context, o Order) (Order, error) {
		for range n {
			var err error
			if o, err = handle.Call(ctx, o); err != nil {
				return o, err
			}
		}
		return o, nil
	}).Run
	values, bytes, err := segments(n)
	if err != nil {
		return 0, nil, err
	}
	return bytes, func() error {
		var tail history.Tail
		var slab history.Slab
		past := make([]*history.Segment, 0, len(values))
		for _, v := range values {
			plain, err := tail.Expand(v)
			if err != nil {
				return err
			}
			tail.Add(plain)
			seg, err := slab.DecodeSegment(plain)
			if err != nil {
				return err
			}
			past = append(past, seg)
		}
		turn := replay.Open(code, past, replay.Options{Inputs: replay.CheckWarn})
		defer turn.Close()
		if d := turn.Deliver(nil, past[len(past)-1].Time); d.Err != nil || !d.Ended {
			return fmt.Errorf("the replay did not end: %w", d.Err)
		}
		return nil
	}, nil
}}

// segments are the history as it is stored, compressed as a commit does it.
func segments(n int) (values [][]byte, bytes int, err error) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o := NewOrder()
	var tail history.Tail
	add := func(events ...history.Event) {
		at = at.Add(time.Second)
		plain := (&history.Segment{Time: at, Released: true, Events: events}).Encode()
		v := tail.Compress(plain)
		tail.Add(plain)
		values, bytes = append(values, v), bytes+len(v)
	}
	var outcome []history.Event
	for i := range n {
		b, err := json.Marshal(o)
		if err != nil {
			return nil, 0, err
		}
		op := strconv.Itoa(i)
		before := outcome
		if i == 0 {
			before = []history.Event{{Kind: history.ExecutionStarted, Name: calls.Name(), At: at, Data: history.Payload{Bytes: b}}}
		}
		add(append(before, history.Event{Kind: history.TaskScheduled, Op: op, Name: handle.Name(), Data: history.Payload{Bytes: b}, Policy: &history.Policy{}})...)
		o.Done++
		if b, err = json.Marshal(o); err != nil {
			return nil, 0, err
		}
		outcome = []history.Event{{Kind: history.TaskCompleted, Op: op, Attempt: 1, Data: history.Payload{Bytes: b}}}
	}
	b, err := json.Marshal(o)
	add(append(outcome, history.Event{Kind: history.ExecutionCompleted, Data: history.Payload{Bytes: b}})...)
	return values, bytes, err
}
