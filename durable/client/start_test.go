package client_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

func TestStart(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.now = epoch.Add(1234567 * time.Nanosecond)
	ref, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", Version: 3, ID: "i", Input: []byte(`"Ada"`),
		Tags: map[string]string{"team": "blue"}, TraceParent: "00-1-2-01", TraceState: "a=b"})
	if err != nil {
		t.Fatal(err)
	}
	m := receive(t, h.ports.Wake)
	created := epoch.Add(time.Millisecond)
	want := &history.Message{ID: store.StartID("i", ref.Incarnation), Instance: "i", Incarnation: ref.Incarnation, Sent: created,
		Event: history.Event{Kind: history.ExecutionStarted, Name: "Hello", Version: 3, At: created, Data: history.Payload{Bytes: []byte(`"Ada"`)},
			Start: &history.Start{Tags: map[string]string{"team": "blue"}, TraceParent: "00-1-2-01", TraceState: "a=b"}}}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("sent: -want +got:\n%s", diff)
	}
	wantInstance := durable.Instance{ID: "i", Incarnation: ref.Incarnation, Name: "Hello", Version: 3, Status: durable.Pending,
		Input: []byte(`"Ada"`), Created: created, Updated: created, Tags: map[string]string{"team": "blue"}}
	if diff := cmp.Diff(wantInstance, h.get(t, "i")); diff != "" {
		t.Errorf("shown: -want +got:\n%s", diff)
	}
}

func TestStartMakesUpAnID(t *testing.T) {
	t.Parallel()
	h := newHub()
	a, b := h.start(t, durable.StartRequest{}), h.start(t, durable.StartRequest{})
	if a.ID == b.ID || history.CheckInstanceID(a.ID) != nil {
		t.Errorf("made up %q and %q", a.ID, b.ID)
	}
}

func TestLargeInputTravelsAsAReference(t *testing.T) {
	t.Parallel()
	h := newHub()
	input := text(history.MaxPayload)
	if _, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "i", Input: input}); err != nil {
		t.Fatal(err)
	}
	m := receive(t, h.ports.Wake)
	if m.Event.Data.Blob == "" || m.Event.Data.Bytes != nil || m.Event.Data.Size != uint64(len(input)) {
		t.Errorf("the message has %d bytes and blob %q of %d", len(m.Event.Data.Bytes), m.Event.Data.Blob, m.Event.Data.Size)
	}
	if got := h.get(t, "i").Input; string(got) != string(input) {
		t.Errorf("the input is shown with %d bytes", len(got))
	}
}

func TestReuse(t *testing.T) {
	t.Parallel()
	h := newHub()
	first := h.start(t, durable.StartRequest{ID: "i"})
	again := func(r durable.Reuse) error {
		_, err := h.Start(t.Context(), durable.StartRequest{Name: "Bye", ID: "i", Reuse: r})
		return err
	}
	wantError(t, "while it runs", again(durable.ReuseEnded), durable.ErrExists, "a run of Hello")
	h.commit(t, "i", first.Incarnation, history.Event{Kind: history.ExecutionSuspended, MessageID: "m"})
	wantError(t, "while it is suspended", again(durable.ReuseEnded), durable.ErrExists, "2026-01-01T00:00:00Z")
	h.commit(t, "i", first.Incarnation, completed)
	wantError(t, "never", again(durable.ReuseNever), durable.ErrExists, "i")
	if got, err := h.ports.Wake.Receive(t.Context(), 1, 0); len(got) != 0 || err != nil {
		t.Errorf("a refused start was sent (%v)", err)
	}

	h.now = epoch.Add(-time.Hour) // another starter, whose clock is late
	second := h.start(t, durable.StartRequest{Name: "Bye", ID: "i"})
	if second.Incarnation <= first.Incarnation {
		t.Errorf("life %s follows %s", second.Incarnation, first.Incarnation)
	}
	if in := h.get(t, "i"); in.Incarnation != second.Incarnation || in.Name != "Bye" || in.Output != nil {
		t.Errorf("shown is %+v", in)
	}
	old, err := h.store.Load(t.Context(), "i", first.Incarnation, 0)
	if err != nil || old.Segments[len(old.Segments)-1].Events[0].Kind != history.Sealed {
		t.Errorf("the first life is not sealed (%v)", err)
	}
}

