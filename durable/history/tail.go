package history

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/s2"
)

// What an orchestration hands from one activity to the next says much the same again and again, so a segment is compressed against those before it: a
// turn of some kilobytes takes a hundred bytes or two. S2 finds less than zstd would, by some fifty bytes, in a twentieth of the time and the memory.

const (
	// compressionNone and compressionTail are what the second byte of what is stored says of the rest.
	compressionNone = 0
	// 1 was meant for zstd, and nobody has written it.
	compressionTail = 2

	// tailBytes are the bytes before a segment that it is compressed against: part of the format.
	tailBytes = 32 << 10
	// maxExpanded is how large a segment may be that was compressed: what is stored is foreign before it is decoded.
	maxExpanded = 64 << 20
)

// Tail is the end of what the segments of one generation have so far, in their order, uncompressed. The zero Tail is that of none.
type Tail struct {
	b    []byte
	room []byte // for what is expanded next
}

// maxRoom is how much room is made at once, unless one segment needs more.
const maxRoom = 64 << 10

// Size is how many bytes of memory it takes.
func (t *Tail) Size() int { return cap(t.b) }

// Add adds the next segment, as Encode wrote it.
func (t *Tail) Add(plain []byte) {
	body := plain[min(2, len(plain)):]
	if len(t.b)+len(body) > 2*tailBytes {
		t.b = append(t.b[:0], t.b[max(len(t.b)-tailBytes, 0):]...)
	}
	t.b = append(t.b, body[max(len(body)-tailBytes, 0):]...)
}

// dictionary is nil when there is too little.
func (t *Tail) dictionary() *s2.Dict {
	return s2.MakeDictManual(t.b[max(len(t.b)-tailBytes, 0):], 0)
}

// Compress returns what is stored of the next segment: what Encode wrote, or less.
func (t *Tail) Compress(plain []byte) []byte {
	if len(plain) < 2 || plain[1] != compressionNone {
		return plain
	}
	var body []byte
	if d := t.dictionary(); d != nil {
		body = d.Encode(nil, plain[2:])
	} else {
		body = s2.Encode(nil, plain[2:])
	}
	if len(body)+2 >= len(plain) {
		return plain
	}
	return append([]byte{plain[0], compressionTail}, body...)
}

// IsCompressed reports whether a segment is stored so that only who has those before it can read it. Seals and tombstones never are.
func IsCompressed(stored []byte) bool { return len(stored) > 1 && stored[1] == compressionTail }

// Expand returns a segment as Encode wrote it, of what is stored. It shares memory with that where nothing was compressed.
func (t *Tail) Expand(stored []byte) ([]byte, error) {
	if !IsCompressed(stored) || stored[0] != FormatVersion {
		return stored, nil // whoever decodes it says what is wrong with it
	}
	body := stored[2:]
	n, err := s2.DecodedLen(body)
	if err == nil && n > maxExpanded {
		err = fmt.Errorf("it says that it has %d bytes", n)
	}
	if err != nil {
		return nil, formatError("segment", err)
	}
	if 2+n > cap(t.room)-len(t.room) {
		t.room = make([]byte, 0, max(2+n, min(2*cap(t.room), maxRoom)))
	}
	at := len(t.room)
	t.room = t.room[:at+2+n]
	plain := t.room[at : at+2+n : at+2+n]
	plain[0], plain[1] = FormatVersion, compressionNone
	var got []byte
	if d := t.dictionary(); d != nil {
		got, err = d.Decode(plain[2:], body)
	} else {
		got, err = s2.Decode(plain[2:], body)
	}
	if err != nil {
		return nil, formatError("segment", fmt.Errorf("what it was compressed with is not what is before it: %w", err))
	}
	if n > 0 && &got[0] != &plain[2] {
		return append(plain[:2], bytes.Clone(got)...), nil
	}
	return plain, nil
}
