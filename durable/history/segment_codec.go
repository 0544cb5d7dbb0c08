package history

import (
	"errors"
	"fmt"
)

const (
	flagMore      = 1 << 0
	flagReleased  = 1 << 1
	flagTombstone = 1 << 2
)

// Encode returns the segment as the value of an item. The nonce is not part of it.
func (s *Segment) Encode() []byte {
	n := 64
	for i := range s.Events {
		n += s.Events[i].Size()
	}
	w := &writer{b: append(make([]byte, 0, n), FormatVersion, compressionNone)}
	var flags uint64
	if s.More {
		flags |= flagMore
	}
	if s.Released {
		flags |= flagReleased
	}
	events := s.Events
	if s.Tombstone {
		flags, events = flags|flagTombstone, nil
	}
	w.time(1, s.Time)
	w.uint(2, flags)
	w.string(3, s.Name)
	w.uint(4, uint64(s.Version))
	w.uint(5, s.Engine)
	w.uint(6, s.Releases)
	for i := range events {
		w.nested(8, func(w *writer) { writeEvent(w, &events[i]) })
	}
	return w.b
}

// DecodeSegment reads what Encode wrote. Strings and payloads of the segment share memory with b, which must not change
// afterwards.
func DecodeSegment(b []byte) (*Segment, error) { return new(Slab).DecodeSegment(b) }

// Slab has the memory of segments that are read one after the other: in a few pieces, each twice as large as the one before, and not in two for each segment. A piece
// is kept as long as anything in it is. The zero Slab is ready.
type Slab struct {
	segments []Segment
	events   []Event
}

// maxPiece is how many segments, or events, a piece has at most.
const maxPiece = 1024

// take returns the next n of a slab's pieces.
func take[T any](from *[]T, n int) []T {
	if n > cap(*from)-len(*from) {
		*from = make([]T, 0, max(n, min(2*cap(*from), maxPiece)))
	}
	at := len(*from)
	*from = (*from)[:at+n]
	return (*from)[at : at+n : at+n]
}

// DecodeSegment is history's, with memory of the slab.
func (slab *Slab) DecodeSegment(b []byte) (*Segment, error) {
	if err := checkHeader(b); err != nil {
		return nil, formatError("segment", err)
	}
	r := newReader(b)
	s := &take(&slab.segments, 1)[0]
	if n := r.count(8); n > 0 {
		s.Events = take(&slab.events, n)[:0]
	}
	for r.next(8) {
		switch r.field {
		case 1:
			s.Time = r.time()
		case 2:
			flags := r.uint()
			if flags&^(flagMore|flagReleased|flagTombstone) != 0 {
				r.newer("flags %#x", flags)
			}
			s.More, s.Released, s.Tombstone = flags&flagMore != 0, flags&flagReleased != 0, flags&flagTombstone != 0
		case 3:
			s.Name = r.string()
		case 4:
			s.Version = r.uint32()
		case 5:
			s.Engine = r.uint()
		case 6:
			s.Releases = r.uint()
		case 8:
			s.Events = append(s.Events, Event{})
			e := &s.Events[len(s.Events)-1]
			sub := r.enter()
			readEvent(&sub, e)
			r.leave(&sub)
		default:
			r.unknown()
		}
	}
	if s.Tombstone && len(s.Events) > 0 {
		r.fail("a tombstone has events")
	}
	if r.err != nil {
		return nil, formatError("segment", r.err)
	}
	if s.Tombstone {
		s.Events = []Event{{Kind: Sealed}}
	}
	return s, nil
}

// checkHeader reads the first two bytes, which everything stored has.
func checkHeader(b []byte) error {
	switch {
	case len(b) < 2:
		return errTruncated
	case b[0] == 0, b[0] >= ' ': // versions stay below what text begins with
		return errors.New("it does not begin with a format version")
	case b[0] > FormatVersion:
		return fmt.Errorf("%w: format version %d; this program reads up to %d", ErrNewer, b[0], FormatVersion)
	case b[1] != compressionNone:
		return fmt.Errorf("%w: compression %d", ErrNewer, b[1])
	}
	return nil
}
