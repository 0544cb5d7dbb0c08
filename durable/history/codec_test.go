package history_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"pgregory.net/rapid"
)

// codec is one of the three things that are stored, with its type erased.
type codec struct {
	name   string
	decode func([]byte) (any, error)
	encode func(any) []byte
	draw   func(*rapid.T) any
	sample any
}

func codecs() []codec {
	return []codec{
		{"segment",
			func(b []byte) (any, error) { return history.DecodeSegment(b) },
			func(v any) []byte { return v.(*history.Segment).Encode() },
			func(t *rapid.T) any { s := segments().Draw(t, "segment"); return &s }, sampleSegment()},
		{"message",
			func(b []byte) (any, error) { return history.DecodeMessage(b) },
			func(v any) []byte { return v.(*history.Message).Encode() },
			func(t *rapid.T) any { m := messages().Draw(t, "message"); return &m }, sampleMessage()},
		{"row",
			func(b []byte) (any, error) { return history.DecodeRow(b) },
			func(v any) []byte { return v.(*history.Row).Encode() },
			func(t *rapid.T) any { r := rows().Draw(t, "row"); return &r }, sampleRow()},
	}
}

func each(t *testing.T, test func(t *testing.T, c codec)) {
	t.Parallel()
	for _, c := range codecs() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			test(t, c)
		})
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		rapid.Check(t, func(t *rapid.T) {
			want := c.draw(t)
			got, err := c.decode(c.encode(want))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("-written +read:\n%s", diff)
			}
		})
	})
}

func TestEncodingIsDeterministic(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		rapid.Check(t, func(t *rapid.T) {
			v := c.draw(t)
			if !bytes.Equal(c.encode(v), c.encode(v)) {
				t.Error("the same value was written in two ways")
			}
		})
	})
}

// A value carries neither its length nor a checksum: a cut between two fields reads as a shorter value. Every other cut is
// an error.
func TestCutShort(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		whole := c.encode(c.sample)
		for n := range whole {
			v, err := c.decode(bytes.Clone(whole[:n]))
			if err == nil && !bytes.Equal(c.encode(v), whole[:n]) {
				t.Errorf("the first %d of %d bytes read as %+v", n, len(whole), v)
			}
			if err != nil && !errors.Is(err, history.ErrFormat) {
				t.Errorf("the first %d bytes: %v is no ErrFormat", n, err)
			}
		}
	})
}

func TestAnyByteChangedIsNoPanic(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		whole := c.encode(c.sample)
		for n := range whole {
			for _, x := range []byte{0x01, 0x02, 0x80, 0xff} {
				b := bytes.Clone(whole)
				b[n] ^= x
				if v, err := c.decode(b); err == nil {
					again(t, c, v)
				}
			}
		}
	})
}

// again fails unless v survives being written and read.
func again(t *testing.T, c codec, v any) {
	t.Helper()
	got, err := c.decode(c.encode(v))
	if err != nil {
		t.Errorf("what was read cannot be read again: %v\n%+v", err, v)
	} else if diff := cmp.Diff(v, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("-read +read again:\n%s", diff)
	}
}

// wire builds values by hand.
type wire []byte

func head() wire { return wire{history.FormatVersion, 0} }

func (w wire) uint(field int, v uint64) wire {
	return binary.AppendUvarint(binary.AppendUvarint(bytes.Clone(w), uint64(field)<<1), v)
}

func (w wire) bytes(field int, v []byte) wire {
	return append(binary.AppendUvarint(binary.AppendUvarint(bytes.Clone(w), uint64(field)<<1|1), uint64(len(v))), v...)
}

// carry returns values of each type that hold the event.
func carry(event wire) map[string]wire {
	start := wire{}.uint(1, uint64(history.ExecutionStarted))
	return map[string]wire{
		"segment": head().bytes(8, event),
		"message": head().bytes(2, []byte("i")).bytes(3, []byte("01")).bytes(5, event),
		"row":     head().bytes(1, []byte("i")).bytes(2, start).uint(3, 5).bytes(5, event),
	}
}

func TestCarriedEventIsRead(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		if _, err := c.decode(carry(wire{}.uint(1, uint64(history.TaskCompleted)))[c.name]); err != nil {
			t.Error(err)
		}
	})
}

