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
func DecodeSegment(b []byte) (*Segment, error) {
	if err := checkHeader(b); err != nil {
		return nil, formatError("segment", err)
	}
	s := new(Segment)
	r := newReader(b)
	r.pos = 2
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
			r.within(func(r *reader) { readEvent(r, e) })
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
