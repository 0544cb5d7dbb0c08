package history

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

var (
	// ErrFormat is wrapped by every decoding error.
	ErrFormat = errors.New("history: unreadable")
	// ErrNewer is wrapped, too, by the error about what only a newer version can have written. Run that one.
	ErrNewer = errors.New("written by a newer version")
)

func writeEvent(w *writer, e *Event) {
	w.uint(1, uint64(e.Kind))
	w.string(2, e.Op)
	w.uint(3, uint64(e.Epoch))
	w.uint(4, uint64(e.Attempt))
	w.string(5, e.Name)
	w.uint(6, uint64(e.Version))
	if e.Data.Blob == "" { // bytes that were read from a blob stay there
		w.bytes(7, e.Data.Bytes)
	}
	w.string(8, e.Data.Blob)
	w.uint(9, e.Data.Size)
	w.time(10, e.At)
	w.string(11, e.MessageID)
	w.string(12, e.Reason)
	w.string(13, e.Build)
	if e.Failure != nil {
		w.nested(14, func(w *writer) { writeFailure(w, e.Failure, 0) })
	}
	if e.Policy != nil {
		w.nested(15, func(w *writer) { writePolicy(w, e.Policy) })
	}
	if e.Start != nil {
		w.nested(16, func(w *writer) { writeStart(w, e.Start) })
	}
	if e.Rewound != nil {
		w.nested(17, func(w *writer) { w.uint(1, e.Rewound.From) })
	}
	if t := e.Target; t != nil {
		w.nested(18, func(w *writer) {
			w.string(1, t.Instance)
			w.string(2, t.Incarnation)
		})
	}
	w.uint(19, uint64(e.Close))
	w.bool(20, e.Recursive)
	w.uint(21, uint64(e.Edit))
}

func readEvent(r *reader, e *Event) {
	for r.next(0) {
		switch r.field {
		case 1:
			if v := r.uint(); v > uint64(LockReleased) || Kind(v).unread() {
				r.newer("event kind %d", v)
			} else {
				e.Kind = Kind(v)
			}
		case 2:
			e.Op = r.string()
		case 3:
			e.Epoch = r.uint32()
		case 4:
			e.Attempt = r.uint32()
		case 5:
			e.Name = r.string()
		case 6:
			e.Version = r.uint32()
		case 7:
			e.Data.Bytes = r.bytes()
		case 8:
			e.Data.Blob = r.string()
		case 9:
			e.Data.Size = r.uint()
		case 10:
			e.At = r.time()
		case 11:
			e.MessageID = r.string()
		case 12:
			e.Reason = r.string()
		case 13:
			e.Build = r.string()
		case 14:
			e.Failure = new(Failure)
			sub := r.enter()
			readFailure(&sub, e.Failure, 0)
			r.leave(&sub)
		case 15:
			e.Policy = new(Policy)
			sub := r.enter()
			readPolicy(&sub, e.Policy)
			r.leave(&sub)
		case 16:
			e.Start = new(Start)
			sub := r.enter()
			readStart(&sub, e.Start)
			r.leave(&sub)
		case 17:
			e.Rewound = new(Rewound)
			sub := r.enter()
			readRewound(&sub, e.Rewound)
			r.leave(&sub)
		case 18:
			e.Target = new(Target)
			sub := r.enter()
			readTarget(&sub, e.Target)
			r.leave(&sub)
		case 19:
			v := r.uint()
			if e.Close = Close(v); v > uint64(Terminate) {
				r.newer("parent-close policy %d", v)
			}
		case 20:
			e.Recursive = r.uint() != 0
		case 21:
			v := r.uint()
			if e.Edit = Edit(v); v > uint64(EditInput) {
				r.newer("edit %d of a reset", v)
			}
		default:
			r.unknown()
		}
	}
	switch {
	case e.Kind == 0:
		r.fail("an event has no kind")
	case e.Data.Blob != "" && e.Data.Bytes != nil:
		r.fail("a payload is inline and in a blob")
	}
}

func readTarget(r *reader, t *Target) {
	for r.next(0) {
		switch r.field {
		case 1:
			t.Instance = r.string()
		case 2:
			t.Incarnation = r.string()
		default:
			r.unknown()
		}
	}
}

func writePolicy(w *writer, p *Policy) {
	w.uint(1, uint64(p.Attempts))
	w.duration(2, p.Initial)
	w.float(3, p.Factor)
	w.duration(4, p.Cap)
	w.duration(5, p.Timeout)
	w.string(6, p.Queue)
	for _, k := range p.NonRetryable {
		w.nested(7, func(w *writer) { w.b = append(w.b, k...) })
	}
	w.duration(8, p.Deadline)
	w.duration(9, p.Heartbeat)
	w.bool(10, p.AtMostOnce)
	w.bool(11, p.Async)
	w.float(12, p.Jitter)
}

func readPolicy(r *reader, p *Policy) {
	for r.next(7) {
		switch r.field {
		case 1:
			p.Attempts = r.uint32()
		case 2:
			p.Initial = r.duration()
		case 3:
			p.Factor = r.float()
		case 4:
			p.Cap = r.duration()
		case 5:
			p.Timeout = r.duration()
		case 6:
			p.Queue = r.string()
		case 7:
			p.NonRetryable = append(p.NonRetryable, r.string())
		case 8:
			p.Deadline = r.duration()
		case 9:
			p.Heartbeat = r.duration()
		case 10:
			p.AtMostOnce = r.uint() != 0
		case 11:
			p.Async = r.uint() != 0
		case 12:
			p.Jitter = r.float()
		default:
			r.unknown()
		}
	}
}

// needsParent is the bit of what a reader of a start must honour that stands for its parent.
const needsParent = 1