func TestNewerIsRefusedAsNewer(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		sample := c.encode(c.sample)
		kind := wire{}.uint(1, uint64(history.TaskFailed))
		cases := map[string]wire{
			"format version":  append(wire{history.FormatVersion + 1}, sample[1:]...),
			"compression":     append(wire{history.FormatVersion, 1}, sample[2:]...),
			"top field":       wire(bytes.Clone(sample)).uint(40, 1),
			"top bytes field": wire(bytes.Clone(sample)).bytes(40, []byte("x")),
			"event field":     carry(kind.uint(40, 1))[c.name],
			"event kind":      carry(wire{}.uint(1, 200))[c.name],
			"huge event kind": carry(wire{}.uint(1, 1<<40|uint64(history.TaskCompleted)))[c.name],
			"unused number":   carry(wire{}.uint(1, 19))[c.name],
			"failure field":   carry(kind.bytes(14, wire{}.uint(40, 1)))[c.name],
			"cause field":     carry(kind.bytes(14, wire{}.bytes(6, wire{}.uint(40, 1))))[c.name],
			"policy field":    carry(kind.bytes(15, wire{}.uint(40, 1)))[c.name],
			"start field":     carry(kind.bytes(16, wire{}.uint(40, 1)))[c.name],
			"parent field":    carry(kind.bytes(16, wire{}.bytes(1, wire{}.uint(40, 1))))[c.name],
			"tag field":       carry(kind.bytes(16, wire{}.bytes(4, wire{}.uint(40, 1))))[c.name],
		}
		for what, b := range cases {
			if _, err := c.decode(b); !errors.Is(err, history.ErrFormat) || !errors.Is(err, history.ErrNewer) || !strings.Contains(err.Error(), "written by a newer version: ") {
				t.Errorf("unknown %s: error is %v, want one that says newer", what, err)
			}
		}
	})
}

// Without its id a call could not be told from its repetition.
func TestCallsWithoutAnIDAreRefused(t *testing.T) {
	t.Parallel()
	m := history.Message{Instance: "a", Incarnation: "b", Event: history.Event{Kind: history.EventRaised, Name: "x"}}
	if _, err := history.DecodeMessage(m.Encode()); !errors.Is(err, history.ErrFormat) {
		t.Errorf("error is %v, want ErrFormat", err)
	}
}

// A reader that took a kind without knowing what to do with it would drop the message that carries it.
func TestReservedKindsAreRefusedAsNewer(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		known := map[history.Kind]bool{}
		for _, k := range written {
			known[k] = true
			if _, err := c.decode(carry(wire{}.uint(1, uint64(k)).bytes(11, []byte("call")))[c.name]); err != nil {
				t.Errorf("%s: %v", k, err)
			}
		}
		for k := range history.Kind(255) {
			if known[k] || k == 0 {
				continue
			}
			if _, err := c.decode(carry(wire{}.uint(1, uint64(k)))[c.name]); err == nil || !strings.Contains(err.Error(), "newer") {
				t.Errorf("%s: error is %v, want one that says newer", k, err)
			}
		}
	})
}

func TestFlagsAndStatusesOfANewerVersion(t *testing.T) {
	t.Parallel()
	for _, flags := range []uint64{1 << 3, 1 << 63} {
		if _, err := history.DecodeRow(append(sampleRow().Encode()[:len(sampleRow().Encode())-2], wire{}.uint(8, flags)...)); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Errorf("flags %#x of a row: error is %v", flags, err)
		}
		if _, err := history.DecodeSegment(head().uint(2, flags)); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Errorf("flags %#x: error is %v", flags, err)
		}
	}
	for _, engine := range []uint64{1, 1 << 63} {
		seg := history.Segment{Engine: engine}
		if got, err := history.DecodeSegment(seg.Encode()); err != nil || got.Engine != engine {
			t.Errorf("engine flags %#x: got %+v, %v", engine, got, err)
		}
	}
	start := wire{}.uint(1, uint64(history.ExecutionStarted))
	for _, status := range []uint64{9, 257, 1 << 40} {
		b := head().bytes(1, []byte("i")).bytes(2, start).uint(3, status)
		if _, err := history.DecodeRow(b); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Errorf("status %d: error is %v", status, err)
		}
	}
}

