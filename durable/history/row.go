package history

import "time"

// Status is the runtime status of an instance as its status row keeps it. The numbers are part of the stored format.
type Status uint8

// The runtime statuses.
const (
	StatusPending        Status = 1
	StatusRunning        Status = 2
	StatusSuspended      Status = 3
	StatusContinuedAsNew Status = 4
	StatusCompleted      Status = 5
	StatusFailed         Status = 6
	StatusCanceled       Status = 7
	StatusTerminated     Status = 8
)

// Ended reports whether the status is final.
func (s Status) Ended() bool { return s >= StatusCompleted && s <= StatusTerminated }

// Row is the status row of an instance: what can be read of it without its history. Until the first segment is committed
// it is also the record of the start.
type Row struct {
	Instance    string
	Incarnation string
	// Generation and Number are the row's version: the history it shows has Number segments of Generation. They are kept
	// as the item's sequence and not repeated in its value.
	Generation, Number uint64
	// Start is the ExecutionStarted event.
	Start  Event
	Status Status
	// Custom is the custom status.
	Custom Payload
	// End is the event that ended the instance; nil before.
	End *Event
	// SuspendReason says why the instance is suspended.
	SuspendReason string
	Updated       time.Time
	// Purged says that the instance is gone, and that the row only keeps its version for whoever starts it anew.
	Purged bool
}

// Version names this version of the row.
func (r *Row) Version() *Version {
	return &Version{Incarnation: r.Incarnation, Generation: r.Generation, Number: r.Number}
}

// rowPurged is the flag of a row that is a tombstone.
const rowPurged = 1

// Encode returns the row as the value of an item, without its version and incarnation.
func (r *Row) Encode() []byte {
	w := &writer{b: append(make([]byte, 0, 128+r.Start.Size()+len(r.Custom.Bytes)), FormatVersion, compressionNone)}
	w.string(1, r.Instance)
	w.nested(2, func(w *writer) { writeEvent(w, &r.Start) })
	w.uint(3, uint64(r.Status))
	w.bytes(4, r.Custom.Bytes)
	if r.End != nil {
		w.nested(5, func(w *writer) { writeEvent(w, r.End) })
	}
	w.string(6, r.SuspendReason)
	w.time(7, r.Updated)
	if r.Purged {
		w.uint(8, rowPurged)
	}
	return w.b
}

// DecodeRow reads what Encode wrote. The row shares memory with b, which must not change afterwards.
func DecodeRow(b []byte) (*Row, error) {
	if err := checkHeader(b); err != nil {
		return nil, formatError("status row", err)
	}
	row := new(Row)
	r := newReader(b)
	for r.next(0) {
		switch r.field {
		case 1:
			row.Instance = r.string()
		case 2:
			sub := r.enter()
			readEvent(&sub, &row.Start)
			r.leave(&sub)
		case 3:
			v := r.uint()
			if v < uint64(StatusPending) || v > uint64(StatusTerminated) {
				r.newer("status %d", v)
			}
			row.Status = Status(v)
		case 4:
			row.Custom.Bytes = r.bytes()
		case 5:
			row.End = new(Event)
			sub := r.enter()
			readEvent(&sub, row.End)
			r.leave(&sub)
		case 6:
			row.SuspendReason = r.string()
		case 7:
			row.Updated = r.time()
		case 8:
			flags := r.uint()
			if flags&^rowPurged != 0 {
				r.newer("flags %#x", flags)
			}
			row.Purged = flags&rowPurged != 0
		default:
			r.unknown()
		}
	}
	switch {
	case r.err != nil:
	case row.Instance == "":
		r.fail("it names no instance")
	case row.Start.Kind != ExecutionStarted:
		r.fail("it has no start")
	case row.Status == 0:
		r.fail("it has no status")
	}
	if r.err != nil {
		return nil, formatError("status row", r.err)
	}
	return row, nil
}
