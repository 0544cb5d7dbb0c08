package doctor_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/client"
	"github.com/durable-lambda/durable-lambda/durable/doctor"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

var (
	order = durable.NewOrchestration[string, string]("Order")
	ship  = durable.NewActivity[string, string]("Ship")
	yes   = durable.NewEvent[bool]("Yes")
)

// body waits for an activity, a timer and an event, as the input says.
func body(ctx durable.Context, in string) (string, error) {
	for what := range strings.FieldsSeq(in) {
		var err error
		switch what {
		case "ship":
			_, err = ship.Call(ctx, in)
		case "three":
			var all []*durable.Future[string]
			for range 5 {
				all = append(all, ship.Start(ctx, in))
			}
			_, err = durable.All(ctx, all...)
		case "sleep":
			err = durable.Sleep(ctx, 3*time.Hour)
		case "yes":
			_, err = yes.Next(ctx).Await()
		}
		if err != nil {
			return "", err
		}
	}
	return "done", nil
}

// hub is a hub in memory, with dead-letter queues, and a clock that the test moves.
type hub struct {
	t      *testing.T
	now    time.Time
	memory *memory.Backend
	dead   *memory.Backend
	ports  backend.Backend
	store  *store.Store
	client durable.Client
	worker *worker.Worker
	config doctor.Config
}

func newHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{t: t, now: durabletest.Epoch}
	clock := func() time.Time { return h.now }
	h.memory, h.dead = memory.New(memory.Options{Now: clock}), memory.New(memory.Options{Now: clock})
	d := h.dead.Backend()
	h.ports = h.memory.Backend()
	h.ports.Dead = backend.Dead{Inbox: d.Inbox, Wake: d.Wake, Activities: d.Activities}
	h.store = store.New(store.Config{Backend: h.ports, Now: clock})
	h.client = client.New(h.store)
	h.worker = h.newWorker(order.Bind(body), ship.Bind(func(_ context.Context, s string) (string, error) { return s, nil }))
	h.config = doctor.Config{Store: h.store, Worker: h.newWorker()}
	return h
}

func (h *hub) newWorker(handlers ...durable.Handler) *worker.Worker {
	h.t.Helper()
	w, err := worker.New(worker.Config{Store: h.store, Handlers: handlers, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Jitter: func() float64 { return 0 }})
	if err != nil {
		h.t.Fatal(err)
	}
	return w
}

func (h *hub) submit(id, in string) {
	h.t.Helper()
	if _, err := order.Submit(h.t.Context(), h.client, in, durable.ID(id)); err != nil {
		h.t.Fatal(err)
	}
}

// drop removes all messages that are ready.
func (h *hub) drop(q backend.Queue) []backend.Delivery {
	h.t.Helper()
	var all []backend.Delivery
	for {
		batch, err := q.Receive(h.t.Context(), backend.MaxBatch, 0)
		if err == nil {
			err = q.Ack(h.t.Context(), batch)
		}
		if err != nil {
			h.t.Fatal(err)
		}
		if len(batch) == 0 {
			return all
		}
		all = append(all, batch...)
	}
}

// run handles everything that is ready; without activities when only orchestrations run.
func (h *hub) run(activities bool) {
	h.t.Helper()
	for {
		wake, inbox := h.drop(h.ports.Wake), h.drop(h.ports.Inbox)
		outcomes := append(h.worker.Wake(h.t.Context(), wake), h.worker.Inbox(h.t.Context(), inbox)...)
		if activities {
			for _, d := range h.drop(h.ports.Activities) {
				outcomes = append(outcomes, h.worker.Activity(h.t.Context(), d))
			}
		}
		if len(outcomes) == 0 {
			return
		}
		for _, o := range outcomes {
			if !o.Ack {
				h.t.Fatalf("not acknowledged: %v", o.Err)
			}
		}
	}
}

