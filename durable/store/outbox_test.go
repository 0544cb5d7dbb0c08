package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// timer is the message of a timer that fires at due.
func timer(id, op string, due time.Time) *history.Message {
	return &history.Message{ID: store.OperationID(id, life, 0, op, 0), Instance: id, Incarnation: life,
		Event: history.Event{Kind: history.TimerFired, Op: op, At: due}}
}

func activity(id, op string) *history.Message {
	return &history.Message{ID: store.OperationID(id, life, 0, op, 0), Instance: id, Incarnation: life, Attempt: 2,
		Event: history.Event{Kind: history.TaskScheduled, Op: op, Name: "Greet"}}
}

func flush(t *testing.T, o *store.Outbox) {
	t.Helper()
	if err := o.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// due are the operations of the due rows that are there, in order of their keys.
func due(t *testing.T, h *hub) string {
	t.Helper()
	var out []string
	for _, item := range h.memory.Items() {
		if strings.HasPrefix(item.Partition, "due#") {
			m, err := history.DecodeMessage(item.Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, m.Event.Op)
		}
	}
	return strings.Join(out, " ")
}

func TestOutboxSendsEachMessageToItsQueue(t *testing.T) {
	t.Parallel()
	h := newHub()
	out := h.Outbox()
	if !out.Empty() {
		t.Error("a new outbox is not empty")
	}
	out.Inbox(timer("i", "1", epoch))
	out.Start(start("i", life, nil))
	out.Activity(activity("i", "2"))
	out.At(timer("i", "3", epoch), epoch.Add(-time.Hour)) // overdue
	out.At(activity("i", "4"), epoch)
	if out.Empty() {
		t.Error("a full outbox is empty")
	}
	flush(t, out)
	for _, q := range []struct {
		name  string
		queue backend.Queue
		want  []string
	}{
		{"inbox", h.ports.Inbox, []string{"TimerFired i 1"}},
		{"wake", h.ports.Wake, []string{"ExecutionStarted i ", "TimerFired i 3"}},
		{"activities", h.ports.Activities, []string{"TaskScheduled i 2", "TaskScheduled i 4"}},
	} {
		if diff := cmp.Diff(q.want, received(t, q.queue)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", q.name, diff)
		}
	}
	if got := due(t, h); got != "" {
		t.Errorf("there are due rows of %s", got)
	}
}

func TestStartsOfOneTenantAreOneGroup(t *testing.T) {
	t.Parallel()
	h := newHub()
	group := func(instance, name, tenant string) string {
		m := &history.Message{ID: instance, Instance: instance, Incarnation: "1", Event: history.Event{Kind: history.ExecutionStarted, Name: name, Start: &history.Start{}}}
		if tenant != "" {
			m.Event.Start.Tags = map[string]string{history.TenantTag: tenant}
		}
		out := h.Outbox()
		out.Start(m)
		flush(t, out)
		got, err := h.ports.Wake.Receive(t.Context(), 1, 0)
		if err != nil || len(got) != 1 {
			t.Fatalf("got %v, %v", got, err)
		}
		return got[0].Group
	}
	acme := group("a", "Pay", "acme")
	if group("b", "Report", "acme") != acme || group("c", "Pay", "initech") == acme || group("d", "Pay", "") == acme {
		t.Error("a tenant's starts are not together, or not apart from others")
	}
	if group("e", "Pay", "") != group("f", "Pay", "") || group("g", "Report", "") == group("h", "Pay", "") || group("i", "i", "i") == store.Group("i") {
		t.Error("without a tenant starts are not together with those of their orchestration only")
	}
}

func TestMessagesCarryTheirIdentityAndGroup(t *testing.T) {
	t.Parallel()
	h := newHub()
	m := timer(strings.Repeat("世", 256), "1", epoch)
	out := h.Outbox()
	out.Inbox(m)
	flush(t, out)
	got, err := h.ports.Inbox.Receive(t.Context(), 1, 0)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if got[0].ID != m.ID || got[0].Group != store.Group(m.Instance) {
		t.Errorf("sent as %s in group %s", got[0].ID, got[0].Group)
	}
}

func TestWhatIsDueSoonTravelsAndTheRestWaits(t *testing.T) {
	t.Parallel()
	h := newHub()
	out := h.Outbox()
	for op, d := range map[string]time.Duration{
		"1": time.Millisecond, "2": backend.MaxDelay, "3": backend.MaxDelay + time.Millisecond, "4": 365 * 24 * time.Hour,
	} {
		out.At(timer("i", op, epoch.Add(d)), epoch.Add(d))
	}
	out.At(activity("i", "5"), epoch.Add(time.Hour))
	flush(t, out)
	if got := due(t, h); got != "3 5 4" {
		t.Errorf("due rows are of %s, want 3 5 4", got)
	}
	if got := received(t, h.ports.Wake); got != nil {
		t.Errorf("received before its time: %v", got)
	}
	h.now = epoch.Add(time.Millisecond)
	if diff := cmp.Diff([]string{"TimerFired i 1"}, received(t, h.ports.Wake)); diff != "" {
		t.Errorf("after a millisecond: -want +got:\n%s", diff)
	}
	h.now = epoch.Add(backend.MaxDelay)
	if diff := cmp.Diff([]string{"TimerFired i 2"}, received(t, h.ports.Wake)); diff != "" {
		t.Errorf("after the longest delay: -want +got:\n%s", diff)
	}
}

func TestCancelRemovesTheDueRowOfThatTimerOnly(t *testing.T) {
	t.Parallel()
	h := newHub()
	at := epoch.Add(time.Hour)
	out := h.Outbox()
	for _, op := range []string{"1", "2", "3"} {
		out.At(timer("i", op, at), at)
	}
	flush(t, out)
	out = h.Outbox()
	out.Cancel(timer("i", "2", at), at)
	out.Cancel(timer("i", "9", at), at)
	flush(t, out)
	if got := strings.Fields(due(t, h)); len(got) != 2 || slices.Contains(got, "2") {
		t.Errorf("due rows are of %v, want 1 and 3", got)
	}
	past := h.Outbox()
	past.Cancel(timer("i", "1", epoch), epoch)
	if !past.Empty() {
		t.Error("a timer that was due is cancelled: its row is on its way already")
	}
}

// The same timer flushed again, as an obligation, is one row.
func TestFlushingAgainIsHarmless(t *testing.T) {
	t.Parallel()
	h := newHub()
	at := epoch.Add(time.Hour)
	for range 2 {
		out := h.Outbox()
		out.At(timer("i", "1", at), at)
		flush(t, out)
		h.now = h.now.Add(time.Minute)
	}
	if got := due(t, h); got != "1" {
		t.Errorf("due rows are of %s, want 1", got)
	}
}

func TestFlushReportsEveryFailure(t *testing.T) {
	t.Parallel()
	at := epoch.Add(time.Hour)
	for _, op := range []string{"table.put", "table.delete", "activities.send", "wake.send", "inbox.send"} {
		h := failing(op, 1, backendtest.Before)
		out := h.Outbox()
		for n := range 3 {
			out.Inbox(timer("i", fmt.Sprint(n), epoch))
			out.Start(start(fmt.Sprint(n), life, nil))
			out.Activity(activity("i", fmt.Sprint(n)))
		}
		out.At(timer("i", "4", at), at)
		out.Cancel(timer("i", "5", at), at)
		if err := out.Flush(t.Context()); !errors.Is(err, backendtest.ErrInjected) {
			t.Errorf("%s failed, and Flush returned %v", op, err)
		}
		if err := out.Flush(t.Context()); err != nil {
			t.Errorf("%s: flushing again: %v", op, err)
		}
		if got := len(received(t, h.ports.Inbox)); got < 3 {
			t.Errorf("%s: %d of 3 messages arrived", op, got)
		}
	}
}

func TestSweepSendsWhatIsDueWithinTheHorizon(t *testing.T) {
	t.Parallel()
	h := newHub()
	out := h.Outbox()
	horizon := 10 * time.Minute
	base := epoch.Add(24 * time.Hour)
	for n, at := range []time.Time{base.Add(-time.Hour), base, base.Add(horizon), base.Add(horizon + time.Millisecond), base.Add(time.Hour)} {
		id := fmt.Sprintf("instance %d", n) // spread over the shards
		out.At(timer(id, fmt.Sprint(n), at), at)
	}
	flush(t, out)
	h.now = base
	if n, err := h.Sweep(t.Context()); n != 3 || err != nil {
		t.Errorf("swept %d rows, %v, want 3", n, err)
	}
	if n, err := h.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("swept %d rows again, %v", n, err)
	}
	if got := strings.Fields(due(t, h)); !slices.Contains(got, "3") || !slices.Contains(got, "4") || len(got) != 2 {
		t.Errorf("left are %v, want 3 and 4", got)
	}
	if got := received(t, h.ports.Wake); len(got) != 2 {
		t.Errorf("received %v: what is not due yet travels with a delay", got)
	}
	h.now = base.Add(horizon)
	if diff := cmp.Diff([]string{"TimerFired instance 2 2"}, received(t, h.ports.Wake)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSweepSendsActivitiesToTheirQueue(t *testing.T) {
	t.Parallel()
	h := newHub()
	out := h.Outbox()
	out.At(activity("i", "1"), epoch.Add(time.Hour))
	flush(t, out)
	h.now = epoch.Add(2 * time.Hour)
	if n, err := h.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("swept %d rows, %v", n, err)
	}
	if diff := cmp.Diff([]string{"TaskScheduled i 1"}, received(t, h.ports.Activities)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestUnreadableDueRowHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	h := newHub()
	at := epoch.Add(time.Hour)
	out := h.Outbox()
	for n := range 250 { // more than two pages, all in one shard
		out.At(timer("i", fmt.Sprint(n), at), at)
	}
	flush(t, out)
	shard := h.memory.Items()[0].Partition
	for _, sort := range []string{"0000000000000#newer", "no time at all", "0"} {
		value := timer("i", "1", at).Encode()
		if sort != "no time at all" {
			value[0] = history.FormatVersion + 1
		}
		if err := h.ports.Table.Put(t.Context(), backend.Item{Key: backend.Key{Partition: shard, Sort: sort}, Value: value}, backend.Always()); err != nil {
			t.Fatal(err)
		}
	}
	h.now = at
	n, err := h.Sweep(t.Context())
	if n != 250 {
		t.Errorf("swept %d of 250 rows", n)
	}
	if !errors.Is(err, history.ErrFormat) || !strings.Contains(err.Error(), "0000000000000#newer") {
		t.Errorf("error is %v, want one that names the row", err)
	}
	if left := len(h.memory.Items()); left != 3 {
		t.Errorf("%d rows are left, want the 3 that cannot be read", left)
	}
}

func TestDueRowIsSentBeforeItIsDeleted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op    string
		fault backendtest.Fault
		sent  int // by the sweep that fails
	}{{"wake.send", backendtest.Before, 0}, {"wake.send", backendtest.After, 1}, {"table.delete", backendtest.Before, 1}} {
		h := failing(c.op, 1, c.fault)
		at := epoch.Add(time.Hour)
		out := h.Outbox()
		out.At(timer("i", "1", at), at)
		flush(t, out)
		h.now = at
		if n, err := h.Sweep(t.Context()); n != 0 || !errors.Is(err, backendtest.ErrInjected) {
			t.Errorf("%s: swept %d, %v", c.op, n, err)
		}
		if got := due(t, h); got != "1" {
			t.Errorf("%s failed, and the row is gone", c.op)
		}
		if got := len(received(t, h.ports.Wake)); got != c.sent {
			t.Errorf("%s: sent %d, want %d", c.op, got, c.sent)
		}
		if n, err := h.Sweep(t.Context()); n != 1 || err != nil {
			t.Errorf("%s: the next sweep: %d, %v", c.op, n, err)
		}
		if got := len(received(t, h.ports.Wake)); got != 1 {
			t.Errorf("%s: the next sweep sent %d, want 1", c.op, got)
		}
	}
}

