package history_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// TestSegmentsComeOutOfTheirTail: whatever is before it, a segment comes out as it went in, by whoever has read the ones before.
func TestSegmentsComeOutOfTheirTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var writer, reader history.Tail
		var words []string
		for range 8 {
			words = append(words, strings.Repeat(rapid.StringN(1, 30, -1).Draw(t, "word"), rapid.SampledFrom([]int{1, 3, 200, 2000}).Draw(t, "times")))
		}
		for range rapid.IntRange(1, 12).Draw(t, "segments") {
			var e history.Event
			e.Kind, e.Op = history.TaskCompleted, "0"
			for range rapid.IntRange(0, 6).Draw(t, "words") {
				e.Data.Bytes = append(e.Data.Bytes, rapid.SampledFrom(words).Draw(t, "of")...)
			}
			plain := (&history.Segment{Time: noon, Events: []history.Event{e}}).Encode()
			stored := writer.Compress(plain)
			if len(stored) > len(plain) {
				t.Fatalf("%d bytes are stored as %d", len(plain), len(stored))
			}
			got, err := reader.Expand(stored)
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%d bytes, stored as %d, come out as %d: %v", len(plain), len(stored), len(got), err)
			}
			writer.Add(plain)
			reader.Add(got)
		}
	})
}

// order is what an orchestration hands from one activity to the next.
func order(r *rand.Rand, steps int) []byte {
	var b strings.Builder
	b.WriteString(`{"id":"order-7","customer":{"name":"Ada","email":"ada@example.com","street":"1 Main Street","city":"Springfield"},"items":[`)
	for i := range 4 {
		fmt.Fprintf(&b, `{"sku":"TEA-%02d","name":"Green tea, loose leaf","quantity":%d,"unitPrice":%d},`, i, i+1, 1000+i)
	}
	b.WriteString(`],"done":[`)
	for i := range steps {
		fmt.Fprintf(&b, `{"step":%d,"ref":"%08x","at":"2026-01-01T00:%02d:%02d.%03dZ"},`, i, r.Uint32(), i%60, r.IntN(60), r.IntN(1000))
	}
	return []byte(b.String() + `]}`)
}

// turns are segments of a sequence of activities.
func turns(n int) (out [][]byte) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		o := order(r, 1+i%12)
		out = append(out, (&history.Segment{Time: noon.Add(time.Duration(i) * time.Second), Events: []history.Event{
			{Kind: history.TaskCompleted, Op: fmt.Sprint(i), Attempt: 1, Data: history.Payload{Bytes: o}},
			{Kind: history.TaskScheduled, Op: fmt.Sprint(i + 1), Name: "Ship", Data: history.Payload{Bytes: o}},
		}}).Encode())
	}
	return out
}

func TestTurnsThatSayMuchTheSameAreSmall(t *testing.T) {
	var tail history.Tail
	plain, stored := 0, 0
	for i, p := range turns(100) {
		if s := tail.Compress(p); i > 0 {
			plain, stored = plain+len(p), stored+len(s)
		}
		tail.Add(p)
	}
	if stored*6 > plain {
		t.Errorf("%d bytes are stored as %d", plain, stored)
	}
	t.Logf("%d bytes a turn are stored as %d", plain/99, stored/99)
	if n := tail.Size(); n > 200<<10 {
		t.Errorf("the tail keeps %d bytes", n)
	}
}

// storedTurn is the second of turns, behind the first.
const storedTurn = "010293090802e8eb05002cc104021105013108010fb7041900cb0018626564633064631500112431342e3034315a227d2c514b0031514b1c37666661" +
	"3337383015000f1c313a32362e3133320100245d7d11c50402100501328d5751481900280110227d2c5d7d"

// TestStoredSegmentsAreRead holds on to what was stored once. Other bytes may be written for the same segment, on another machine, say.
func TestStoredSegmentsAreRead(t *testing.T) {
	var tail history.Tail
	plain := turns(3)
	tail.Add(plain[0])
	b, err := hex.DecodeString(storedTurn)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tail.Expand(b)
	if err != nil || !bytes.Equal(got, plain[1]) {
		t.Errorf("it comes out as %q, %v", got, err)
	}
	if _, err := new(history.Tail).Expand(b); err == nil {
		t.Error("it is read without what is before it")
	}
}

func FuzzExpand(f *testing.F) {
	all := turns(4)
	var tail history.Tail
	for _, p := range all {
		f.Add(tail.Compress(p), []byte("what is before"))
		tail.Add(p)
	}
	f.Add([]byte{1, 2, 0xff, 0xff, 0xff, 0xff, 0x0f}, []byte{})
	f.Fuzz(func(t *testing.T, stored, before []byte) {
		var tail history.Tail
		tail.Add(before)
		plain, err := tail.Expand(stored)
		if err != nil || !history.IsCompressed(stored) || stored[0] != history.FormatVersion {
			return
		}
		again, err := tail.Expand(tail.Compress(plain))
		if err != nil || !bytes.Equal(again, plain) {
			t.Errorf("%x comes out as %x, and then as %x, %v", stored, plain, again, err)
		}
	})
}

func BenchmarkTail(b *testing.B) {
	all := turns(200)
	var tail history.Tail
	for _, p := range all[:199] {
		tail.Add(p)
	}
	last := all[199]
	stored := tail.Compress(last)
	b.Run("compress", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tail.Compress(last)
		}
		b.ReportMetric(float64(len(last)), "plain-bytes")
		b.ReportMetric(float64(len(stored)), "stored-bytes")
	})
	b.Run("expand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := tail.Expand(stored); err != nil {
				b.Fatal(err)
			}
		}
	})
}
