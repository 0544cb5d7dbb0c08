package worker_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	hist "github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// drop loses every message that is ready.
func (h *hub) drop() {
	h.take(h.ports.Wake)
	h.take(h.ports.Inbox)
	h.take(h.ports.Activities)
}

// waits is what a checkup says that an instance waits for.
func (h *hub) waits(id string) string {
	h.t.Helper()
	c, err := h.Checkup(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, o := range c.Open {
		out = append(out, fmt.Sprintf("%s %s%s", o.Kind, o.Name, o.Op))
	}
	if c.Behind {
		out = append(out, "behind")
	}
	return strings.Join(out, ", ")
}

func (h *hub) repair(id string) []worker.Open {
	h.t.Helper()
	sent, err := h.Repair(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return sent
}

// Whatever an instance waits for is lost, at any point of its life, and a repair has it go on to its end.
func TestRepairBringsBackWhatWasLost(t *testing.T) {
	t.Parallel()
	activityThenTimer := hello.Bind(func(ctx durable.Context, name string) (string, error) {
		greeting, err := greet.Call(ctx, name)
		if err != nil {
			return "", err
		}
		return greeting, durable.Sleep(ctx, time.Hour)
	})
	for name, c := range map[string]struct {
		run  func(h *hub) // up to where the messages are lost
		want string
		wait time.Duration
	}{
		"the start":           {run: func(*hub) {}, want: "ExecutionStarted Hello", wait: time.Hour},
		"an activity":         {run: (*hub).orchestrate, want: "TaskScheduled Greet0", wait: time.Hour},
		"an outcome":          {run: func(h *hub) { h.orchestrate(); h.work() }, want: "TaskScheduled Greet0", wait: time.Hour},
		"a timer's message":   {run: func(h *hub) { h.settle(); h.now = h.now.Add(time.Hour); sweep(h) }, want: "TimerCreated 1"},
		"a timer's due row":   {run: func(h *hub) { h.settle(); h.loseDueRows(); h.now = h.now.Add(time.Hour) }, want: "TimerCreated 1"},
		"a row, much earlier": {run: func(h *hub) { h.settle(); h.loseDueRows() }, want: "TimerCreated 1", wait: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, worker.Config{}, activityThenTimer, greet.Bind(greetBody))
			h.submit("a")
			c.run(h)
			h.drop()
			if got := h.waits("a"); got != c.want {
				t.Errorf("the checkup says %q, want %q", got, c.want)
			}
			h.now = h.now.Add(6 * time.Minute) // a queue remembers for five what it has delivered, and drops a repetition
			before := len(h.memory.Items())
			sent := h.repair("a")
			if len(sent) == 0 {
				t.Error("the repair says that it has sent nothing")
			}
			if n := len(h.memory.Items()); n > before+1 {
				t.Errorf("the repair adds %d items, want no more than a due row", n-before)
			}
			h.repair("a") // twice does no harm
			h.settle()
			h.advance(c.wait)
			h.is("a", durable.Completed)
			if got := h.waits("a"); got != "" {
				t.Errorf("after its end the checkup says %q", got)
			}
		})
	}
}

func TestRepairHasAnUnfinishedTurnGoOn(t *testing.T) {
	t.Parallel()
	handOn := true
	h := newHub(t, near(&handOn), greet.Bind(greetBody), fanOut(10))
	h.submit("a")
	h.done(h.Wake(t.Context(), h.take(h.ports.Wake)))
	h.drop()
	handOn = false
	h.now = h.now.Add(6 * time.Minute) // as above
	if got := h.waits("a"); !strings.HasPrefix(got, "TaskScheduled Greet0, ") || !strings.HasSuffix(got, "TaskScheduled Greet3, Continued ") {
		t.Errorf("the checkup says %q", got)
	}
	commits := len(h.segments("a"))
	h.repair("a")
	if got := len(h.segments("a")); got != commits {
		t.Errorf("the repair has committed %d segments itself", got-commits)
	}
	on := h.take(h.ports.Inbox)
	if len(on) != 1 || message(t, on[0]).Event.Kind != hist.Continued {
		t.Fatalf("the rest was left to %d messages, want one that continues", len(on))
	}
	h.done(h.Inbox(t.Context(), on))
	h.settle()
	if in := h.is("a", durable.Completed); string(in.Output) != `"10"` {
		t.Errorf("the output is %s", in.Output)
	}
}

