package history_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/google/go-cmp/cmp"
)

func FuzzDecodeSegment(f *testing.F) { fuzz(f, codecs()[0]) }
func FuzzDecodeMessage(f *testing.F) { fuzz(f, codecs()[1]) }
func FuzzDecodeRow(f *testing.F)     { fuzz(f, codecs()[2]) }

// fuzz: whatever the bytes are, reading them does not panic, what can be read can be written and read again, and a byte
// after its end is refused.
func fuzz(f *testing.F, c codec) {
	for _, other := range codecs() {
		f.Add(other.encode(other.sample))
	}
	for _, event := range hardEvents() {
		f.Add([]byte(carry(event)[c.name]))
	}
	f.Add([]byte{})
	f.Add([]byte{history.FormatVersion, 0})
	f.Add([]byte{history.FormatVersion, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := c.decode(bytes.Clone(b))
		if err != nil {
			if !errors.Is(err, history.ErrFormat) {
				t.Errorf("%v is no ErrFormat", err)
			}
			return
		}
		again(t, c, v)
		if n := len(c.encode(v)); n > 2*len(b)+64 {
			t.Errorf("%d bytes are written as %d", len(b), n)
		}
		for _, garbage := range []byte{0, 1, 8<<1 | 1, 0xff} {
			if _, err := c.decode(append(bytes.Clone(b), garbage)); err == nil {
				t.Errorf("the byte %#x after the end is read over", garbage)
			}
		}
	})
}

// FuzzParseToken: tokens come from anybody. What is one has one way to be written, and holds nothing but names.
func FuzzParseToken(f *testing.F) {
	m := &history.Message{Instance: "order-42", Incarnation: "01JGJ9GA00AAAAAAAAAAAAAAAA", Attempt: 3,
		Event: history.Event{Kind: history.TaskScheduled, Op: "2.0.1", Name: "ShipOrder"}}
	f.Add(m.Token())
	f.Add(m.Token() + "A")
	f.Add(strings.TrimRight(m.Token(), "A"))
	for _, more := range []*history.Message{{Sent: noon}, {Event: history.Event{Data: history.Payload{Bytes: []byte("1")}}}} {
		full := *m
		full.Sent, full.Event.Data = more.Sent, more.Event.Data
		f.Add(base64.RawURLEncoding.EncodeToString(full.Encode()))
	}
	f.Add("")
	f.Add("a b")
	f.Fuzz(func(t *testing.T, token string) {
		m, err := history.ParseToken(token)
		if err != nil {
			if !errors.Is(err, history.ErrFormat) {
				t.Errorf("%v is no ErrFormat", err)
			}
			return
		}
		want := &history.Message{Instance: m.Instance, Incarnation: m.Incarnation, Generation: m.Generation, Attempt: m.Attempt,
			Event: history.Event{Kind: history.TaskScheduled, Op: m.Event.Op, Epoch: m.Event.Epoch, Name: m.Event.Name}}
		if diff := cmp.Diff(want, m); diff != "" || m.Token() != token || m.Attempt == 0 {
			t.Errorf("%q is the token %q, and has more than names:\n%s", token, m.Token(), diff)
		}
	})
}

// hardEvents are those that have more than one way to be written.
func hardEvents() []wire {
	kind := wire{}.uint(1, uint64(history.TaskFailed))
	return []wire{
		kind.bytes(2, nil).uint(3, 0),                              // zero values that a writer leaves out
		kind.uint(10, 0),                                           // the beginning of 1970
		kind.uint(10, math.MaxInt64/1_000_000),                     // the last time
		kind.bytes(7, []byte("1")).bytes(8, []byte("blob")),        // a value that is inline and in a blob
		kind.uint(9, 5),                                            // the size of no blob
		kind.bytes(14, wire{}.uint(5, 2)),                          // a truth of 2
		kind.bytes(14, nil).bytes(15, nil).bytes(16, nil),          // present and empty
		kind.bytes(15, wire{}.uint(3, 0xf87f)),                     // not a number
		kind.bytes(16, wire{}.bytes(4, nil).bytes(4, nil)),         // a tag twice
		kind.bytes(15, wire{}.bytes(7, nil).bytes(7, []byte{255})), // empty and broken text
	}
}
