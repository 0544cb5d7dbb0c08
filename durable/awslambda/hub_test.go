package awslambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

var (
	hello = durable.NewOrchestration[string, string]("Hello")
	greet = durable.NewActivity[string, string]("Greet")
)

func sayHello(ctx durable.Context, name string) (string, error) { return greet.Call(ctx, name) }

func greetBody(_ context.Context, name string) (string, error) { return "Hello, " + name, nil }

// testHub is a hub in memory, and events of its queues as Lambda makes them.
type testHub struct {
	*hub
	t   *testing.T
	now time.Time
	// clock is now, unless a test has time pass by itself.
	clock func() time.Time
	// fault is what becomes of calls of the hub's storage; nil is nothing.
	fault backendtest.Plan
	log   bytes.Buffer
	dead  *memory.Backend
	all   *memory.Backend
	// exits are what the process would have ended with.
	exits []int
}

func newTestHub(t *testing.T) *testHub {
	t.Helper()
	h := &testHub{t: t, now: durabletest.Epoch}
	h.clock = func() time.Time { return h.now }
	clock := func() time.Time { return h.clock() }
	h.all, h.dead = memory.New(memory.Options{Now: clock}), memory.New(memory.Options{Now: clock})
	ports := backendtest.Faulty(h.all.Backend(), func(op string) backendtest.Fault {
		if h.fault == nil {
			return backendtest.None
		}
		return h.fault(op)
	})
	d := h.dead.Backend()
	ports.Dead = backend.Dead{Inbox: d.Inbox, Wake: d.Wake, Activities: d.Activities}
	st := store.New(store.Config{Backend: ports, Now: clock})
	log := slog.New(slog.NewTextHandler(io.MultiWriter(&h.log, t.Output()), nil))
	h.hub = &hub{store: st, Services: Services{Client: client.New(st), Table: ports.Table, Log: log}}
	return h
}

func (h *testHub) exit(code int) { h.exits = append(h.exits, code) }

func (h *testHub) orchestrator(handlers ...durable.Handler) *orchestrator {
	h.t.Helper()
	o, err := newOrchestrator(h.hub, handlers)
	if err != nil {
		h.t.Fatal(err)
	}
	o.exit = h.exit
	h.t.Cleanup(o.worker.Close)
	return o
}

func (h *testHub) activities(handlers ...durable.Handler) *activities {
	h.t.Helper()
	a, err := newActivities(h.hub, handlers)
	if err != nil {
		h.t.Fatal(err)
	}
	a.exit = h.exit
	return a
}

func (h *testHub) submit(id string) {
	h.t.Helper()
	if _, err := hello.Submit(h.t.Context(), h.Client, "Ada", durable.ID(id)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *testHub) status(id string) durable.Status {
	h.t.Helper()
	in, err := h.Client.Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return in.Status
}

// receive takes what is ready from a queue, as an event source mapping does.
func (h *testHub) receive(q backend.Queue) []backend.Delivery {
	h.t.Helper()
	batch, err := q.Receive(context.Background(), backend.MaxBatch, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return batch
}

// eventOf is the event that Lambda makes of deliveries. The id of a record is its place.
func eventOf(arn string, batch []backend.Delivery) json.RawMessage {
	var e events.SQSEvent
	for i, d := range batch {
		e.Records = append(e.Records, events.SQSMessage{
			MessageId: strconv.Itoa(i), ReceiptHandle: d.Receipt, Body: base64.StdEncoding.EncodeToString(d.Body),
			EventSource: "aws:sqs", EventSourceARN: "arn:aws:sqs:eu-central-1:000000000000:" + arn,
			Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(d.Receives), "MessageGroupId": d.Group},
		})
	}
	out, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return out
}

// invoke handles what is ready in a queue, and does with the answer what Lambda does. It returns the ids of failures, and
// nil when there was nothing.
func (h *testHub) invoke(ctx context.Context, f handler, q backend.Queue, arn string) []string {
	h.t.Helper()
	batch := h.receive(q)
	if len(batch) == 0 {
		return nil
	}
	return h.conclude(ctx, f, q, arn, batch)
}

func (h *testHub) conclude(ctx context.Context, f handler, q backend.Queue, arn string, batch []backend.Delivery) []string {
	h.t.Helper()
	answer, err := f(ctx, eventOf(arn, batch))
	if err != nil {
		h.t.Fatal(err)
	}
	failed := failuresOf(h.t, answer)
	left := map[string]bool{}
	for _, id := range failed {
		left[id] = true
	}
	for i, d := range batch {
		if !left[strconv.Itoa(i)] {
			if err := q.Ack(h.t.Context(), []backend.Delivery{d}); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	return failed
}

// failuresOf reads an answer as Lambda reads it.
func failuresOf(t testing.TB, answer any) []string {
	t.Helper()
	b, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		BatchItemFailures *[]struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if r.BatchItemFailures == nil {
		t.Fatalf("the answer %s has no list of failures: it must be [] where there are none", b)
	}
	ids := []string{}
	for _, f := range *r.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return ids
}

// run lets everything happen that can happen now, and fails when a message is not done.
func (h *testHub) run(o *orchestrator, a *activities) {
	h.t.Helper()
	ctx, b := h.t.Context(), h.store.Backend()
	for range 100 {
		done := [][]string{
			h.invoke(ctx, o.handle, b.Wake, "wake"),
			h.invoke(ctx, o.handle, b.Inbox, "inbox.fifo"),
			h.invoke(ctx, a.handle, b.Activities, "activities"),
		}
		idle := true
		for _, failed := range done {
			if len(failed) > 0 {
				h.t.Fatalf("messages were not done: %v", done)
			}
			idle = idle && failed == nil
		}
		if idle {
			return
		}
	}
	h.t.Fatal("it does not come to rest")
}

// tickOf is a schedule's event.
func tickOf(rule string, at time.Time) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event","source":"aws.events",
		"account":"123456789012","time":%q,"region":"eu-central-1","resources":["arn:aws:events:eu-central-1:123456789012:rule/%s"],"detail":{}}`,
		at.UTC().Format(time.RFC3339), rule))
}
