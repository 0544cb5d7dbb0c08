package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/backendtest"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

func TestWhatIsCommittedIsLoaded(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.create(t, start("i", life, nil))
	mine := h.load(t, "i", life)
	if len(mine.Segments) != 0 {
		t.Fatalf("a new instance has %d segments", len(mine.Segments))
	}
	h.commit(t, mine, "a", "b", "c")
	h.commit(t, h.load(t, "i", "01JGFJJZ00BBBBBBBBBBBBBBBB"), "of another life")
	h.commit(t, h.load(t, "other", life), "of another instance")
	if diff := cmp.Diff(mine, h.load(t, "i", life), unexported); diff != "" {
		t.Errorf("-committed +loaded:\n%s", diff)
	}
	seen := map[string]bool{}
	for _, s := range mine.Segments {
		if len(s.Nonce) != 32 || seen[s.Nonce] {
			t.Errorf("nonce %q is not unique", s.Nonce)
		}
		seen[s.Nonce] = true
	}
}

func TestSecondCommitOfANumberConflicts(t *testing.T) {
	t.Parallel()
	h := newHub()
	first, second := h.load(t, "i", life), h.load(t, "i", life)
	h.commit(t, first, "first")
	if err := h.Commit(t.Context(), second, segment("second")); !errors.Is(err, store.ErrConflict) {
		t.Errorf("error is %v, want ErrConflict", err)
	}
	if got := len(second.Segments); got != 0 {
		t.Errorf("the history of the one that lost has %d segments", got)
	}
	if got := names(h.load(t, "i", life)); got != "first" {
		t.Errorf("committed is %q, want the first", got)
	}
}

func TestCommitWhoseAnswerWasLostAndRepeatedIsOurs(t *testing.T) {
	t.Parallel()
	h := newHooked(&hooked{put: putTwice})
	mine := h.load(t, "i", life)
	h.commit(t, mine, "a", "b")
	if got := names(h.load(t, "i", life)); got != "a b" || len(mine.Segments) != 2 {
		t.Errorf("committed is %q, known %d segments", got, len(mine.Segments))
	}
}

func TestCommitOfUnknownOutcomeIsNoConflict(t *testing.T) {
	t.Parallel()
	for fault, want := range map[backendtest.Fault]string{backendtest.Before: "", backendtest.After: "a"} {
		h := failing("table.put", 1, fault)
		mine := h.load(t, "i", life)
		err := h.Commit(t.Context(), mine, segment("a"))
		if !errors.Is(err, backendtest.ErrInjected) || errors.Is(err, store.ErrConflict) {
			t.Errorf("error is %v, want the table's", err)
		}
		if len(mine.Segments) != 0 {
			t.Error("a segment whose fate is unknown became part of the history")
		}
		if got := names(h.load(t, "i", life)); got != want {
			t.Errorf("committed is %q, want %q", got, want)
		}
	}
}

func TestLoadOfManySegments(t *testing.T) {
	t.Parallel()
	h := newHub()
	all := h.load(t, "i", life)
	for n := range 2050 {
		switch n {
		case 999, 1000, 1001, 2000:
			if got := len(h.load(t, "i", life).Segments); got != n {
				t.Errorf("loaded %d of %d segments", got, n)
			}
		}
		h.commit(t, all, fmt.Sprint(n))
	}
	if diff := cmp.Diff(all, h.load(t, "i", life), unexported); diff != "" {
		t.Errorf("-committed +loaded:\n%s", diff)
	}
}

func TestLoadOfADamagedHistory(t *testing.T) {
	t.Parallel()
	damage := func(t *testing.T, f func(h *hub, items []backend.Item) error) error {
		t.Helper()
		h := newHub()
		h.commit(t, h.load(t, "i", life), "a", "b", "c")
		if err := f(h, h.memory.Items()); err != nil {
			t.Fatal(err)
		}
		_, err := h.Load(t.Context(), "i", life, 0)
		return err
	}
	missing := damage(t, func(h *hub, items []backend.Item) error { return h.ports.Table.Delete(t.Context(), items[1].Key) })
	if missing == nil || !strings.Contains(missing.Error(), "segment 1 is missing") {
		t.Errorf("error is %v, want one about the missing segment", missing)
	}
	newer := damage(t, func(h *hub, items []backend.Item) error {
		items[2].Value[0] = history.FormatVersion + 1
		return h.ports.Table.Put(t.Context(), items[2], backend.Always())
	})
	if !errors.Is(newer, history.ErrFormat) || !strings.Contains(newer.Error(), "segment 2") || !strings.Contains(newer.Error(), "newer") {
		t.Errorf("error is %v, want one about segment 2 of a newer format", newer)
	}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	h := newHooked(&hooked{put: putTwice})
	old := h.load(t, "i", life)
	h.commit(t, old, "a", "b")
	seal := func(n uint64) bool {
		t.Helper()
		sealed, err := h.Seal(t.Context(), "i", history.Version{Incarnation: life, Number: n})
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	if seal(1) {
		t.Error("a history was sealed where it had gone on")
	}
	if !seal(2) {
		t.Error("a history was not sealed at its end")
	}
	if !seal(2) {
		t.Error("a seal that is there already does not count")
	}
	if err := h.Commit(t.Context(), old, segment("late")); !errors.Is(err, store.ErrConflict) {
		t.Errorf("committing after a seal: %v, want ErrConflict", err)
	}
	loaded := h.load(t, "i", life)
	if last := loaded.Segments[len(loaded.Segments)-1]; len(loaded.Segments) != 3 || last.Events[0].Kind != history.Sealed {
		t.Errorf("loaded %d segments, the last with %s", len(loaded.Segments), last.Events[0].Kind)
	}
}

func TestSealOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	h := failing("table.put", 1, backendtest.After)
	v := history.Version{Incarnation: life}
	if sealed, err := h.Seal(t.Context(), "i", v); sealed || !errors.Is(err, backendtest.ErrInjected) {
		t.Errorf("got %v, %v, want the table's error", sealed, err)
	}
	if sealed, err := h.Seal(t.Context(), "i", v); !sealed || err != nil {
		t.Errorf("trying again: %v, %v", sealed, err)
	}
}

