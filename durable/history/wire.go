package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"time"
	"unsafe"
)

// The wire encoding is a sequence of fields: a key (number<<1 | type) as an unsigned varint, then the value: type 0 is
// an unsigned varint, type 1 a length and that many bytes. Fields come in ascending order, a zero value is left out, and
// only fields marked so repeat. Unknown fields are an error: a history is never half understood.

const (
	wireVarint = 0
	wireBytes  = 1
)

type writer struct{ b []byte }

func (w *writer) uint(field int, v uint64) {
	if v != 0 {
		w.b = binary.AppendUvarint(w.b, uint64(field<<1|wireVarint))
		w.b = binary.AppendUvarint(w.b, v)
	}
}

func (w *writer) bool(field int, v bool) {
	if v {
		w.uint(field, 1)
	}
}

func (w *writer) string(field int, v string) {
	if v != "" {
		w.b = binary.AppendUvarint(w.b, uint64(field<<1|wireBytes))
		w.b = binary.AppendUvarint(w.b, uint64(len(v)))
		w.b = append(w.b, v...)
	}
}

func (w *writer) bytes(field int, v []byte) {
	if len(v) > 0 {
		w.b = binary.AppendUvarint(w.b, uint64(field<<1|wireBytes))
		w.b = binary.AppendUvarint(w.b, uint64(len(v)))
		w.b = append(w.b, v...)
	}
}

// maxTime is the last time that is kept, in the year 2262: what is later, or before 1970, is kept as the end of the range.
const maxTime = math.MaxInt64 / 1_000_000

// time is kept in milliseconds since 1970. No time and 1970 are the same.
func (w *writer) time(field int, t time.Time) {
	if !t.IsZero() {
		w.uint(field, uint64(min(max(t.UnixMilli(), 0), maxTime)))
	}
}

// duration is kept in microseconds.
func (w *writer) duration(field int, d time.Duration) {
	w.uint(field, uint64(max(d.Microseconds(), 0)))
}

// float is kept with its bytes reversed, so that round numbers are short.
func (w *writer) float(field int, f float64) {
	w.uint(field, bits.ReverseBytes64(math.Float64bits(f)))
}

// nested writes what body writes as one field, present even when empty.
func (w *writer) nested(field int, body func(*writer)) {
	w.b = binary.AppendUvarint(w.b, uint64(field<<1|wireBytes))
	start := len(w.b)
	body(w)
	var size [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(size[:], uint64(len(w.b)-start))
	w.b = append(w.b, size[:n]...)
	copy(w.b[start+n:], w.b[start:len(w.b)-n])
	copy(w.b[start:], size[:n])
}

var errTruncated = errors.New("it is cut short")

// reader walks the fields of b. s is b as a string, so that strings are cut from it without copying.
type reader struct {
	b    []byte
	s    string
	pos  int
	end  int
	last int
	err  error
	// of the current field
	field  int
	typ    int
	num    uint64
	lo, hi int
}

// newReader reads what is behind the header. Whoever hands b over does not change it any more: what is read shares its memory.
func newReader(b []byte) reader {
	return reader{b: b, s: unsafe.String(unsafe.SliceData(b), len(b)), pos: 2, end: len(b)}
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// newer refuses what this version does not know.
func (r *reader) newer(format string, args ...any) {
	r.fail("%w: %s", ErrNewer, fmt.Sprintf(format, args...))
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b[r.pos:r.end])
	if n <= 0 {
		r.fail("%w", errTruncated)
		r.pos = r.end
		return 0
	}
	r.pos += n
	return v
}

// next moves to the next field; repeats says which field may come again.
func (r *reader) next(repeats int) bool {
	if r.err != nil || r.pos >= r.end {
		return false
	}
	key := r.uvarint()
	if r.err != nil {
		return false
	}
	if key>>1 > 1<<20 {
		r.fail("field number %d", key>>1)
		return false
	}
	r.field, r.typ = int(key>>1), int(key&1)
	if r.field < r.last || r.field == r.last && r.field != repeats {
		r.fail("field %d is out of order", r.field)
		return false
	}
	r.last = r.field
	v := r.uvarint()
	if r.err != nil {
		return false
	}
	if r.typ == wireVarint {
		r.num = v
		return true
	}
	if v > uint64(r.end-r.pos) {
		r.fail("%w", errTruncated)
		return false
	}
	r.lo, r.hi = r.pos, r.pos+int(v)
	r.pos = r.hi
	return true
}

// count is how often a field comes, as far as what is behind the reader can be read.
func (r reader) count(field int) (n int) {
	for r.next(field) {
		if r.field == field {
			n++
		}
	}
	return n
}

// unknown refuses the current field.
func (r *reader) unknown() {
	r.newer("field %d", r.field)
}

func (r *reader) want(typ int) bool {
	if r.typ != typ {
		r.fail("field %d has the wrong type", r.field)
		return false
	}
	return true
}

func (r *reader) uint() uint64 {
	if !r.want(wireVarint) {
		return 0
	}
	return r.num
}

func (r *reader) uint32() uint32 {
	v := r.uint()
	if v > math.MaxUint32 {
		r.fail("field %d is too large", r.field)
	}
	return uint32(v)
}

func (r *reader) string() string {
	if !r.want(wireBytes) {
		return ""
	}
	return r.s[r.lo:r.hi]
}

func (r *reader) bytes() []byte {
	if !r.want(wireBytes) || r.lo == r.hi {
		return nil
	}
	return r.b[r.lo:r.hi:r.hi]
}

func (r *reader) time() time.Time {
	v := r.uint()
	if v > maxTime {
		r.fail("field %d is no time", r.field)
	}
	if v == 0 || v > maxTime {
		return time.Time{}
	}
	return time.UnixMilli(int64(v)).UTC()
}

func (r *reader) duration() time.Duration {
	v := r.uint()
	if v > math.MaxInt64/1_000 {
		r.fail("field %d is no duration", r.field)
		return 0
	}
	return time.Duration(v) * time.Microsecond
}

func (r *reader) float() float64 { return math.Float64frombits(bits.ReverseBytes64(r.uint())) }

// enter returns a reader of the current field's bytes, and leave takes over its error.
func (r *reader) enter() reader {
	if !r.want(wireBytes) {
		return reader{}
	}
	return reader{b: r.b, s: r.s, pos: r.lo, end: r.hi}
}

func (r *reader) leave(sub *reader) {
	if sub.err != nil {
		r.fail("field %d: %w", r.field, sub.err)
	}
}
