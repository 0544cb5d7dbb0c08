package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
	"github.com/google/go-cmp/cmp"
)

func task(attempt uint32) *history.Message {
	m := &history.Message{Instance: "i", Incarnation: life, Attempt: attempt, Event: history.Event{Kind: history.TaskScheduled, Op: "0"}}
	m.ID = store.AttemptID(m)
	return m
}

func TestClaim(t *testing.T) {
	t.Parallel()
	h := newHub()
	for i, want := range []bool{true, false, false} {
		if got, since, err := h.Claim(t.Context(), task(1)); err != nil || got != want || !since.Equal(epoch) {
			t.Errorf("claim %d is %v since %v (%v), want %v since %v", i, got, since, err, want, epoch)
		}
		h.now = h.now.Add(time.Minute)
	}
	h.is(t, "c#"+life+"#"+task(1).ID)
}

// twice puts everything twice, as a client does that repeats a request whose answer was lost.
type twice struct{ backend.Table }

func (t twice) Put(ctx context.Context, item backend.Item, c backend.Condition) error {
	return errors.Join(t.Table.Put(ctx, item, c), t.Table.Put(ctx, item, c))
}

func TestAClaimWhoseAnswerWasLostIsTheOnesWhoMadeIt(t *testing.T) {
	t.Parallel()
	h := newHubOn(func(b backend.Backend) backend.Backend { b.Table = twice{b.Table}; return b })
	for _, want := range []bool{true, false} {
		if mine, _, err := h.Claim(t.Context(), task(1)); mine != want || err != nil {
			t.Errorf("it is mine: %v (%v), want %v", mine, err, want)
		}
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	h := newHub()
	if got, err := h.Attempt(t.Context(), task(1)); got.Number != 0 || err != nil {
		t.Errorf("an attempt is known before any: %+v (%v)", got, err)
	}
	want := store.Attempt{}
	for i, c := range []struct {
		attempt uint32
		state   store.State
		details string
		taken   bool
		kept    string
	}{
		{1, store.Begun, "1", true, "1"},
		{1, store.Begun, `"two"`, true, `"two"`},
		{1, store.Pending, "", true, `"two"`},
		{1, store.Begun, "3", false, ""},
		{1, store.Pending, "4", true, "4"},
		{1, store.Over, "", true, "4"},
		{1, store.Over, "", true, "4"},
		{1, store.Pending, "5", false, ""},
		{2, store.Begun, "", true, "4"},
		{1, store.Over, "", false, ""},
	} {
		h.now = h.now.Add(time.Second)
		var details []byte
		if c.details != "" {
			details = []byte(c.details)
		}
		if taken, err := h.Mark(t.Context(), task(c.attempt), c.state, details); taken != c.taken || err != nil {
			t.Errorf("mark %d is taken: %v (%v)", i, taken, err)
		}
		if c.taken {
			want = store.Attempt{Number: c.attempt, State: c.state, Beat: h.now, Details: []byte(c.kept)}
		}
		got, err := h.Attempt(t.Context(), task(1))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after mark %d (-want +got):\n%s", i, diff)
		}
	}
	h.is(t, "b#"+life+"#"+task(1).ID)
}

func TestAMarkThatAnotherOvertakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		other store.State
		taken bool
	}{{"with the same", store.Pending, true}, {"with an earlier state", store.Begun, true}, {"with a later state", store.Over, false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var h *hub
			raced := false
			h = newHubOn(func(b backend.Backend) backend.Backend {
				inner := b.Table
				b.Table = &hooked{Table: inner, put: func(ctx context.Context, item backend.Item, cond backend.Condition, next putFunc) error {
					if !raced {
						raced = true
						if _, err := h.Mark(ctx, task(1), c.other, []byte("7")); err != nil {
							t.Error(err)
						}
					}
					return next(ctx, item, cond)
				}}
				return b
			})
			taken, err := h.Mark(t.Context(), task(1), store.Pending, nil)
			got, getErr := h.Attempt(t.Context(), task(1))
			if taken != c.taken || errors.Join(err, getErr) != nil || got.State != max(c.other, store.Pending) || string(got.Details) != "7" {
				t.Errorf("it is taken: %v (%v), and the attempt is %+v (%v)", taken, err, got, getErr)
			}
		})
	}
}

// FuzzMark: what an attempt's item holds is read as it was written, or is refused.
func FuzzMark(f *testing.F) {
	f.Add([]byte{history.FormatVersion, 0, 1, '7'})
	f.Add([]byte{history.FormatVersion, 0, 0xff, 0xff, 0xff})
	f.Add([]byte{history.FormatVersion + 1, 0, 1})
	f.Fuzz(func(t *testing.T, value []byte) {
		h := newHub()
		item := backend.Item{Key: backend.Key{Partition: "i#i", Sort: "b#" + life + "#" + task(1).ID}, Owner: life,
			Sequence: backend.Sequence{Generation: 1}, Value: value}
		if h.ports.Table.Put(t.Context(), item, backend.Always()) != nil {
			return
		}
		got, err := h.Attempt(t.Context(), task(1))
		if err != nil {
			if !errors.Is(err, history.ErrFormat) {
				t.Errorf("%v says not what is wrong", err)
			}
			return
		}
		if len(got.Details) >= len(value) || got.Beat.Before(time.UnixMilli(0)) {
			t.Errorf("%x is read as %+v", value, got)
		}
		if taken, err := h.Mark(t.Context(), task(1), store.Pending, nil); !taken || err != nil {
			t.Errorf("it cannot be replaced: %v (%v)", taken, err)
		}
	})
}

// is fails unless the instance's one item has the key.
func (h *hub) is(t *testing.T, sort string) {
	t.Helper()
	items := h.memory.Items()
	if len(items) != 1 || items[0].Partition != "i#i" || items[0].Sort != sort || items[0].Expires.IsZero() {
		t.Errorf("the items are %+v, want one at %s that expires", items, sort)
	}
}