func TestRowAddedAfterItsTimeWasSweptIsSent(t *testing.T) {
	t.Parallel()
	h := newHub()
	at := epoch.Add(16 * time.Minute)
	out := h.Outbox()
	out.At(timer("i", "1", at), at) // decided on now, flushed by a worker that stalls
	h.now = at.Add(time.Hour)
	if n, err := h.Sweep(t.Context()); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	flush(t, out)
	if n, err := h.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("swept %d, %v, want the late row", n, err)
	}
}

func TestConfigBoundsDelayAndHorizon(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		direct, horizon time.Duration
		dueAfter        time.Duration // later than this waits in a due row
		sweptWithin     time.Duration
	}{
		"zero":                {0, 0, backend.MaxDelay, 10 * time.Minute},
		"lower":               {3 * time.Second, 0, 3 * time.Second, 2 * time.Second},
		"more than any queue": {time.Hour, time.Hour, backend.MaxDelay, 10 * time.Minute},
		"its own horizon":     {time.Minute, time.Minute, time.Minute, time.Minute},
	} {
		now := epoch
		m := memory.New(memory.Options{Now: func() time.Time { return now }})
		s := store.New(store.Config{Backend: m.Backend(), Now: func() time.Time { return now }, DirectDelay: c.direct, Horizon: c.horizon})
		out := s.Outbox()
		at := epoch.Add(c.dueAfter)
		out.At(timer("i", "1", at), at)
		flush(t, out)
		if n := len(m.Items()); n != 0 {
			t.Errorf("%s: what is due after %v waits in a row", name, c.dueAfter)
		}
		out = s.Outbox()
		at = at.Add(time.Millisecond)
		out.At(timer("i", "2", at), at)
		flush(t, out)
		if n := len(m.Items()); n != 1 {
			t.Errorf("%s: what is due later than after %v does not wait in a row", name, c.dueAfter)
		}
		now = at.Add(-c.sweptWithin - time.Millisecond)
		if n, err := s.Sweep(t.Context()); n != 0 || err != nil {
			t.Errorf("%s: swept %d, %v before the horizon", name, n, err)
		}
		now = at.Add(-c.sweptWithin)
		if n, err := s.Sweep(t.Context()); n != 1 || err != nil {
			t.Errorf("%s: %v before: swept %d, %v", name, c.sweptWithin, n, err)
		}
	}
}