func TestMalformedIsRefused(t *testing.T) {
	t.Parallel()
	event := func(e wire) wire { return head().bytes(8, e) }
	kind := wire{}.uint(1, uint64(history.TaskFailed))
	start := wire{}.uint(1, uint64(history.ExecutionStarted))
	segment, message, row := codecs()[0].decode, codecs()[1].decode, codecs()[2].decode
	for name, c := range map[string]struct {
		decode func([]byte) (any, error)
		b      wire
		want   string
	}{
		"nothing":                    {segment, nil, "cut short"},
		"version zero":               {segment, wire{0, 0}, "does not begin with a format version"},
		"text":                       {message, wire("hello"), "does not begin with a format version"},
		"fields out of order":        {segment, head().uint(4, 1).uint(1, 1), "out of order"},
		"a field twice":              {segment, head().uint(4, 1).uint(4, 1), "out of order"},
		"a number where text is due": {segment, head().uint(3, 1), "wrong type"},
		"text where a number is due": {segment, head().bytes(4, []byte("x")), "wrong type"},
		"a number above 32 bits":     {segment, head().uint(4, 1<<32), "too large"},
		"a time after the last":      {segment, head().uint(1, 1<<63), "no time"},
		"a varint without an end":    {segment, append(head(), bytes.Repeat([]byte{0xff}, 12)...), "cut short"},
		"a length beyond the end":    {segment, append(head(), 8<<1|1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), "cut short"},
		"a huge field number":        {segment, head().uint(1<<40, 1), "field number"},
		"an event without a kind":    {segment, event(wire{}.bytes(2, []byte("1"))), "no kind"},
		"a value twice":              {segment, event(kind.bytes(7, []byte("1")).bytes(8, []byte("blob"))), "blob"},
		"a duration beyond Go's":     {segment, event(kind.bytes(15, wire{}.uint(2, 1<<62))), "no duration"},
		"a message without an event": {message, head().bytes(2, []byte("i")).bytes(3, []byte("01")), "no event"},
		"a message without a life":   {message, head().bytes(2, []byte("i")).bytes(5, kind), "no incarnation"},
		"a message to nobody":        {message, head().bytes(3, []byte("01")).bytes(5, kind), "instance id is empty"},
		"a message to an entity":     {message, head().bytes(2, []byte("@i")).bytes(3, []byte("01")).bytes(5, kind), "entities"},
		"a row of nobody":            {row, head().bytes(2, start).uint(3, 1), "no instance"},
		"a row without a start":      {row, head().bytes(1, []byte("i")).uint(3, 1), "no start"},
		"a row that starts oddly":    {row, head().bytes(1, []byte("i")).bytes(2, kind).uint(3, 1), "no start"},
		"a row without a status":     {row, head().bytes(1, []byte("i")).bytes(2, start), "no status"},
	} {
		if _, err := c.decode(c.b); !errors.Is(err, history.ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", name, err, c.want)
		}
	}
}

func TestTimesBeyondTheFormatAreKeptAsItsEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ written, read time.Time }{
		"250 years from now": {time.Date(2276, 1, 1, 0, 0, 0, 0, time.UTC), lastTime},
		"the last":           {lastTime, lastTime},
		"before 1970":        {time.Date(1734, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}},
		"below milliseconds": {time.UnixMicro(1_700_000_000_000_999).UTC(), time.UnixMilli(1_700_000_000_000).UTC()},
	} {
		seg := history.Segment{Events: []history.Event{{Kind: history.TimerCreated, At: c.written}}}
		got, err := history.DecodeSegment(seg.Encode())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !got.Events[0].At.Equal(c.read) {
			t.Errorf("%s: read as %v, want %v", name, got.Events[0].At, c.read)
		}
	}
}

func nestedFailure(depth int) *history.Failure {
	f := &history.Failure{Kind: "deepest"}
	for range depth {
		f = &history.Failure{Message: "x", Causes: []history.Failure{*f}}
	}
	return f
}

func depthOf(f *history.Failure) int {
	if len(f.Causes) == 0 {
		return 0
	}
	return 1 + depthOf(&f.Causes[0])
}

func TestCausesAreCutWhereTheReaderWouldRefuseThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ written, read int }{{0, 0}, {16, 16}, {17, 16}, {1000, 16}} {
		seg := history.Segment{Events: []history.Event{{Kind: history.TaskFailed, Failure: nestedFailure(c.written)}}}
		got, err := history.DecodeSegment(seg.Encode())
		if err != nil {
			t.Errorf("%d causes deep: %v", c.written, err)
		} else if got := depthOf(got.Events[0].Failure); got != c.read {
			t.Errorf("%d causes deep: read as %d, want %d", c.written, got, c.read)
		}
	}
}

