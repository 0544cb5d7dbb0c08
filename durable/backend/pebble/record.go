package pebble

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

const recordVersion = 1

const (
	hasExpiry = 1 << iota
	hasIndex
)

var errRecord = errors.New("record is damaged")

func encodeItem(item backend.Item) []byte {
	b := make([]byte, 0, len(item.Value)+len(item.Owner)+64)
	b = appendField(append(b, recordVersion), item.Owner)
	b = binary.AppendUvarint(b, item.Sequence.Generation)
	b = binary.AppendUvarint(b, item.Sequence.Number)
	var flags uint64
	if !item.Expires.IsZero() {
		flags |= hasExpiry
	}
	if item.Index != nil {
		flags |= hasIndex
	}
	b = binary.AppendUvarint(b, flags)
	if !item.Expires.IsZero() {
		b = binary.AppendVarint(b, item.Expires.Unix())
	}
	if item.Index != nil {
		b = appendField(b, item.Index.Partition)
		b = appendField(b, item.Index.Sort)
		b = appendField(b, item.Index.Summary)
	}
	return appendField(b, item.Value)
}

// decodeItem copies what it needs of b.
func decodeItem(key backend.Key, b []byte) (*backend.Item, error) {
	r := newReader(b)
	item := &backend.Item{Key: key, Owner: string(r.field())}
	item.Sequence.Generation = r.uvarint()
	item.Sequence.Number = r.uvarint()
	flags := r.uvarint()
	if flags&hasExpiry != 0 {
		item.Expires = time.Unix(r.varint(), 0).UTC()
	}
	if flags&hasIndex != 0 {
		item.Index = &backend.IndexEntry{Partition: string(r.field()), Sort: string(r.field()), Summary: bytes.Clone(r.field())}
	}
	item.Value = bytes.Clone(r.field())
	if flags > hasExpiry|hasIndex && r.newer == nil && !r.bad {
		r.newer = fmt.Errorf("%w: flags %#x of a record", ErrNewer, flags)
	}
	return item, r.end(true)
}

func encodeMessage(m backend.Message, due time.Time) []byte {
	b := make([]byte, 0, len(m.Body)+len(m.ID)+len(m.Group)+32)
	b = appendField(append(b, recordVersion), m.ID)
	b = appendField(b, m.Group)
	b = binary.AppendVarint(b, due.UnixNano())
	return appendField(b, m.Body)
}

// decodeMessage copies what it needs of b.
func decodeMessage(b []byte) (m backend.Message, due time.Time, err error) {
	r := newReader(b)
	m.ID = string(r.field())
	m.Group = string(r.field())
	due = time.Unix(0, r.varint())
	m.Body = bytes.Clone(r.field())
	return m, due, r.end(true)
}

func encodeBlob(data []byte, modified time.Time) []byte {
	b := binary.AppendVarint(append(make([]byte, 0, len(data)+16), recordVersion), modified.UnixMilli())
	return appendField(b, data)
}

// decodeBlob returns a part of b.
func decodeBlob(b []byte) (data []byte, modified time.Time, err error) {
	r := newReader(b)
	modified = time.UnixMilli(r.varint()).UTC()
	data = r.field()
	return data, modified, r.end(true)
}

func appendField[T string | []byte](b []byte, field T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(field))), field...)
}

// reader reads a record. After the first thing that is not there, everything is zero.
type reader struct {
	b     []byte
	bad   bool
	newer error
}

func newReader(b []byte) *reader {
	r := &reader{b: b}
	if len(b) == 0 || b[0] != recordVersion {
		r.bad = true
		if len(b) > 0 && b[0] > recordVersion {
			r.newer = fmt.Errorf("%w: record format %d", ErrNewer, b[0])
		}
		return r
	}
	r.b = b[1:]
	return r
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	return advance(r, v, n)
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	return advance(r, v, n)
}

func advance[T any](r *reader, v T, n int) T {
	var zero T
	if n <= 0 || r.bad {
		r.bad = true
		return zero
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) field() []byte {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	field := r.b[:n]
	r.b = r.b[n:]
	return field
}

// end returns an error unless the record was read to its end and is valid.
func (r *reader) end(valid bool) error {
	if r.newer != nil {
		return r.newer
	}
	if r.bad || len(r.b) > 0 || !valid {
		return errRecord
	}
	return nil
}
