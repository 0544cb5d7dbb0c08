package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// FuzzDueRow: what is in a due row is sent and removed, or it is reported and stays; either way its neighbour is sent.
func FuzzDueRow(f *testing.F) {
	good := timer("a", "1", epoch.Add(time.Minute))
	key := "1767225660000#" + good.ID
	f.Add(key, good.Encode())
	f.Add("1767225660000#other", good.Encode())
	f.Add("+767225660000#"+good.ID, good.Encode())
	f.Add("", good.Encode())
	f.Add(key, good.Encode()[:20])
	f.Add(key, append([]byte{history.FormatVersion + 1}, good.Encode()[1:]...))
	f.Add(key, append(good.Encode(), 0))
	f.Fuzz(func(t *testing.T, sort string, value []byte) {
		h := newHub()
		out := h.Outbox()
		out.At(timer("neighbour", "1", epoch.Add(backend.MaxDelay+time.Second)), epoch.Add(backend.MaxDelay+time.Second))
		flush(t, out)
		var partition string
		for _, item := range h.memory.Items() {
			partition = item.Partition
		}
		row := backend.Item{Key: backend.Key{Partition: partition, Sort: sort}, Value: value}
		if h.ports.Table.Put(t.Context(), row, backend.Absent()) != nil {
			return // no key, or too large
		}
		h.now = h.now.Add(10 * time.Minute)
		sent, err := h.Sweep(t.Context())
		left, getErr := h.ports.Table.Get(t.Context(), row.Key)
		if getErr != nil {
			t.Fatal(getErr)
		}
		future := sort >= "1767226800001"
		switch {
		case future && (sent != 1 || err != nil || left == nil):
			t.Errorf("%d rows were sent, error %v: one is not due", sent, err)
		case !future && err != nil && (sent != 1 || left == nil):
			t.Errorf("%d rows were sent; what cannot be read is gone: %v", sent, left == nil)
		case !future && err == nil && (sent != 2 || left != nil):
			t.Errorf("%d rows were sent; what was sent is left: %v", sent, left != nil)
		}
		if m, decodeErr := history.DecodeMessage(value); !future && err == nil && (decodeErr != nil || sort[14:] != m.ID) {
			t.Errorf("%q was sent, which is no due row (%v)", sort, decodeErr)
		}
	})
}

// FuzzFold: a fold is the segments that its item says, or the history cannot be read; it is never read with others.
func FuzzFold(f *testing.F) {
	f.Add([]byte{history.FormatVersion, 0, 1}, []byte{})
	f.Fuzz(func(t *testing.T, item, fold []byte) {
		h := newHub()
		folds := backend.Item{Key: backend.Key{Partition: "i#a", Sort: "h#" + life + "#00000000!fold"}, Owner: life, Value: item}
		if h.ports.Table.Put(t.Context(), folds, backend.Always()) != nil {
			return
		}
		for _, part := range []string{"00000000-00000001", "00000000-00000002", "00000001-00000002", "00000000-00000003"} {
			if err := h.ports.Blobs.Put(t.Context(), store.Group("a")+"/"+life+"/fold-00000000-"+part, append([]byte{0}, fold...)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := h.Load(t.Context(), "a", life, 0)
		if err != nil {
			if !errors.Is(err, history.ErrFormat) && !errors.Is(err, backend.ErrNoBlob) {
				t.Errorf("%v says not what is wrong", err)
			}
			return
		}
		var size int
		for _, seg := range got.Segments {
			size += len(seg.Encode())
		}
		if size > 2*len(fold)+64*len(got.Segments) {
			t.Errorf("%d bytes are read as %d segments of %d", len(fold), len(got.Segments), size)
		}
	})
}

// FuzzPlace: a place in a list comes from anybody. It is one, or ErrPlace.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{"", "8232774400000#" + life, "8232774400000#", "0#", "\x00", "8232774400000#" + life + "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, place string) {
		h := newHub()
		for i := range 3 {
			begin(t, h, string(rune('a'+i)), "Hello", epoch.Add(time.Duration(i)*time.Hour))
		}
		rows, next, err := h.List(t.Context(), store.Selection{After: place, Limit: 2})
		if err != nil && (!errors.Is(err, store.ErrPlace) || rows != nil || next != "") {
			t.Errorf("%q: %v, with %d rows", place, err, len(rows))
		}
		for range 4 {
			if err != nil || next == "" {
				return
			}
			if next <= place {
				t.Fatalf("after %q comes %q", place, next)
			}
			place = next
			_, next, err = h.List(t.Context(), store.Selection{After: place, Limit: 2})
		}
		t.Errorf("a list of 3 rows does not end: %v", err)
	})
}