// A client and a worker both create; whichever is first, both come to the same answer.
func TestStartRacesWithTheWorker(t *testing.T) {
	t.Parallel()
	for _, replacing := range []bool{false, true} {
		h := newHub()
		if replacing {
			ref := h.start(t, durable.StartRequest{ID: "i"})
			h.commit(t, "i", ref.Incarnation, completed)
		}
		h.on("table.put", backendtest.None, func() { // the start is sent, and its row is not made yet
			if !h.run(t, receive(t, h.ports.Wake)) {
				t.Error("the worker refuses the start")
			}
		})
		ref, err := h.Start(t.Context(), durable.StartRequest{Name: "Bye", ID: "i"})
		if err != nil {
			t.Errorf("replacing %v: %v", replacing, err)
		}
		if in := h.get(t, "i"); in.Incarnation != ref.Incarnation || in.Status != durable.Running {
			t.Errorf("replacing %v: %s of %s is shown", replacing, in.Status, in.Incarnation)
		}
	}
}

func TestStartRacesWithARealWorker(t *testing.T) {
	t.Parallel()
	hello := durable.NewOrchestration[string, string]("Hello")
	h := newHub()
	w, err := worker.New(worker.Config{Store: h.store, Handlers: []durable.Handler{
		hello.Bind(func(_ durable.Context, name string) (string, error) { return "Hello, " + name, nil })}})
	if err != nil {
		t.Fatal(err)
	}
	wake := func() {
		batch, err := h.ports.Wake.Receive(t.Context(), backend.MaxBatch, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range w.Wake(t.Context(), batch) {
			if !o.Ack {
				t.Errorf("the start is not acknowledged: %v", o.Err)
			}
		}
	}
	for n := range 3 { // a new instance, and two that replace the one before, which has ended
		h.now = h.now.Add(time.Minute)
		h.on("table.put", backendtest.None, wake)
		run, err := hello.Submit(t.Context(), h, fmt.Sprint(n), durable.ID("i"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run.Wait(t.Context()); got != fmt.Sprintf("Hello, %d", n) || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

func TestStarted(t *testing.T) {
	t.Parallel()
	hello := durable.NewOrchestration[string, string]("Hello")
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		run, err := hello.Submit(t.Context(), h, "Ada", durable.ID("i"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		in, err := run.Started(ctx)
		wantError(t, "no worker", err, context.DeadlineExceeded, "")
		if in.Status != durable.Pending {
			t.Errorf("what has not started is %s", in.Status)
		}
		go func() {
			time.Sleep(time.Minute)
			h.run(t, receive(t, h.ports.Wake))
		}()
		began := time.Now()
		in, err = run.Started(t.Context())
		if took := time.Since(began); in.Status != durable.Running || err != nil || took < time.Minute || took > 2*time.Minute {
			t.Errorf("it is %s after %v, %v", in.Status, took, err)
		}
		h.commit(t, "i", in.Incarnation, completed)
		if in, err := run.Started(t.Context()); in.Status != durable.Completed || err != nil {
			t.Errorf("it is %s after the end, %v", in.Status, err)
		}
		h.start(t, durable.StartRequest{ID: "i"})
		_, err = run.Started(t.Context())
		wantError(t, "another life", err, durable.ErrNotFound, "replaced")
	})
}

// The worker made the row, ran the instance to its end, and somebody has replaced it: all before the client's own put.
func TestStartThatRanAndWasReplacedWasAccepted(t *testing.T) {
	t.Parallel()
	h := newHub()
	var newer durable.InstanceRef
	h.on("table.put", backendtest.None, func() {
		m := receive(t, h.ports.Wake)
		h.run(t, m)
		h.commit(t, "i", m.Incarnation, completed)
		newer = h.start(t, durable.StartRequest{ID: "i"})
	})
	ref, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "i"})
	if err != nil || ref.Incarnation >= newer.Incarnation {
		t.Errorf("got %+v, %v: it ran, before %s", ref, err, newer.Incarnation)
	}
}

// rival is the start of another client that read the same row.
func (h *hub) rival(t *testing.T, incarnation string, replaces *history.Version) *history.Message {
	t.Helper()
	return &history.Message{ID: store.StartID("i", incarnation), Instance: "i", Incarnation: incarnation, Replaces: replaces, Sent: h.now,
		Event: history.Event{Kind: history.ExecutionStarted, Name: "Rival", At: h.now}}
}

func TestOnlyOneOfTwoClientsIsAccepted(t *testing.T) {
	t.Parallel()
	for name, incarnation := range map[string]string{
		"the rival's life is newer": "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "the rival's life is older": "01JGFJJZ00AAAAAAAAAAAAAAAA",
	} {
		for _, replacing := range []bool{false, true} {
			h := newHub()
			var v *history.Version
			if replacing {
				h.now = epoch.Add(-time.Hour)
				ref := h.start(t, durable.StartRequest{ID: "i"})
				h.commit(t, "i", ref.Incarnation, completed)
				row, err := h.store.Row(t.Context(), "i")
				if err != nil {
					t.Fatal(err)
				}
				v = row.Version()
				h.now = epoch.Add(time.Hour)
			}
			h.on("wake.send", backendtest.None, func() {
				if !h.run(t, h.rival(t, incarnation, v)) {
					t.Error("the rival is refused")
				}
			})
			_, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "i"})
			wantError(t, name, err, durable.ErrExists, "a run of Rival")
			if h.run(t, receive(t, h.ports.Wake)) {
				t.Errorf("%s, replacing %v: a worker runs the start whose client was refused", name, replacing)
			}
			if in := h.get(t, "i"); in.Name != "Rival" {
				t.Errorf("%s, replacing %v: shown is %s", name, replacing, in.Name)
			}
		}
	}
}

// A refused start stays refused when the id is free again.
func TestRefusedStartNeverRuns(t *testing.T) {
	t.Parallel()
	h := newHub()
	first := h.start(t, durable.StartRequest{ID: "i"})
	h.commit(t, "i", first.Incarnation, completed)
	var rival *history.Message
	h.on("wake.send", backendtest.None, func() {
		row, err := h.store.Row(t.Context(), "i")
		if err != nil {
			t.Fatal(err)
		}
		h.now = h.now.Add(time.Second)
		incarnation, err := h.store.NewIncarnation(row.Incarnation)
		if err != nil {
			t.Fatal(err)
		}
		rival = h.rival(t, incarnation, row.Version())
		h.run(t, rival)
	})
	_, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "i"})
	wantError(t, "the refused", err, durable.ErrExists, "Rival")
	h.commit(t, "i", rival.Incarnation, completed)
	if h.run(t, receive(t, h.ports.Wake)) {
		t.Error("the refused start runs after the one that was accepted has ended")
	}
}

