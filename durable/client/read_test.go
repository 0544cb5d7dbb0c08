package client_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

func TestGetShowsHowItEnded(t *testing.T) {
	t.Parallel()
	failure := &history.Failure{Kind: "Declined", Message: `the bank said "no"`}
	large := text(100_000)
	for name, c := range map[string]struct {
		end     history.Event
		status  durable.Status
		output  string
		failure *history.Failure
	}{
		"completed":           {completed, durable.Completed, `"done"`, nil},
		"completed with none": {history.Event{Kind: history.ExecutionCompleted}, durable.Completed, ``, nil},
		"a large output":      {history.Event{Kind: history.ExecutionCompleted, Data: history.Payload{Bytes: large}}, durable.Completed, string(large), nil},
		"failed":              {history.Event{Kind: history.ExecutionFailed, Failure: failure}, durable.Failed, `"the bank said \"no\""`, failure},
		"terminated":          {history.Event{Kind: history.ExecutionTerminated, Reason: "too late", MessageID: "m"}, durable.Terminated, `"too late"`, nil},
	} {
		h := newHub()
		ref := h.start(t, durable.StartRequest{ID: "i", Input: text(17_000)})
		h.now = epoch.Add(time.Minute)
		h.commit(t, "i", ref.Incarnation, history.Event{Kind: history.CustomStatusSet, Data: history.Payload{Bytes: []byte(`"billing"`)}}, c.end)
		in := h.get(t, "i")
		if in.Status != c.status || string(in.Output) != c.output || string(in.CustomStatus) != `"billing"` || len(in.Input) != 17_000 {
			t.Errorf("%s: %s with output %.40s, custom status %s, input of %d bytes", name, in.Status, in.Output, in.CustomStatus, len(in.Input))
		}
		if diff := cmp.Diff(c.failure, in.Failure); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if !in.Created.Equal(epoch) || !in.Updated.Equal(h.now) {
			t.Errorf("%s: created %v, updated %v", name, in.Created, in.Updated)
		}
	}
}

// listed returns a client over six instances, started a second apart, each in a status of its own.
func listed(t *testing.T) *hub {
	t.Helper()
	h := newHub()
	for n, c := range []struct {
		id, name string
		end      *history.Event
	}{
		{"a1", "Hello", nil}, {"a2", "Bye", &completed},
		{"b3", "Hello", &history.Event{Kind: history.ExecutionFailed, Failure: &history.Failure{Message: "no"}}},
		{"b4", "Bye", &history.Event{Kind: history.ExecutionSuspended, MessageID: "m"}},
		{"b5", "Hello", &history.Event{Kind: history.ExecutionTerminated, MessageID: "m"}},
	} {
		h.now = epoch.Add(time.Duration(n+1) * time.Second)
		ref := h.start(t, durable.StartRequest{ID: c.id, Name: c.name})
		if c.end != nil {
			h.commit(t, c.id, ref.Incarnation, *c.end)
		}
	}
	h.now = epoch.Add(6 * time.Second)
	if _, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "c6"}); err != nil {
		t.Fatal(err)
	}
	return h
}

// pages lists everything by pages of a limit, and returns the ids.
func (h *hub) pages(t *testing.T, q durable.Query, limit int) string {
	t.Helper()
	q.Limit = limit
	var ids []string
	for page := 0; page == 0 || q.Continue != ""; page++ {
		p, err := h.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if limit > 0 && len(p.Instances) > limit || page > 10 {
			t.Fatalf("page %d has %d instances", page, len(p.Instances))
		}
		for _, in := range p.Instances {
			ids = append(ids, in.ID)
		}
		q.Continue = p.Continue
	}
	return strings.Join(ids, " ")
}

