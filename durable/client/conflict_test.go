package client_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

var (
	failed     = history.Event{Kind: history.ExecutionFailed, Failure: &history.Failure{Message: "no"}}
	terminated = history.Event{Kind: history.ExecutionTerminated, MessageID: "t"}
)

func TestReuseWhen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		end   history.Event
		reuse durable.Reuse
		ok    bool
	}{
		{"failed, when failed", failed, durable.ReuseWhen(durable.Failed), true},
		{"failed, when failed or terminated", failed, durable.ReuseWhen(durable.Terminated, durable.Failed), true},
		{"completed, when failed or terminated", completed, durable.ReuseWhen(durable.Terminated, durable.Failed), false},
		{"terminated, when completed", terminated, durable.ReuseWhen(durable.Completed), false},
		{"completed, when nothing", completed, durable.ReuseWhen(), false},
		{"completed, always", completed, durable.ReuseEnded, true},
	} {
		h := newHub()
		ref := h.start(t, durable.StartRequest{ID: "i"})
		_, err := h.Start(t.Context(), durable.StartRequest{Name: "Bye", ID: "i", Reuse: c.reuse})
		wantError(t, c.name+": while it runs", err, durable.ErrExists, "")
		h.commit(t, "i", ref.Incarnation, c.end)
		_, err = h.Start(t.Context(), durable.StartRequest{Name: "Bye", ID: "i", Reuse: c.reuse})
		if !c.ok {
			wantError(t, c.name, err, durable.ErrExists, "a run of Hello")
		} else if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestReuseWhenRefusesWhatHasNotEnded(t *testing.T) {
	t.Parallel()
	defer func() {
		if got, ok := recover().(string); !ok || !strings.Contains(got, "Running") || !strings.Contains(got, "ReplaceExisting") {
			t.Errorf("it panics with %q", got)
		}
	}()
	durable.ReuseWhen(durable.Failed, durable.Running)
}

func TestUseOfWhatExists(t *testing.T) {
	t.Parallel()
	first := durable.StartRequest{Name: "Hello", Version: 2, ID: "i", Input: []byte(`{"a": 1}`)}
	for _, c := range []struct {
		name   string
		change func(*durable.StartRequest)
		use    durable.Conflict
		says   string // "" is: the first one's ref
	}{
		{"the same", func(*durable.StartRequest) {}, durable.UseSame, ""},
		{"other white space", func(r *durable.StartRequest) { r.Input = []byte(`{"a":1}`) }, durable.UseSame, ""},
		{"another input", func(r *durable.StartRequest) { r.Input = []byte(`{"a":2}`) }, durable.UseSame, "another input"},
		{"no input", func(r *durable.StartRequest) { r.Input = nil }, durable.UseSame, "another input"},
		{"another version", func(r *durable.StartRequest) { r.Version = 3 }, durable.UseSame, "another version"},
		{"another orchestration", func(r *durable.StartRequest) { r.Name = "Bye" }, durable.UseSame, "another orchestration"},
		{"whatever its input", func(r *durable.StartRequest) { r.Input, r.Version = []byte(`2`), 3 }, durable.UseExisting, ""},
		{"of another orchestration", func(r *durable.StartRequest) { r.Name = "Bye" }, durable.UseExisting, "another orchestration"},
		{"refused", func(*durable.StartRequest) {}, durable.RefuseStart, "a run of Hello"},
	} {
		h := newHub()
		ref := h.start(t, first)
		again := first
		again.Conflict = c.use
		c.change(&again)
		for _, state := range []string{"it runs", "it has ended"} {
			got, err := h.Start(t.Context(), again)
			if c.says != "" {
				wantError(t, c.name+" while "+state, err, durable.ErrExists, c.says)
			} else if got != ref || err != nil {
				t.Errorf("%s while %s: %v, %v, want %v", c.name, state, got, err, ref)
			}
			if state == "it runs" {
				h.commit(t, "i", ref.Incarnation, completed)
				again.Reuse = durable.ReuseNever
			}
		}
		if again.Reuse = durable.ReuseEnded; c.says == "" {
			if got, err := h.Start(t.Context(), again); err != nil || got == ref {
				t.Errorf("%s: what has ended, and may be replaced, is used: %v, %v", c.name, got, err)
			}
		}
	}
}

// Of an instance that has not begun there is only the row.
func TestTheSameStartOfAnInstanceThatHasNotBegun(t *testing.T) {
	t.Parallel()
	h := newHub()
	req := durable.StartRequest{Name: "Hello", ID: "i", Input: []byte(`{"a": 1}`), Conflict: durable.UseSame}
	ref, err := h.Start(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	req.Input = []byte(`{"a":1}`)
	if got, err := h.Start(t.Context(), req); got != ref || err != nil {
		t.Errorf("the same but for white space: %v, %v, want %v", got, err, ref)
	}
	req.Input = []byte(`{"a":2}`)
	_, err = h.Start(t.Context(), req)
	wantError(t, "another input", err, durable.ErrExists, "another input")
}

// Of an instance that has continued as new the row shows the newest input. The same start is that of the first.
func TestTheSameStartOfAnInstanceThatContinuedAsNew(t *testing.T) {
	t.Parallel()
	h := newHub()
	req := durable.StartRequest{Name: "Hello", ID: "i", Input: text(20_000), Conflict: durable.UseSame}
	ref := h.start(t, req)
	row, err := h.store.Row(t.Context(), "i")
	if err != nil {
		t.Fatal(err)
	}
	row.Generation, row.Start.Data, row.Start.Version = 3, history.Payload{Bytes: []byte(`7`)}, 9
	if err := h.store.Project(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Start(t.Context(), req); got != ref || err != nil {
		t.Errorf("got %v, %v, want %v", got, err, ref)
	}
	req.Input, req.Version = []byte(`7`), 9
	_, err = h.Start(t.Context(), req)
	wantError(t, "what the newest generation has", err, durable.ErrExists, "another version")
}

func TestManyClientsThatStartOneIDMakeOneRun(t *testing.T) {
	t.Parallel()
	h := newHub()
	const clients = 50
	refs := make([]durable.InstanceRef, clients)
	errs := make([]error, clients)
	var ready, done sync.WaitGroup
	ready.Add(clients)
	for i := range clients {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			refs[i], errs[i] = h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "i", Input: []byte(`1`), Conflict: durable.UseSame})
		})
	}
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		if ref != refs[0] {
			t.Errorf("one client has %v, another %v", refs[0], ref)
		}
	}
	begun := 0
	for {
		batch, err := h.ports.Wake.Receive(t.Context(), backend.MaxBatch, 0)
		if err != nil || len(batch) == 0 {
			break
		}
		for _, d := range batch {
			m, err := history.DecodeMessage(d.Body)
			if err != nil {
				t.Fatal(err)
			}
			if accepted, _, err := h.store.Create(t.Context(), m); err != nil {
				t.Fatal(err)
			} else if accepted {
				begun++
			}
		}
		if err := h.ports.Wake.Ack(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if begun != 1 {
		t.Errorf("%d of them run, want 1", begun)
	}
}

func TestReplaceExisting(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]history.Event{"terminated": terminated, "completed just before": completed} {
		h := newHub()
		first := h.start(t, durable.StartRequest{ID: "i"})
		h.on("inbox.send", backendtest.None, func() { h.commit(t, "i", first.Incarnation, end) })
		ref, err := h.Start(t.Context(), durable.StartRequest{Name: "Bye", ID: "i", Conflict: durable.ReplaceExisting, Reuse: durable.ReuseNever})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m := receive(t, h.ports.Inbox)
		if m.Event.Kind != history.ExecutionTerminated || m.Incarnation != first.Incarnation || !strings.Contains(m.Event.Reason, "another start") {
			t.Errorf("%s: the first life was sent %+v", name, m.Event)
		}
		if in := h.get(t, "i"); in.Incarnation != ref.Incarnation || in.Name != "Bye" || ref.Incarnation <= first.Incarnation {
			t.Errorf("%s: %s of %s is shown, want %s", name, in.Name, in.Incarnation, ref.Incarnation)
		}
		if !h.run(t, receive(t, h.ports.Wake)) {
			t.Errorf("%s: the worker refuses the new start", name)
		}
	}
}