// A client that crashes between its two steps has started the instance, or nothing.
func TestClientThatCrashes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op    string
		fault backendtest.Fault
		sent  bool
	}{
		{"wake.send", backendtest.Before, false}, {"wake.send", backendtest.After, true},
		{"table.put", backendtest.Before, true}, {"table.put", backendtest.After, true},
	} {
		h := newHub()
		h.on(c.op, c.fault, nil)
		_, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "i"})
		wantError(t, c.op, err, backendtest.ErrInjected, "")
		batch, err := h.ports.Wake.Receive(t.Context(), backend.MaxBatch, 0)
		if err != nil || len(batch) > 0 != c.sent {
			t.Fatalf("%s: received %d, %v", c.op, len(batch), err)
		}
		if !c.sent {
			if _, err := h.Get(t.Context(), "i"); !strings.Contains(err.Error(), durable.ErrNotFound.Error()) {
				t.Errorf("%s: nothing was sent, and Get returns %v", c.op, err)
			}
			continue
		}
		m, err := history.DecodeMessage(batch[0].Body)
		if err != nil || !h.run(t, m) {
			t.Errorf("%s: the worker cannot make up for the client (%v)", c.op, err)
		}
		if in := h.get(t, "i"); in.Status != durable.Running {
			t.Errorf("%s: status is %s", c.op, in.Status)
		}
	}
}

func TestRaiseReachesTheLifeThatIsShown(t *testing.T) {
	t.Parallel()
	h := newHub()
	first := h.start(t, durable.StartRequest{ID: "i"})
	h.commit(t, "i", first.Incarnation, completed)
	second := h.start(t, durable.StartRequest{ID: "i"})
	data := text(20_000)
	if err := h.Raise(t.Context(), durable.EventRequest{Instance: "i", Name: "Yes", Data: data}); err != nil {
		t.Fatal(err)
	}
	m := receive(t, h.ports.Inbox)
	if m.Incarnation != second.Incarnation || m.Event.Name != "Yes" || m.Event.Data.Bytes != nil ||
		!strings.Contains(m.Event.Data.Blob, second.Incarnation) {
		t.Errorf("sent %+v", m)
	}
	if err := h.store.Hydrate(t.Context(), &m.Event.Data); err != nil || string(m.Event.Data.Bytes) != string(data) {
		t.Errorf("the data arrives with %d bytes, %v", len(m.Event.Data.Bytes), err)
	}
}