func TestList(t *testing.T) {
	t.Parallel()
	h := listed(t)
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	type statuses = []durable.Status
	for _, c := range []struct {
		name string
		q    durable.Query
		want string
	}{
		{"all", durable.Query{}, "c6 b5 b4 b3 a2 a1"},
		{"prefix", durable.Query{IDPrefix: "b"}, "b5 b4 b3"},
		{"prefix of none", durable.Query{IDPrefix: "B"}, ""},
		{"from", durable.Query{From: at(4)}, "c6 b5 b4"},
		{"to", durable.Query{To: at(2)}, "a2 a1"},
		{"from to", durable.Query{From: at(2), To: at(3)}, "b3 a2"},
		{"pending", durable.Query{Statuses: statuses{durable.Pending}}, "c6"},
		{"running", durable.Query{Statuses: statuses{durable.Running}}, "a1"},
		{"suspended", durable.Query{Statuses: statuses{durable.Suspended}}, "b4"},
		{"failed", durable.Query{Statuses: statuses{durable.Failed}}, "b3"},
		{"ended", durable.Query{Statuses: statuses{durable.Completed, durable.Failed, durable.Terminated}}, "b5 b3 a2"},
		{"open", durable.Query{Statuses: statuses{durable.Pending, durable.Running, durable.Suspended}}, "c6 b4 a1"},
		{"some of both", durable.Query{Statuses: statuses{durable.Running, durable.Completed}}, "a2 a1"},
		{"unknown status", durable.Query{Statuses: statuses{"Lost"}}, ""},
		{"names", durable.Query{Names: []string{"Bye", "Never"}}, "b4 a2"},
		{"name, status and prefix", durable.Query{Names: []string{"Hello"}, IDPrefix: "b", Statuses: statuses{durable.Terminated}}, "b5"},
	} {
		for _, limit := range []int{0, 1, 2} {
			if got := h.pages(t, c.q, limit); got != c.want {
				t.Errorf("%s by %d: got %s, want %s", c.name, limit, got, c.want)
			}
		}
	}
}

func TestListRefusesWhatIsNoPlace(t *testing.T) {
	t.Parallel()
	h := listed(t)
	first, err := h.List(t.Context(), durable.Query{Limit: 1})
	if err != nil || first.Continue == "" {
		t.Fatal(first, err)
	}
	other, err := h.List(t.Context(), durable.Query{Limit: 1, IDPrefix: "b"})
	if err != nil {
		t.Fatal(err)
	}
	place, _, _ := strings.Cut(first.Continue, ".")
	changed := "1" + first.Continue[1:]
	if first.Continue[0] == '1' {
		changed = "2" + first.Continue[1:]
	}
	for _, place := range []string{"zzz", "a1", "9999999999999#", ".", place, place + ".", changed, other.Continue} {
		page, err := h.List(t.Context(), durable.Query{Continue: place})
		if !errors.Is(err, durable.ErrInvalid) || page.Instances != nil {
			t.Errorf("List after %q = %v, %v; want ErrInvalid", place, page, err)
		}
	}
}

func TestListByWhatIsSaid(t *testing.T) {
	t.Parallel()
	h := newHub()
	for _, in := range []struct {
		id, name, custom string
		tags             map[string]string
	}{
		{"order-1", "Order", `"half way"`, map[string]string{"team": "blue", "region": "eu"}},
		{"order-2", "Order", `{"done":3}`, map[string]string{"team": "red"}},
		{"ada", "Hello", "", nil},
		{"bob", "Hello", `"HALF done"`, map[string]string{"team": ""}},
	} {
		h.now = h.now.Add(time.Second)
		ref := h.start(t, durable.StartRequest{ID: in.id, Name: in.name, Tags: in.tags})
		if in.custom != "" {
			h.commit(t, in.id, ref.Incarnation, history.Event{Kind: history.CustomStatusSet, Data: history.Payload{Bytes: []byte(in.custom)}})
		}
	}
	tags := func(kv ...string) map[string]string { return map[string]string{kv[0]: kv[1]} }
	for _, c := range []struct {
		name string
		q    durable.Query
		want string
	}{
		{"tag", durable.Query{Tags: tags("team", "blue")}, "order-1"},
		{"two tags", durable.Query{Tags: map[string]string{"team": "red", "region": "eu"}}, ""},
		{"an empty tag is not none", durable.Query{Tags: tags("team", "")}, "bob"},
		{"custom status, letter for letter", durable.Query{CustomStatus: "half"}, "order-1"},
		{"custom status that is no string", durable.Query{CustomStatus: `"done":3`}, "order-2"},
		{"text of a custom status", durable.Query{Text: "half"}, "bob order-1"},
		{"text of an id", durable.Query{Text: "DER-"}, "order-2 order-1"},
		{"text of a name", durable.Query{Text: "hell"}, "bob ada"},
		{"text of a tag", durable.Query{Text: "Region"}, "order-1"},
		{"text and tag", durable.Query{Text: "order", Tags: tags("team", "red")}, "order-2"},
		{"text of none", durable.Query{Text: "xyz"}, ""},
	} {
		for _, limit := range []int{0, 1} {
			if got := h.pages(t, c.q, limit); got != c.want {
				t.Errorf("%s by %d: got %s, want %s", c.name, limit, got, c.want)
			}
		}
	}
}