// A due row's key has thirteen digits for the time, for ever: a longer one would sort before all others.
func TestTimerInTheFarFutureWaits(t *testing.T) {
	t.Parallel()
	h := newHub()
	at := time.Date(2317, 1, 1, 0, 0, 0, 0, time.UTC)
	out := h.Outbox()
	out.At(timer("i", "1", at), at)
	flush(t, out)
	if n, err := h.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("a timer of 2317 was swept today: %d, %v", n, err)
	}
	out = h.Outbox()
	out.Cancel(timer("i", "1", at), at)
	flush(t, out)
	if got := due(t, h); got != "" {
		t.Error("it cannot be cancelled")
	}
}

// A timer that came too early goes round as a message: as a row it could be the very one that its sender then deletes.
func TestEarlyTimerIsNoDueRowAgain(t *testing.T) {
	t.Parallel()
	h := newHub()
	at := epoch.Add(time.Hour)
	out := h.Outbox()
	out.Again(timer("i", "1", at), at)
	flush(t, out)
	if got := due(t, h); got != "" {
		t.Errorf("there is a due row of %s", got)
	}
	h.now = epoch.Add(backend.MaxDelay)
	if diff := cmp.Diff([]string{"TimerFired i 1"}, received(t, h.ports.Wake)); diff != "" {
		t.Errorf("after the longest delay: -want +got:\n%s", diff)
	}
}

func TestWhatAsksToGoOnIsSentLast(t *testing.T) {
	t.Parallel()
	for _, fails := range []string{"activities.send", "wake.send", "table.put"} {
		h := failing(fails, 1, backendtest.Before)
		out := h.Outbox()
		out.Activity(&history.Message{ID: "1", Instance: "a", Incarnation: life, Attempt: 1, Event: history.Event{Kind: history.TaskScheduled, Op: "1"}})
		out.At(timer("a", "2", epoch.Add(time.Minute)), epoch.Add(time.Minute))
		out.At(timer("a", "3", epoch.Add(time.Hour)), epoch.Add(time.Hour))
		out.Inbox(&history.Message{ID: "4", Instance: "a", Incarnation: life, Event: history.Event{Kind: history.Continued}})
		if err := out.Flush(t.Context()); err == nil || h.memory.Queues().Inbox.Total() != 0 {
			t.Errorf("without %s: %v, and %d messages ask to go on", fails, err, h.memory.Queues().Inbox.Total())
		}
	}
}