func writeStart(w *writer, s *Start) {
	if p := s.Parent; p != nil {
		w.nested(1, func(w *writer) {
			w.string(1, p.Instance)
			w.string(2, p.Incarnation)
			w.uint(3, p.Generation)
			w.string(4, p.Op)
			w.uint(5, uint64(p.Epoch))
		})
	}
	w.string(2, s.TraceParent)
	w.string(3, s.TraceState)
	for _, k := range slices.Sorted(maps.Keys(s.Tags)) {
		w.nested(4, func(w *writer) {
			w.string(1, k)
			w.string(2, s.Tags[k])
		})
	}
	if len(s.Carried) > 0 {
		w.nested(5, func(w *writer) {
			for _, id := range s.Carried {
				w.nested(1, func(w *writer) { w.b = append(w.b, id...) })
			}
		})
	}
	if len(s.Known) > 0 {
		w.nested(6, func(w *writer) {
			for _, k := range s.Known {
				w.nested(1, func(w *writer) {
					w.string(1, k.ID)
					w.time(2, k.At)
					w.bool(3, k.Last)
				})
			}
		})
	}
	if s.Parent != nil {
		w.uint(7, needsParent)
	}
	w.bytes(8, s.Custom)
	w.time(9, s.Due)
	w.uint(10, s.Spun)
	w.time(11, s.SpunSince)
}

func readStart(r *reader, s *Start) {
	for r.next(4) {
		switch r.field {
		case 1:
			s.Parent = new(Parent)
			sub := r.enter()
			readParent(&sub, s.Parent)
			r.leave(&sub)
		case 2:
			s.TraceParent = r.string()
		case 3:
			s.TraceState = r.string()
		case 4:
			var k, v string
			sub := r.enter()
			readTag(&sub, &k, &v)
			r.leave(&sub)
			if s.Tags == nil {
				s.Tags = map[string]string{}
			}
			s.Tags[k] = v
		case 5:
			sub := r.enter()
			readCarried(&sub, s)
			r.leave(&sub)
		case 6:
			sub := r.enter()
			readAllKnown(&sub, s)
			r.leave(&sub)
		case 7:
			if needs := r.uint(); needs&^needsParent != 0 {
				r.newer("needs %b of a start", needs)
			}
		case 8:
			s.Custom = r.bytes()
		case 9:
			s.Due = r.time()
		case 10:
			s.Spun = r.uint()
		case 11:
			s.SpunSince = r.time()
		default:
			r.unknown()
		}
	}
}

func readCarried(r *reader, s *Start) {
	for r.next(1) {
		if r.field != 1 {
			r.unknown()
			return
		}
		s.Carried = append(s.Carried, r.string())
	}
}

func readAllKnown(r *reader, s *Start) {
	for r.next(1) {
		if r.field != 1 {
			r.unknown()
			return
		}
		s.Known = append(s.Known, Known{})
		sub := r.enter()
		readKnown(&sub, &s.Known[len(s.Known)-1])
		r.leave(&sub)
	}
}

func readKnown(r *reader, k *Known) {
	for r.next(0) {
		switch r.field {
		case 1:
			k.ID = r.string()
		case 2:
			k.At = r.time()
		case 3:
			k.Last = r.uint() != 0
		default:
			r.unknown()
		}
	}
}

func readRewound(r *reader, v *Rewound) {
	for r.next(0) {
		switch r.field {
		case 1:
			v.From = r.uint()
		default:
			r.unknown()
		}
	}
}

func readParent(r *reader, p *Parent) {
	for r.next(0) {
		switch r.field {
		case 1:
			p.Instance = r.string()
		case 2:
			p.Incarnation = r.string()
		case 3:
			p.Generation = r.uint()
		case 4:
			p.Op = r.string()
		case 5:
			p.Epoch = r.uint32()
		default:
			r.unknown()
		}
	}
}

func readTag(r *reader, k, v *string) {
	for r.next(0) {
		switch r.field {
		case 1:
			*k = r.string()
		case 2:
			*v = r.string()
		default:
			r.unknown()
		}
	}
}

// blobName is longer than the key of any blob.
const blobName = 160

// Size is roughly how many bytes the event takes where it is stored, with a payload that is large in a blob. It leaves out
// nothing that can be long.
func (e *Event) Size() int {
	data := len(e.Data.Bytes)
	if e.Data.Blob != "" || data > InlinePayload {
		data = blobName
	}
	n := 16 + data + len(e.Op) + len(e.Name) + len(e.MessageID) + len(e.Reason) + len(e.Build)
	if e.Failure != nil {
		n += e.Failure.Size()
	}
	if p := e.Policy; p != nil {
		n += 68 + len(p.Queue)
		for _, k := range p.NonRetryable {
			n += 4 + len(k)
		}
	}
	if e.Start != nil {
		n += e.Start.size()
	}
	if t := e.Target; t != nil {
		n += 40 + len(t.Instance)
	}
	return n
}

func (s *Start) size() int {
	n := 16 + len(s.TraceParent) + len(s.TraceState)
	if p := s.Parent; p != nil {
		n += 32 + len(p.Instance) + len(p.Incarnation) + len(p.Op)
	}
	for k, v := range s.Tags {
		n += 8 + len(k) + len(v)
	}
	for _, id := range s.Carried {
		n += 4 + len(id)
	}
	for _, k := range s.Known {
		n += 16 + len(k.ID)
	}
	n += len(s.Custom)
	if s.Spun > 0 {
		n += 16
	}
	if !s.Due.IsZero() {
		n += 8
	}
	return n
}

func formatError(what string, err error) error {
	return fmt.Errorf("%w %s: %w", ErrFormat, what, err)
}