func TestReplaceExistingKeepsWhatHasEndedAndMayNotBeReplaced(t *testing.T) {
	t.Parallel()
	h := newHub()
	ref := h.start(t, durable.StartRequest{ID: "i"})
	h.commit(t, "i", ref.Incarnation, completed)
	_, err := h.Start(t.Context(), durable.StartRequest{Name: "Bye", ID: "i", Conflict: durable.ReplaceExisting, Reuse: durable.ReuseWhen(durable.Failed)})
	wantError(t, "completed", err, durable.ErrExists, "a run of Hello")
}

func TestReplaceExistingWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		first := h.start(t, durable.StartRequest{ID: "i"})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := h.Start(ctx, durable.StartRequest{Name: "Bye", ID: "i", Conflict: durable.ReplaceExisting})
		wantError(t, "nobody ends it", err, context.DeadlineExceeded, "start again")
		if in := h.get(t, "i"); in.Incarnation != first.Incarnation {
			t.Errorf("life %s is shown, want %s", in.Incarnation, first.Incarnation)
		}
	})
}

// A rival's start is first, and is over before the client looks: what has ended may be replaced, so it is.
func TestReplaceExistingReplacesARival(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.on("wake.send", backendtest.None, func() {
		incarnation, err := h.store.NewIncarnation("")
		if err != nil {
			t.Fatal(err)
		}
		rival := h.rival(t, incarnation, nil)
		h.run(t, rival)
		h.commit(t, "i", rival.Incarnation, completed)
	})
	ref, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "i", Conflict: durable.ReplaceExisting})
	if in := h.get(t, "i"); err != nil || in.Name != "Hello" || in.Incarnation != ref.Incarnation {
		t.Errorf("%s is shown, %v", in.Name, err)
	}
}
