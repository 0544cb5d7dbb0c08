package awslambda

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
)

func TestAnInstanceRunsThroughTheFunctions(t *testing.T) {
	t.Parallel()
	h := newTestHub(t)
	o, a := h.orchestrator(hello.Bind(sayHello)), h.activities(greet.Bind(greetBody))
	h.submit("one")
	h.submit("two")
	h.run(o, a)
	for _, id := range []string{"one", "two"} {
		if s := h.status(id); s != durable.Completed {
			t.Errorf("%s is %s", id, s)
		}
	}
}

// A message that is no one's is left to the queue, later and later; one of the same batch that is ours goes on.
func TestAForeignMessageDisturbsNobody(t *testing.T) {
	t.Parallel()
	for _, ours := range []string{"wake", "activities", "inbox.fifo"} {
		t.Run(ours, func(t *testing.T) {
			t.Parallel()
			h := newTestHub(t)
			b := h.store.Backend()
			o, a := h.orchestrator(hello.Bind(sayHello)), h.activities(greet.Bind(greetBody))
			h.submit("one")
			q, f := b.Wake, o.handle
			if ours != "wake" {
				h.invoke(t.Context(), o.handle, b.Wake, "wake")
				q, f = b.Activities, a.handle
			}
			if ours == "inbox.fifo" {
				h.invoke(t.Context(), a.handle, b.Activities, "activities")
				q, f = b.Inbox, o.handle
			}
			q.Send(t.Context(), []backend.Message{{Group: "g", Body: []byte("hello")}})
			if diff := cmp.Diff([]string{"1"}, h.invoke(t.Context(), f, q, ours)); diff != "" {
				t.Fatalf("the failures differ (-want +got):\n%s", diff)
			}
			if got := h.receive(q); len(got) != 0 {
				t.Fatalf("%d messages are ready at once", len(got))
			}
			h.now = h.now.Add(time.Second)
			got := h.receive(q)
			if len(got) != 1 || got[0].Receives != 2 || string(got[0].Body) != "hello" {
				t.Fatalf("a second later there is %+v, want the foreign message again", got)
			}
			h.conclude(t.Context(), f, q, ours, got)
			h.now = h.now.Add(time.Second)
			if got := h.receive(q); len(got) != 0 {
				t.Error("it is not put back for longer each time")
			}
			h.run(o, a)
			if s := h.status("one"); s != durable.Completed {
				t.Errorf("the instance is %s", s)
			}
		})
	}
}

func TestWhatFailsIsPutBackForASecondOrSome(t *testing.T) {
	t.Parallel()
	h := newTestHub(t)
	o := h.orchestrator() // which does not have the orchestration yet
	h.submit("one")
	if got := h.invoke(t.Context(), o.handle, h.store.Backend().Wake, "wake"); len(got) != 1 {
		t.Fatalf("got failures %v, want the one message", got)
	}
	if h.now = h.now.Add(900 * time.Millisecond); len(h.receive(h.store.Backend().Wake)) != 0 {
		t.Error("it was put back for less than a second")
	}
	if h.now = h.now.Add(5 * time.Second); len(h.receive(h.store.Backend().Wake)) != 1 {
		t.Error("it was put back for longer")
	}
}

func TestStuckCodeEndsTheProcessAndNotTheBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newTestHub(t)
		release := make(chan struct{})
		defer close(release)
		o := h.orchestrator(hello.Bind(func(ctx durable.Context, name string) (string, error) {
			if ctx.InstanceID() == "stuck" {
				<-release
			}
			return name, nil
		}))
		h.submit("stuck")
		h.submit("fine")
		batch := h.receive(h.store.Backend().Wake)
		if answer, err := o.handle(t.Context(), eventOf("wake", batch)); err == nil {
			t.Fatalf("a process that ends answers %v", answer)
		}
		if diff := cmp.Diff([]int{1}, h.exits); diff != "" {
			t.Fatalf("the exits differ (-want +got):\n%s", diff)
		}
		if s := h.status("fine"); s != durable.Completed {
			t.Errorf("the other instance is %s", s)
		}
		// What the process could not tell Lambda any more it has done itself.
		h.now = h.now.Add(10 * time.Second)
		if left := h.all.Queues().Wake; left.Total() != 1 || left.Ready != 1 {
			t.Errorf("in the queue is %+v, want the one message of the stuck instance, ready", left)
		}
	})
}

func TestTheSweepSendsWhatIsDueAndTakesDeadLettersBack(t *testing.T) {
	t.Parallel()
	h := newTestHub(t)
	o := h.orchestrator(hello.Bind(func(ctx durable.Context, name string) (string, error) {
		if err := durable.Sleep(ctx, time.Hour); err != nil {
			return "", err
		}
		return greet.Call(ctx, name)
	}))
	a := h.activities(greet.Bind(greetBody))
	h.submit("one")
	h.run(o, a)
	h.now = h.now.Add(time.Hour)
	sweep := func() {
		t.Helper()
		answer, err := o.handle(t.Context(), tickOf("sweep", h.now))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := json.Marshal(answer); err != nil || string(b) != "{}" {
			t.Errorf("the answer is %s, %v", b, err)
		}
	}
	sweep()
	h.invoke(t.Context(), o.handle, h.store.Backend().Wake, "wake")
	h.invoke(t.Context(), o.handle, h.store.Backend().Inbox, "inbox.fifo")
	work := h.receive(h.store.Backend().Activities)
	if len(work) != 1 {
		t.Fatalf("after the timer there are %d activities, want 1", len(work))
	}
	// The queue gives up on it, and on something that nobody can read.
	dead := h.dead.Backend().Activities
	dead.Send(t.Context(), []backend.Message{work[0].Message, {Body: []byte("hello")}})
	if err := h.store.Backend().Activities.Ack(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	sweep()
	h.run(o, a)
	in, err := h.Client.Get(t.Context(), "one")
	if err != nil || in.Status != durable.Failed || in.Failure.Kind != string(durable.WorkerLost) {
		t.Errorf("it is %s of %+v, %v; want failed of %s", in.Status, in.Failure, err, durable.WorkerLost)
	}
	if n := h.dead.Queues().Activities.Total(); n != 1 {
		t.Errorf("%d dead letters are left, want the one that cannot be read", n)
	}
	if !strings.Contains(h.log.String(), "dead letter stays") {
		t.Error("nobody is told of it")
	}
}

func TestTheOrchestratorRefusesOtherEvents(t *testing.T) {
	t.Parallel()
	o := newTestHub(t).orchestrator()
	for _, event := range []string{`{}`, `{"Records":[]}`, `{"Records":[{"EventSource":"aws:s3"}]}`, `[]`, `"`} {
		if _, err := o.handle(t.Context(), json.RawMessage(event)); err == nil {
			t.Errorf("%s was accepted", event)
		}
	}
}