func TestExists(t *testing.T) {
	t.Parallel()
	h := newHub()
	for _, want := range []bool{false, true} {
		if got, err := h.Exists(t.Context(), "i", life); got != want || err != nil {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
		h.commit(t, h.load(t, "i", life), "a")
	}
	if got, err := h.Exists(t.Context(), "i", "01JGFJJZ00BBBBBBBBBBBBBBBB"); got || err != nil {
		t.Errorf("another life: %v, %v", got, err)
	}
}

// unexported leaves out what a history knows of its folds.
var unexported = cmpopts.IgnoreUnexported(store.History{})

// json is a JSON text of n bytes.
func json(n int) []byte { return []byte(`"` + strings.Repeat("x", n-2) + `"`) }

func TestLargePayloadsLiveInBlobs(t *testing.T) {
	t.Parallel()
	h := newHub()
	mine := h.load(t, "i", life)
	inline, large := json(history.InlinePayload), json(history.InlinePayload+1)
	random := rand.New(rand.NewPCG(1, 2))
	for i := 1; i < len(inline)-1; i++ { // nothing to compress
		inline[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[random.IntN(64)]
	}
	seg := &history.Segment{Events: []history.Event{
		{Kind: history.EventRaised, MessageID: "1", Data: history.Payload{Bytes: inline}},
		{Kind: history.EventRaised, MessageID: "2", Data: history.Payload{Bytes: large}},
	}}
	if err := h.Commit(t.Context(), mine, seg); err != nil {
		t.Fatal(err)
	}
	if n := len(h.memory.Items()[1].Value); n < history.InlinePayload || n > history.InlinePayload+500 {
		t.Errorf("the segment has %d bytes: the small payload in it, and the large one not", n)
	}
	data := seg.Events[1].Data
	if data.Size != uint64(len(large)) || !bytes.Equal(data.Bytes, large) || !strings.Contains(data.Blob, "/"+life+"/") {
		t.Errorf("the committed event has blob %q of %d bytes, and %d bytes at hand", data.Blob, data.Size, len(data.Bytes))
	}
	loaded := h.load(t, "i", life)
	read := &loaded.Segments[0].Events[1].Data
	if read.Bytes != nil || !read.Holds(large) || read.Holds(inline) {
		t.Error("loading reads the blob, or does not know what is in it")
	}
	if err := h.Hydrate(t.Context(), read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(mine, loaded, unexported); diff != "" {
		t.Errorf("-committed +loaded:\n%s", diff)
	}
	if err := h.ports.Blobs.Delete(t.Context(), data.Blob); err != nil {
		t.Fatal(err)
	}
	if err := h.Hydrate(t.Context(), &h.load(t, "i", life).Segments[0].Events[1].Data); !errors.Is(err, backend.ErrNoBlob) {
		t.Errorf("reading without the blob: %v, want ErrNoBlob", err)
	}
}

func TestPayloadIsPutBeforeTheCommit(t *testing.T) {
	t.Parallel()
	h := failing("blobs.put", 1, backendtest.Before)
	seg := &history.Segment{Events: []history.Event{{Kind: history.EventRaised, Data: history.Payload{Bytes: json(20_000)}}}}
	if err := h.Commit(t.Context(), h.load(t, "i", life), seg); !errors.Is(err, backendtest.ErrInjected) {
		t.Errorf("error is %v", err)
	}
	if items := h.memory.Items(); len(items) != 1 || items[0].Sort != "b!"+life {
		t.Errorf("the segment was committed without its payload, or nothing says that there may be one: %v", items)
	}
}

func TestOffloadAndHydrate(t *testing.T) {
	t.Parallel()
	puts := 0
	h := newHubOn(func(b backend.Backend) backend.Backend {
		return backendtest.Faulty(b, func(op string) backendtest.Fault {
			if op == "blobs.put" {
				puts++
			}
			return backendtest.None
		})
	})
	large := json(20_000)
	p := history.Payload{Bytes: large}
	if err := h.Offload(t.Context(), "i", life, &p); err != nil || p.Bytes != nil || p.Size != 20_000 {
		t.Fatalf("offloaded: %+v, %v", p, err)
	}
	if err := h.Hydrate(t.Context(), &p); err != nil || !bytes.Equal(p.Bytes, large) {
		t.Fatalf("hydrated: %d bytes, %v", len(p.Bytes), err)
	}
	if err := h.Offload(t.Context(), "i", life, &p); err != nil || p.Bytes != nil || puts != 1 {
		t.Errorf("what is in a blob was put %d times (%v)", puts, err)
	}
	other := history.Payload{Bytes: large}
	if err := h.Offload(t.Context(), "i", "01JGFJJZ00BBBBBBBBBBBBBBBB", &other); err != nil || other.Blob == p.Blob {
		t.Errorf("two lives share blob %s (%v)", other.Blob, err)
	}
	small := history.Payload{Bytes: json(10)}
	if err := h.Offload(t.Context(), "i", life, &small); err != nil || small.Blob != "" {
		t.Errorf("a small payload went to %s (%v)", small.Blob, err)
	}
}