// examine returns the findings as lines.
func (h *hub) examine(change func(*doctor.Config)) []string {
	h.t.Helper()
	c := h.config
	if change != nil {
		change(&c)
	}
	var lines []string
	s, err := doctor.Examine(h.t.Context(), c, func(f doctor.Finding) {
		line := fmt.Sprintf("%s|%s|%s|%s", f.Kind, f.Instance, f.Problem, f.Action)
		if f.Done {
			line += "|done"
		}
		if f.Err != nil {
			line += "|" + f.Err.Error()
		}
		lines = append(lines, line)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if s.Findings != len(lines) {
		h.t.Errorf("the summary counts %d findings, %d were reported", s.Findings, len(lines))
	}
	return lines
}

func repair(c *doctor.Config) { c.Repair = true }

func (h *hub) want(got []string, want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("the findings differ (-want +got):\n%s", diff)
	}
}

func (h *hub) is(id string, want durable.Status) {
	h.t.Helper()
	in, err := h.client.Get(h.t.Context(), id)
	if err != nil || in.Status != want {
		h.t.Errorf("%s is %s, %v, want %s", id, in.Status, err, want)
	}
}

func TestAHealthyHubHasNoFindings(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for id, in := range map[string]string{"a": "ship yes", "b": "sleep", "c": "yes", "d": ""} {
		h.submit(id, in)
	}
	h.run(true)
	h.want(h.examine(nil))
	h.now = h.now.Add(2 * time.Hour)
	h.want(h.examine(func(c *doctor.Config) { c.Closed = true }))
	if n := h.memory.Queues().Total(); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}

func TestWhatWasLostIsFoundAndRepaired(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.submit("start", "")
	h.drop(h.ports.Wake)
	h.submit("activity", "ship")
	h.submit("many", "three")
	h.run(false)
	h.drop(h.ports.Activities)
	h.submit("timer", "sleep")
	h.run(false)
	for _, item := range h.memory.Items() {
		if strings.HasPrefix(item.Partition, "due#") {
			if err := h.ports.Table.Delete(t.Context(), item.Key); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.now = h.now.Add(time.Hour)
	h.want(h.examine(nil)) // nothing is late by more than the grace and its own time
	h.now = h.now.Add(4 * time.Hour)
	findings := []string{
		"not-sent|timer|the timer 0 for 2026-01-01 03:00:00 has no outcome|send again whatever it waits for",
		"not-sent|activity|the activity Ship (0) has no outcome|send again whatever it waits for",
		"not-sent|many|the activity Ship (0), the activity Ship (1), the activity Ship (2) and 2 more have no outcome|send again whatever it waits for",
		"not-begun|start|its start of Order was accepted, and it has not begun|have it begin",
	}
	h.want(sorted(h.examine(nil)), sorted(findings)...)
	if n := h.memory.Queues().Total(); n != 0 {
		t.Errorf("%d messages were sent without being asked to", n)
	}
	h.want(h.examine(func(c *doctor.Config) { c.Instances = []string{"activity"} }), findings[1])
	for i := range findings {
		findings[i] += "|done"
	}
	h.want(sorted(h.examine(repair)), sorted(findings)...)
	h.run(true)
	for _, id := range []string{"start", "activity", "many", "timer"} {
		h.is(id, durable.Completed)
	}
	h.want(h.examine(func(c *doctor.Config) { c.Closed = true }))
}

func sorted(lines []string) []string {
	out := append([]string(nil), lines...)
	for i := range out {
		for j := i; j > 0 && out[j] < out[j-1]; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

func TestAnInstanceThatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.config.Instances = []string{"nobody"}
	if _, err := doctor.Examine(t.Context(), h.config, func(doctor.Finding) {}); err == nil || err.Error() != `there is no instance "nobody"` {
		t.Errorf("got %v", err)
	}
}

func (h *hub) item(prefix, sort string) backend.Item {
	h.t.Helper()
	for _, item := range h.memory.Items() {
		if strings.HasPrefix(item.Partition, prefix) && strings.HasPrefix(item.Sort, sort) {
			return item
		}
	}
	h.t.Fatalf("there is no item %s %s", prefix, sort)
	return backend.Item{}
}

func (h *hub) put(item backend.Item) {
	h.t.Helper()
	if err := h.ports.Table.Put(h.t.Context(), item, backend.Always()); err != nil {
		h.t.Fatal(err)
	}
}

func TestARowBehindIsBroughtUpToDateAndDamageIsLeft(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.submit("behind", "")
	old := h.item("i#behind", "row")
	h.run(true)
	h.put(old)
	h.submit("ahead", "yes")
	h.submit("odd", "yes")
	h.submit("gap", "yes")
	h.submit("gone", "yes")
	h.submit("newer", "yes")
	h.submit("newer-row", "yes")
	h.run(true)
	ahead := h.item("i#ahead", "row")
	ahead.Sequence.Number = 7
	h.put(ahead)
	odd := h.item("i#odd", "row")
	row, err := history.DecodeRow(odd.Value)
	if err != nil {
		t.Fatal(err)
	}
	odd.Sequence.Number, row.Status = 1, history.StatusSuspended
	odd.Value = row.Encode()
	h.put(odd)
	gap := h.item("i#gap", "h#")
	gap.Sort = strings.TrimSuffix(gap.Sort, "00000000") + "00000001"
	h.put(gap)
	h.is("gone", durable.Running) // so that its row shows that it has begun
	for _, id := range []string{"gap", "gone"} {
		if err := h.ports.Table.Delete(t.Context(), h.item("i#"+id, "h#").Key); err != nil {
			t.Fatal(err)
		}
	}
	for id, sort := range map[string]string{"newer": "h#", "newer-row": "row"} {
		item := h.item("i#"+id, sort)
		if id == "newer" {
			item = h.item("i#newer", sort)
		}
		item.Value = append([]byte{history.FormatVersion + 1}, item.Value[1:]...)
		h.put(item)
	}
	before := h.memory.Items()
	h.now = h.now.Add(90 * time.Minute)
	got := strings.Join(sorted(h.examine(repair)), "\n")
	for _, want := range []string{
		"behind|behind|its status row shows less than its history|bring the row up to date|done",
		"damaged|ahead|it is damaged: worker: the status row shows more than the history holds: it shows 7 segments, and there are 1|",
		"damaged|odd|it is damaged: worker: the status row does not show what its history says",
		"damaged|gap|it is damaged: store: load gap: the history has a gap: segment 0 is missing before h#",
		"damaged|gone|it is damaged: worker: the status row shows more than the history holds: it shows 1 segments, and there are 0|",
		"newer|newer|it cannot be read: store: load newer: ",
		"newer|newer-row|it cannot be read: ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no finding %s", want)
		}
	}
	if n := strings.Count(got, "\n") + 1; n != 7 {
		t.Errorf("%d findings, want 7:\n%s", n, got)
	}
	h.is("behind", durable.Completed)
	after := h.memory.Items()
	for i := range before {
		if before[i].Partition != "i#behind" && !cmp.Equal(before[i], after[i]) {
			t.Errorf("%v was changed", before[i].Key)
		}
	}
}

func TestDueRowsThatNoSweepSends(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.submit("a", "sleep")
	h.submit("b", "sleep")
	h.run(true)
	bad := h.item("due#", "")
	bad.Sort, bad.Value = bad.Sort[:14]+"other", append([]byte{history.FormatVersion + 1}, bad.Value[1:]...)
	h.put(bad)
	h.now = h.now.Add(3*time.Hour + 30*time.Minute)
	h.want(h.examine(nil))
	h.now = h.now.Add(time.Hour)
	got := h.examine(nil)
	if len(got) != 2 || !strings.HasPrefix(got[0], "newer||the due row "+bad.Sort+" cannot be read: ") ||
		!strings.HasPrefix(got[1], "unswept||2 due rows were not sent when due, such as one for ") || !strings.HasSuffix(got[1], ": the sweep does not run, or fails|sweep") {
		t.Errorf("got %q", got)
	}
	h.examine(repair)
	h.run(true)
	h.is("a", durable.Completed)
	h.is("b", durable.Completed)
}

// Where nobody else has the hub open, what is only waiting in a queue is not lost.
func TestWhatWaitsInAQueueIsNotLost(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.submit("raised", "yes") // whose start is lost, but any message begins it
	h.drop(h.ports.Wake)
	if err := yes.Raise(t.Context(), h.client, "raised", true); err != nil {
		t.Fatal(err)
	}
	raised := h.drop(h.ports.Inbox)[0].Message
	h.submit("activity", "ship")
	h.submit("outcome", "ship")
	h.submit("timer", "sleep")
	h.run(false)
	h.submit("start", "")
	raised.ID = ""
	h.ports.Inbox.Send(t.Context(), []backend.Message{raised})
	for _, d := range h.drop(h.ports.Activities) {
		if m, _ := history.DecodeMessage(d.Body); m.Instance == "outcome" {
			h.worker.Activity(t.Context(), d)
		} else {
			h.ports.Activities.Send(t.Context(), []backend.Message{d.Message})
		}
	}
	h.now = h.now.Add(24 * time.Hour)
	if n := len(h.examine(nil)); n != 5 {
		t.Errorf("%d findings by who cannot look into the queues, want 5", n)
	}
	h.want(h.examine(func(c *doctor.Config) { c.Exclusive = true }))
	if q := h.memory.Queues(); q.Ready() != 4 {
		t.Errorf("%+v, want four messages ready again", q)
	}
}