func TestListHasPagesOf100(t *testing.T) {
	t.Parallel()
	h := newHub()
	for n := range 101 {
		if _, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: fmt.Sprint(n)}); err != nil {
			t.Fatal(err)
		}
	}
	first, err := h.List(t.Context(), durable.Query{})
	if err != nil || len(first.Instances) != 100 || first.Continue == "" {
		t.Fatalf("the first page has %d, then %q, %v", len(first.Instances), first.Continue, err)
	}
	second, err := h.List(t.Context(), durable.Query{Continue: first.Continue})
	if err != nil || len(second.Instances) != 1 {
		t.Errorf("the second page has %d, %v", len(second.Instances), err)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	h := newHub()
	old := h.start(t, durable.StartRequest{ID: "i"})
	h.commit(t, "i", old.Incarnation, completed)
	ref := h.start(t, durable.StartRequest{ID: "i"})
	h.now = epoch.Add(time.Second)
	large := text(50_000)
	h.commit(t, "i", ref.Incarnation,
		history.Event{Kind: history.EventRaised, Name: "Yes", MessageID: "m", Data: history.Payload{Bytes: large}},
		history.Event{Kind: history.TaskScheduled, Op: "0", Name: "Greet"})
	events, err := h.History(t.Context(), "i")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%d %s %s %d", e.Segment, e.Time.Sub(epoch), e.Kind, len(e.Data.Bytes)))
	}
	want := []string{"0 0s ExecutionStarted 0", "1 1s EventRaised 50000", "1 1s TaskScheduled 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := h.Start(t.Context(), durable.StartRequest{Name: "Hello", ID: "j"}); err != nil {
		t.Fatal(err)
	}
	if events, err := h.History(t.Context(), "j"); len(events) != 0 || err != nil {
		t.Errorf("the history of a pending instance: %v, %v", events, err)
	}
}

// Who does not want an input does not pay for reading it: here it could not even be read.
func TestInputsAreReadWhenAskedFor(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.start(t, durable.StartRequest{ID: "i", Input: text(100_000)})
	row, err := h.store.Row(t.Context(), "i")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.Backend().Blobs.Delete(t.Context(), row.Start.Data.Blob); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Get(t.Context(), "i"); err == nil {
		t.Error("an input that is gone was read")
	}
	if in, err := h.Get(t.Context(), "i", durable.NoInput); err != nil || in.Name != "Hello" || in.Input != nil {
		t.Errorf("without its input: %v, %v", in, err)
	}
	if _, err := h.List(t.Context(), durable.Query{}); err == nil {
		t.Error("an input that is gone was listed")
	}
	if page, err := h.List(t.Context(), durable.Query{NoInput: true}); err != nil || len(page.Instances) != 1 {
		t.Errorf("listed without inputs: %v, %v", page, err)
	}
}