func sweep(h *hub) {
	if _, err := h.Sweep(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// loseDueRows removes all due rows.
func (h *hub) loseDueRows() {
	h.t.Helper()
	for _, item := range h.memory.Items() {
		if strings.HasPrefix(item.Partition, "due#") {
			if err := h.ports.Table.Delete(h.t.Context(), item.Key); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

// row returns an instance's row as it is stored.
func (h *hub) row(id string) backend.Item {
	h.t.Helper()
	item, err := h.ports.Table.Get(h.t.Context(), backend.Key{Partition: "i#" + id, Sort: "row"})
	if err != nil || item == nil {
		h.t.Fatal(item, err)
	}
	return *item
}

func (h *hub) put(item backend.Item) {
	h.t.Helper()
	if err := h.ports.Table.Put(h.t.Context(), item, backend.Always()); err != nil {
		h.t.Fatal(err)
	}
}

func TestRepairShowsTheStatus(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, waitForYes)
	h.submit("a")
	old := h.row("a")
	h.orchestrate()
	h.raise("a")
	h.orchestrate()
	good := h.row("a")
	h.put(old)
	if got := h.waits("a"); got != "behind" {
		t.Errorf("the checkup says %q, want behind", got)
	}
	h.repair("a")
	if diff := cmp.Diff(good, h.row("a")); diff != "" {
		t.Errorf("the row is another (-want +got):\n%s", diff)
	}
	if got := h.waits("a"); got != "" {
		t.Errorf("then the checkup says %q", got)
	}
}

func TestARowAheadOfItsHistoryIsLeftAlone(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, waitForYes)
	h.submit("a")
	h.orchestrate()
	ahead := h.row("a")
	ahead.Sequence.Number = 2
	h.put(ahead)
	before := h.memory.Items()
	if _, err := h.Checkup(t.Context(), "a"); !errors.Is(err, worker.ErrAhead) {
		t.Errorf("the checkup says %v, want ErrAhead", err)
	}
	if _, err := h.Repair(t.Context(), "a"); !errors.Is(err, worker.ErrAhead) {
		t.Errorf("the repair says %v, want ErrAhead", err)
	}
	if diff := cmp.Diff(before, h.memory.Items()); diff != "" || h.memory.Queues().Total() > 0 {
		t.Errorf("something was changed or sent (-before +after):\n%s", diff)
	}
}

// Between the look at its row and the repair an instance may be replaced, or removed: nothing of the old life comes back.
func TestRepairNeverBeginsWhatIsGone(t *testing.T) {
	t.Parallel()
	h := newHub(t, worker.Config{}, waitForYes)
	h.submit("a")
	h.drop()
	h.repair("a")
	if err := h.ports.Table.Delete(t.Context(), h.row("a").Key); err != nil {
		t.Fatal(err)
	}
	h.settle()
	if items := h.memory.Items(); len(items) > 0 {
		t.Errorf("%d items came back", len(items))
	}
	if c, err := h.Checkup(t.Context(), "a"); c != nil || err != nil {
		t.Errorf("the checkup says %+v, %v of what is not there", c, err)
	}
	if sent, err := h.Repair(t.Context(), "a"); sent != nil || err != nil {
		t.Errorf("the repair says %+v, %v of what is not there", sent, err)
	}
}

func TestRepairOfWhatIsNotBrokenChangesNothing(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"ended", "terminated", "suspended"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, worker.Config{}, greet.Bind(greetBody), hello.Bind(func(ctx durable.Context, name string) (string, error) {
				greet.Start(ctx, name)
				_, err := yes.Next(ctx).Await()
				return "done", err
			}))
			h.submit(id)
			h.orchestrate()
			switch id {
			case "ended":
				h.raise(id)
			case "terminated":
				h.manage(id, durable.Terminate, "no")
			case "suspended":
				h.manage(id, durable.Suspend, "wait")
			}
			h.orchestrate()
			h.drop()
			segments := h.segments(id)
			h.repair(id)
			wanted := 1 // the activity: nobody knows whether it ran
			if id == "terminated" {
				wanted = 0
			}
			if n := h.memory.Queues().Total(); n != wanted {
				t.Errorf("%d messages were sent, want %d", n, wanted)
			}
			h.settle()
			got := h.segments(id)
			if id == "suspended" { // its outcome is kept for later
				got = got[:len(got)-1]
			}
			if !slices.EqualFunc(segments, got, func(a, b []durable.HistoryEvent) bool { return cmp.Equal(a, b) }) {
				t.Errorf("the history has changed:\n%s", cmp.Diff(segments, got))
			}
		})
	}
}

func TestACheckupKnowsHowLongAnActivityMayTake(t *testing.T) {
	t.Parallel()
	var long time.Duration
	for _, c := range []struct {
		name string
		opts []durable.ActivityOption
		want time.Duration
	}{
		{"by default", nil, 2*(5*time.Minute+30*time.Second) + 5*time.Minute},
		{"with a time-out", []durable.ActivityOption{durable.Timeout(time.Hour)}, 2*(time.Hour+30*time.Second) + 5*time.Minute},
		{"with pauses", []durable.ActivityOption{durable.Retry{Attempts: 3, Initial: time.Hour, Factor: 2}},
			3*2*(5*time.Minute+30*time.Second) + 5*time.Minute + 3*time.Hour*11/10},
		{"for ever", []durable.ActivityOption{durable.Retry{Attempts: 1 << 30, Initial: time.Hour, Factor: 2}}, 10 * 365 * 24 * time.Hour},
	} {
		a := durable.NewActivity[string, string]("Long", c.opts...)
		h := newHub(t, worker.Config{}, hello.Bind(func(ctx durable.Context, name string) (string, error) { return a.Call(ctx, name) }))
		h.submit("a")
		h.orchestrate()
		got, err := h.Checkup(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if long = got.Open[0].Until.Sub(got.Open[0].Since); long != c.want || got.Open[0].Kind != hist.TaskScheduled {
			t.Errorf("%s: %v, want %v", c.name, long, c.want)
		}
	}
}
