package worker_test

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// FuzzMessage hands a body that anybody may have sent to every entrance of a worker beside a message that is ours. What
// cannot be read is kept and changes nothing, and ours is done.
func FuzzMessage(f *testing.F) {
	whole := (&hist.Message{ID: "1", Instance: "other", Incarnation: "01JGFJJZ00AAAAAAAAAAAAAAAA",
		Event: hist.Event{Kind: hist.EventRaised, Name: "Yes", MessageID: "1", Data: hist.Payload{Bytes: []byte("true")}}}).Encode()
	f.Add(uint8(0), whole)
	f.Add(uint8(1), []byte("hello"))
	f.Add(uint8(2), []byte{})
	f.Add(uint8(3), whole[:20])
	f.Add(uint8(0), append([]byte{hist.FormatVersion + 1}, whole[1:]...))
	f.Add(uint8(1), append(bytes.Clone(whole), 40<<1&0x7f|0x80, 1, 1))
	f.Fuzz(func(t *testing.T, entrance uint8, body []byte) {
		h := newHub(t, worker.Config{}, waitForYes)
		h.submit("ours")
		h.orchestrate()
		h.raise("ours")
		ours := h.take(h.ports.Inbox)
		before := len(h.memory.Items())
		batch := append([]backend.Delivery{{Message: backend.Message{Body: body}, Receives: 1}}, ours...)
		var outcomes []worker.Outcome
		switch entrance % 4 {
		case 0:
			outcomes = h.Inbox(t.Context(), batch)
		case 1:
			outcomes = h.Wake(t.Context(), batch)
		case 2:
			outcomes = h.Dead(t.Context(), batch)
		case 3:
			outcomes = []worker.Outcome{h.Activity(t.Context(), batch[0]), h.Inbox(t.Context(), ours)[0]}
		}
		m, err := hist.DecodeMessage(body)
		foreign := err != nil || entrance%4 == 3 && m.Event.Kind != hist.TaskScheduled
		if outcomes[0].Foreign != foreign || foreign && outcomes[0].Ack {
			t.Errorf("the outcome is %+v, decoding says %v", outcomes[0], err)
		}
		if !outcomes[1].Ack {
			t.Errorf("ours is not done: %v", outcomes[1].Err)
		}
		h.orchestrate()
		if err == nil && m.Instance == "ours" {
			return
		}
		h.is("ours", durable.Completed)
		if grown := len(h.memory.Items()) - before; err != nil && grown != 1 {
			t.Errorf("%d items were added, want the segment of ours", grown)
		}
	})
}

var waitForYes = hello.Bind(func(ctx durable.Context, _ string) (string, error) {
	_, err := yes.Next(ctx).Await()
	return "done", err
})

// What a newer version wrote into an instance keeps its messages waiting for that version, and the log says so; no
// instance is suspended, and none is written to.
func TestWhatANewerVersionWroteIsLeftToIt(t *testing.T) {
	t.Parallel()
	newer := func(item backend.Item) backend.Item {
		item.Value = append([]byte{hist.FormatVersion + 1}, item.Value[1:]...)
		return item
	}
	for name, damage := range map[string]struct {
		sort  string
		start bool // the message is a start again
	}{
		"a segment":                      {sort: "h#"},
		"a row, when an instance begins": {sort: "row", start: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			h := newHub(t, worker.Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, waitForYes)
			h.submit("a")
			start := h.take(h.ports.Wake)
			messages := start
			if !damage.start {
				h.done(h.Wake(t.Context(), start))
				h.raise("a")
				messages = h.take(h.ports.Inbox)
			}
			good := h.memory.Items()
			for _, item := range good {
				if len(item.Sort) >= len(damage.sort) && item.Sort[:len(damage.sort)] == damage.sort {
					if err := h.ports.Table.Put(t.Context(), newer(item), backend.Always()); err != nil {
						t.Fatal(err)
					}
				}
			}
			handle := h.Inbox
			if damage.start {
				handle = h.Wake
			}
			for range 3 {
				o := handle(t.Context(), messages)[0]
				if o.Ack || o.Foreign || o.Retry <= 0 || !errors.Is(o.Err, hist.ErrNewer) {
					t.Fatalf("the outcome is %+v, want to try again later because of a newer version", o)
				}
			}
			if n := len(h.memory.Items()); n != len(good) || h.memory.Queues().Total() != 0 {
				t.Errorf("there are %d items and %d messages, want the %d items of before", n, h.memory.Queues().Total(), len(good))
			}
			if !bytes.Contains(log.Bytes(), []byte("written by a newer version: format version 2")) {
				t.Errorf("the log does not name it:\n%s", log.String())
			}
			for _, item := range good { // the newer version's worker, which can read it
				if err := h.ports.Table.Put(t.Context(), item, backend.Always()); err != nil {
					t.Fatal(err)
				}
			}
			h.done(handle(t.Context(), messages))
			if damage.start {
				h.raise("a")
				h.orchestrate()
			}
			h.is("a", durable.Completed)
		})
	}
}