func TestDeepCausesAreRefused(t *testing.T) {
	t.Parallel()
	cause := wire{}
	for range 5000 {
		cause = wire{}.bytes(6, cause)
	}
	_, err := history.DecodeSegment(head().bytes(8, wire{}.uint(1, uint64(history.TaskFailed)).bytes(14, cause)))
	if err == nil || !strings.Contains(err.Error(), "deeper") {
		t.Errorf("error is %v, want one about the depth", err)
	}
}

// What a hostile value costs is bounded by its own length: here, the shortest events and causes there are.
func TestMemoryIsBoundedByTheInput(t *testing.T) {
	const size = 380 << 10
	kind := wire{}.uint(1, uint64(history.TaskFailed))
	many := func(w wire) wire { return bytes.Repeat(w, size/len(w)) }
	for name, b := range map[string]wire{
		"events": append(head(), many(wire{}.bytes(8, kind))...),
		"causes": head().bytes(8, kind.bytes(14, many(wire{}.bytes(6, nil)))),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := history.DecodeSegment(b)
		runtime.ReadMemStats(&after)
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(len(b))*400; got > most {
			t.Errorf("many %s: %d bytes took %d bytes of memory, want at most %d (error %v)", name, len(b), got, most, err)
		}
	}
}

func TestSizeCountsProperties(t *testing.T) {
	t.Parallel()
	few := history.Event{Kind: history.TaskFailed, Failure: &history.Failure{}}
	many := history.Event{Kind: history.TaskFailed, Failure: &history.Failure{Properties: map[string]string{"k": strings.Repeat("x", 4000)}}}
	if got := many.Size() - few.Size(); got < 4001 {
		t.Errorf("properties of 4001 bytes count as %d", got)
	}
}

// A segment is filled by Size, and an item has a hard limit: Size must not miss anything that can be long.
func TestSizeCountsWhateverCanBeLong(t *testing.T) {
	t.Parallel()
	const overhead = 96 // of the keys and numbers of one event
	rapid.Check(t, func(t *rapid.T) {
		e := events().Draw(t, "event")
		empty := history.Segment{}
		seg := history.Segment{Events: []history.Event{e}}
		if got, most := len(seg.Encode())-len(empty.Encode()), e.Size()+overhead; got > most {
			t.Errorf("the event takes %d bytes, its Size is %d", got, e.Size())
		}
	})
}

// What goes into a blob does not fill a segment, before and after it is there.
func TestSizeCountsAReferenceForWhatIsTooLargeToBeInline(t *testing.T) {
	t.Parallel()
	bytes, blob := make([]byte, history.InlinePayload+1), strings.Repeat("k", 124)
	for name, p := range map[string]history.Payload{
		"not yet in a blob": {Bytes: bytes}, "in a blob": {Blob: blob, Size: 20_000}, "read from a blob": {Blob: blob, Size: 20_000, Bytes: bytes},
	} {
		e := history.Event{Kind: history.TaskScheduled, Data: p}
		if got := e.Size(); got < 124 || got > 200 {
			t.Errorf("%s: Size is %d", name, got)
		}
	}
	inline := history.Event{Data: history.Payload{Bytes: bytes[1:]}}
	if got := inline.Size(); got < history.InlinePayload {
		t.Errorf("inline: Size is %d", got)
	}
}

func TestKindNames(t *testing.T) {
	t.Parallel()
	for _, k := range written {
		if strings.HasPrefix(k.String(), "Kind(") {
			t.Errorf("kind %d has no name", k)
		}
	}
	if got, want := history.Kind(200).String(), "Kind(200)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestATombstoneIsASeal(t *testing.T) {
	t.Parallel()
	want := &history.Segment{Released: true, Tombstone: true, Events: []history.Event{{Kind: history.Sealed}}}
	stored := []byte{1, 0, 2 << 1, 1<<1 | 1<<2}
	if got := want.Encode(); !bytes.Equal(got, stored) {
		t.Errorf("written as % x, want % x", got, stored)
	}
	got, err := history.DecodeSegment(stored)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, -want +got:\n%s", err, diff)
	}
	if _, err := history.DecodeSegment(head().uint(2, 1<<2).bytes(8, wire{}.uint(1, uint64(history.Sealed)))); err == nil {
		t.Error("a tombstone with an event is read")
	}
}
