package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// hub is a client over a memory backend without a worker: the tests do by hand what workers do.
type hub struct {
	*client.Client
	store *store.Store
	ports backend.Backend
	now   time.Time
	// fault, when set, decides about each call to the backend.
	fault backendtest.Plan
}

func newHub() *hub {
	h := &hub{now: epoch}
	clock := func() time.Time { return h.now }
	h.ports = memory.New(memory.Options{Now: clock}).Backend()
	h.store = store.New(store.Config{Backend: h.ports, Now: clock})
	faulty := backendtest.Faulty(h.ports, func(op string) backendtest.Fault {
		if h.fault == nil {
			return backendtest.None
		}
		return h.fault(op)
	})
	h.Client = client.New(store.New(store.Config{Backend: faulty, Now: clock}))
	return h
}

// on makes the first call of op meet a fault, after doing something.
func (h *hub) on(op string, fault backendtest.Fault, do func()) {
	h.fault = func(o string) backendtest.Fault {
		if o != op {
			return backendtest.None
		}
		h.fault = nil
		if do != nil {
			do()
		}
		return fault
	}
}

// receive takes the one message that is in the queue.
func receive(t *testing.T, q backend.Queue) *history.Message {
	t.Helper()
	batch, err := q.Receive(t.Context(), backend.MaxBatch, 0)
	if err != nil || len(batch) != 1 {
		t.Fatalf("received %d messages, %v, want one", len(batch), err)
	}
	m, err := history.DecodeMessage(batch[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Ack(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	return m
}

// run is a worker that gets a start: it makes the row and commits the first segment. It reports whether the start was
// accepted.
func (h *hub) run(t *testing.T, m *history.Message) bool {
	t.Helper()
	accepted, _, err := h.store.Create(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if accepted {
		h.commit(t, m.Instance, m.Incarnation, m.Event)
	}
	return accepted
}

// commit adds a segment to an instance's history and shows what it says.
func (h *hub) commit(t *testing.T, id, incarnation string, events ...history.Event) {
	t.Helper()
	loaded, err := h.store.Load(t.Context(), id, incarnation, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.Commit(t.Context(), loaded, &history.Segment{Time: h.now, Released: true, Events: events}); err != nil {
		t.Fatal(err)
	}
	row, err := h.store.Row(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	row.Number, row.Status, row.Updated = uint64(len(loaded.Segments)), history.StatusRunning, h.now
	for _, e := range events {
		switch e.Kind {
		case history.ExecutionSuspended:
			row.Status, row.SuspendReason = history.StatusSuspended, e.Reason
		case history.ExecutionCompleted:
			row.Status, row.End = history.StatusCompleted, &e
		case history.ExecutionFailed:
			row.Status, row.End = history.StatusFailed, &e
		case history.ExecutionTerminated:
			row.Status, row.End = history.StatusTerminated, &e
		case history.CustomStatusSet:
			row.Custom = e.Data
		}
	}
	if err := h.store.Project(t.Context(), row); err != nil {
		t.Fatal(err)
	}
}

var completed = history.Event{Kind: history.ExecutionCompleted, Data: history.Payload{Bytes: []byte(`"done"`)}}

// start starts an instance and lets its first turn happen.
func (h *hub) start(t *testing.T, req durable.StartRequest) durable.InstanceRef {
	t.Helper()
	if req.Name == "" {
		req.Name = "Hello"
	}
	ref, err := h.Start(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if !h.run(t, receive(t, h.ports.Wake)) {
		t.Fatal("the worker refuses what the client was told is accepted")
	}
	return ref
}

func (h *hub) get(t *testing.T, id string) durable.Instance {
	t.Helper()
	in, err := h.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func wantError(t *testing.T, what string, err, want error, words string) {
	t.Helper()
	if !errors.Is(err, want) || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: error is %v, want %v with %q", what, err, want, words)
	}
}

// text is a JSON string of n bytes.
func text(n int) json.RawMessage { return json.RawMessage(`"` + strings.Repeat("x", n-2) + `"`) }

func TestAStartForNeverIsInvalid(t *testing.T) {
	t.Parallel()
	_, err := newHub().Start(t.Context(), durable.StartRequest{Name: "Hello", At: time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)})
	wantError(t, "too late", err, durable.ErrInvalid, "2286-01-01")
}

func TestAScheduledStartIsNotRoundedDown(t *testing.T) {
	t.Parallel()
	h := newHub()
	if _, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "i", At: epoch.Add(time.Second + time.Nanosecond)}); err != nil {
		t.Fatal(err)
	}
	if in := h.get(t, "i"); !in.StartAt.Equal(epoch.Add(1001 * time.Millisecond)) {
		t.Errorf("it is for %v", in.StartAt)
	}
}

func TestInvalidRequests(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.start(t, durable.StartRequest{ID: "i"})
	for what, c := range map[string]struct {
		req   durable.StartRequest
		words string
	}{
		"no name":         {durable.StartRequest{ID: "j"}, "no name"},
		"long name":       {durable.StartRequest{Name: strings.Repeat("x", 257)}, "257 bytes"},
		"entity's id":     {durable.StartRequest{Name: "Hello", ID: "@x"}, "entities"},
		"slash in the id": {durable.StartRequest{Name: "Hello", ID: "a/b"}, "not allowed"},
		"long id":         {durable.StartRequest{Name: "Hello", ID: strings.Repeat("x", 257)}, "257 characters"},
		"broken input":    {durable.StartRequest{Name: "Hello", Input: json.RawMessage(`{"a":`)}, "not valid JSON"},
		"large input":     {durable.StartRequest{Name: "Hello", Input: text(history.MaxPayload + 1)}, "keep it elsewhere"},
		"large tags":      {durable.StartRequest{Name: "Hello", Tags: map[string]string{"k": strings.Repeat("x", 4096)}}, "4097 bytes"},
		"large trace":     {durable.StartRequest{Name: "Hello", TraceState: strings.Repeat("x", 4097)}, "4097 bytes"},
	} {
		_, err := h.Start(t.Context(), c.req)
		wantError(t, what, err, durable.ErrInvalid, c.words)
	}
	for what, c := range map[string]struct {
		err   error
		words string
	}{
		"event without a name":   {h.Raise(t.Context(), durable.EventRequest{Instance: "i"}), "no name"},
		"event with broken data": {h.Raise(t.Context(), durable.EventRequest{Instance: "i", Name: "Yes", Data: json.RawMessage("{")}), "not valid JSON"},
		"event with large data":  {h.Raise(t.Context(), durable.EventRequest{Instance: "i", Name: "Yes", Data: text(history.MaxPayload + 1)}), "keep it elsewhere"},
		"no command":             {h.Manage(t.Context(), durable.ManageRequest{Instance: "i"}), "command 0"},
		"unknown command":        {h.Manage(t.Context(), durable.ManageRequest{Instance: "i", Command: 99}), "command 99"},
		"long reason": {h.Manage(t.Context(), durable.ManageRequest{Instance: "i", Command: durable.Terminate,
			Reason: strings.Repeat("x", history.MaxReason+1)}), "4097 bytes"},
	} {
		wantError(t, what, c.err, durable.ErrInvalid, c.words)
	}
	for name, q := range map[string]backend.Queue{"inbox": h.ports.Inbox, "wake": h.ports.Wake} {
		if got, err := q.Receive(t.Context(), 1, 0); len(got) != 0 || err != nil {
			t.Errorf("something invalid was sent to the %s (%v)", name, err)
		}
	}
}

func TestUnknownInstances(t *testing.T) {
	t.Parallel()
	h := newHub()
	for _, id := range []string{"nobody", "", "@entity", "a/b", strings.Repeat("x", 300)} {
		_, errGet := h.Get(t.Context(), id)
		_, errHistory := h.History(t.Context(), id)
		for what, err := range map[string]error{
			"Get": errGet, "History": errHistory,
			"Raise":  h.Raise(t.Context(), durable.EventRequest{Instance: id, Name: "Yes"}),
			"Manage": h.Manage(t.Context(), durable.ManageRequest{Instance: id, Command: durable.Terminate}),
		} {
			wantError(t, what, err, durable.ErrNotFound, "")
		}
	}
}

func TestEndedInstances(t *testing.T) {
	t.Parallel()
	h := newHub()
	ref := h.start(t, durable.StartRequest{ID: "i"})
	h.commit(t, "i", ref.Incarnation, completed)
	wantError(t, "Raise", h.Raise(t.Context(), durable.EventRequest{Instance: "i", Name: "Yes"}), durable.ErrEnded, "i")
	for _, c := range []durable.Command{durable.Terminate, durable.Suspend, durable.Resume} {
		wantError(t, "Manage", h.Manage(t.Context(), durable.ManageRequest{Instance: "i", Command: c}), durable.ErrEnded, "i")
	}
}

func TestManage(t *testing.T) {
	t.Parallel()
	h := newHub()
	ref := h.start(t, durable.StartRequest{ID: "i"})
	manage := func(c durable.Command) error {
		return h.Manage(t.Context(), durable.ManageRequest{Instance: "i", Command: c, Reason: "because"})
	}
	sent := func(c durable.Command, want history.Kind) {
		t.Helper()
		if err := manage(c); err != nil {
			t.Fatal(err)
		}
		m := receive(t, h.ports.Inbox)
		if m.Event.Kind != want || m.Event.Reason != "because" || m.Incarnation != ref.Incarnation || m.ID == "" || m.ID != m.Event.MessageID {
			t.Errorf("sent %+v, want a %s", m, want)
		}
	}
	wantError(t, "resume while it runs", manage(durable.Resume), durable.ErrNotSuspended, "i")
	sent(durable.Suspend, history.ExecutionSuspended)
	sent(durable.Terminate, history.ExecutionTerminated)
	h.commit(t, "i", ref.Incarnation, history.Event{Kind: history.ExecutionSuspended, Reason: "stock taking", MessageID: "m"})
	if in := h.get(t, "i"); in.Status != durable.Suspended || in.SuspendReason != "stock taking" {
		t.Errorf("got %s, %q", in.Status, in.SuspendReason)
	}
	wantError(t, "suspend again", manage(durable.Suspend), durable.ErrSuspended, "i")
	sent(durable.Resume, history.ExecutionResumed)
	sent(durable.Terminate, history.ExecutionTerminated)
	if err := h.Raise(t.Context(), durable.EventRequest{Instance: "i", Name: "Yes"}); err != nil {
		t.Errorf("an event for a suspended instance: %v", err)
	}
}

// An instance can be told something before its first turn.
func TestPendingInstanceTakesMessages(t *testing.T) {
	t.Parallel()
	h := newHub()
	if _, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "i"}); err != nil {
		t.Fatal(err)
	}
	if err := h.Raise(t.Context(), durable.EventRequest{Instance: "i", Name: "Yes"}); err != nil {
		t.Error(err)
	}
	if in := h.get(t, "i"); in.Status != durable.Pending || !in.Created.Equal(epoch) || !in.Updated.Equal(epoch) {
		t.Errorf("got %s, created %v, updated %v", in.Status, in.Created, in.Updated)
	}
}

func TestTheSameIDIsTheSameMessage(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.start(t, durable.StartRequest{ID: "i"})
	h.start(t, durable.StartRequest{ID: "j"})
	raise := func(instance, id string) string {
		t.Helper()
		if err := h.Raise(t.Context(), durable.EventRequest{Instance: instance, Name: "Yes", ID: id}); err != nil {
			t.Fatal(err)
		}
		h.now = h.now.Add(time.Hour) // beyond what the queue remembers
		m := receive(t, h.ports.Inbox)
		if m.ID != m.Event.MessageID {
			t.Errorf("sent as %s, kept as %s", m.ID, m.Event.MessageID)
		}
		return m.ID
	}
	first := raise("i", "payment 7")
	if again := raise("i", "payment 7"); again != first {
		t.Errorf("the same id gave %s and %s", first, again)
	}
	seen := map[string]string{first: "the first"}
	for what, id := range map[string]string{
		"another id": raise("i", "payment 8"), "another instance": raise("j", "payment 7"),
		"no id": raise("i", ""), "no id again": raise("i", ""),
	} {
		if seen[id] != "" {
			t.Errorf("%s is the same message as %s", what, seen[id])
		}
		seen[id] = what
	}
}

// A command whose id an event has used already is not that event: else it would be taken for a duplicate and dropped.
func TestCommandsAndEventsDoNotShareIDs(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.start(t, durable.StartRequest{ID: "i"})
	seen := map[string]history.Kind{}
	for _, send := range []func() error{
		func() error { return h.Raise(t.Context(), durable.EventRequest{Instance: "i", Name: "Yes", ID: "7"}) },
		func() error {
			return h.Manage(t.Context(), durable.ManageRequest{Instance: "i", Command: durable.Suspend, ID: "7"})
		},
		func() error {
			return h.Manage(t.Context(), durable.ManageRequest{Instance: "i", Command: durable.Terminate, ID: "7"})
		},
	} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
		h.now = h.now.Add(time.Hour)
		m := receive(t, h.ports.Inbox)
		if other, taken := seen[m.ID]; taken {
			t.Errorf("a %s is the same message as a %s", m.Event.Kind, other)
		}
		seen[m.ID] = m.Event.Kind
	}
}

func TestBackendErrorsComeThrough(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.start(t, durable.StartRequest{ID: "i", Input: text(20_000)})
	ctx := context.Background()
	calls := map[string]func() error{
		"table.get":   func() error { _, err := h.Get(ctx, "i"); return err },
		"blobs.get":   func() error { _, err := h.Get(ctx, "i"); return err },
		"table.query": func() error { _, err := h.History(ctx, "i"); return err },
		"table.index": func() error { _, err := h.List(ctx, durable.Query{}); return err },
		"inbox.send":  func() error { return h.Raise(ctx, durable.EventRequest{Instance: "i", Name: "Yes"}) },
		"blobs.put": func() error {
			return h.Raise(ctx, durable.EventRequest{Instance: "i", Name: "Yes", Data: text(20_000)})
		},
		"wake.send": func() error { _, err := h.Start(ctx, durable.StartRequest{Name: "Hello", ID: "j"}); return err },
		"table.put": func() error { _, err := h.Start(ctx, durable.StartRequest{Name: "Hello", ID: "k"}); return err },
	}
	for op, call := range calls {
		h.on(op, backendtest.Before, nil)
		err := call()
		wantError(t, op, err, backendtest.ErrInjected, "")
		for _, sentinel := range []error{durable.ErrNotFound, durable.ErrExists, durable.ErrEnded, durable.ErrInvalid} {
			if errors.Is(err, sentinel) {
				t.Errorf("%s failed, and the error is also %v", op, sentinel)
			}
		}
	}
}
