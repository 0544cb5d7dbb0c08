// Package codec transforms what a task hub stores and sends, at one seam: its ports. Everything above sees plain values, and everything
// below sees encoded ones, so that neither comparisons nor hashes nor replay ever meet what a codec has made.
//
//	keys, err := aesgcm.New(aesgcm.Key{ID: "2027", Secret: newest}, aesgcm.Key{ID: "2026", Secret: older})
//	dev.Serve(ctx, dev.Config{Codec: codec.Config{Codec: keys}, …})
//
// What is encoded: the values of items (segments, status rows, due messages, records of the application), the summaries that queries
// return, the bodies of messages, and blobs. What stays plain: the keys of items and blobs, with instance ids in them and hashes of
// payloads, the index's partitions (open or closed) and times, owners and sequence numbers, and sizes.
//
// Values from before a hub had a codec are read as they are, so that one can be introduced while instances run; see [Config.RefusePlain].
package codec

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// Codec encodes values where they leave the process, and decodes them where they come back. It is used concurrently.
//
// Decode is given what Encode has returned, perhaps years ago, and where it was put; another place is one that somebody has
// moved it to. An error of either fails the operation of the port, as if the storage had failed: what was asked for is tried again, messages
// come back and are kept in the end as dead letters, and no instance fails. So a key that is missing is put right by adding it.
type Codec interface {
	Encode(ctx context.Context, at Where, plain []byte) ([]byte, error)
	Decode(ctx context.Context, at Where, encoded []byte) ([]byte, error)
}

// Where a value is. It is the same for Encode and Decode, and no two places are the same but messages of one queue.
type Where struct {
	// Port is "item", "summary", "message" or "blob".
	Port string
	// Name is the item's key (both parts, a zero byte between), the queue, or the blob's key.
	Name string
}

// Bytes is one name for the place: authenticated data, for a cipher that takes some.
func (w Where) Bytes() []byte { return []byte(w.Port + "\x00" + w.Name) }

// Overhead is how many bytes longer than the plain value an encoded one may be, so that it fits where the plain one does.
const Overhead = 4 << 10

// Config of a hub's codec.
type Config struct {
	// Codec may be nil: values stay plain, and encoded ones are refused with a sentence that says what is missing.
	Codec Codec
	// RefusePlain refuses values that are not encoded: whoever can write to the table could else put plain ones there. Set it when nothing
	// from before the codec is left.
	RefusePlain bool
}

// mark begins what is encoded. No format of this module begins like it, nor any text.
var mark = []byte{0xed, 'd', 'c', 1}

var (
	errNoCodec = errors.New("it is encoded, and this program was given no codec: give it the one that the hub's other programs have")
	errPlain   = errors.New("it is not encoded, and plain values are refused here")
)

// Wrap returns a backend whose values are encoded in b.
func Wrap(b backend.Backend, c Config) backend.Backend {
	k := coder(c)
	dead := func(q backend.Queue, name string) backend.Queue {
		if q == nil {
			return nil
		}
		return &queue{q, k, name}
	}
	return backend.Backend{
		Table: &table{b.Table, k}, Blobs: &blobs{b.Blobs, k},
		Inbox: &queue{b.Inbox, k, "inbox"}, Wake: &queue{b.Wake, k, "wake"}, Activities: &queue{b.Activities, k, "activities"},
		Dead: backend.Dead{Inbox: dead(b.Dead.Inbox, "inbox"), Wake: dead(b.Dead.Wake, "wake"), Activities: dead(b.Dead.Activities, "activities")},
	}
}

type coder Config

func (k coder) encode(ctx context.Context, at Where, plain []byte) ([]byte, error) {
	if k.Codec == nil || len(plain) == 0 {
		return plain, nil
	}
	encoded, err := k.Codec.Encode(ctx, at, plain)
	if err == nil && len(encoded) > len(plain)+Overhead-len(mark) {
		err = fmt.Errorf("%d bytes became %d: at most %d more are allowed", len(plain), len(encoded), Overhead-len(mark))
	}
	if err != nil {
		return nil, fmt.Errorf("codec: a value cannot be encoded (%s %q): %w", at.Port, at.Name, err)
	}
	return append(bytes.Clone(mark), encoded...), nil
}

func (k coder) decode(ctx context.Context, at Where, stored []byte) ([]byte, error) {
	encoded, ok := bytes.CutPrefix(stored, mark)
	var err error
	switch {
	case len(stored) == 0, !ok && !k.RefusePlain:
		return stored, nil
	case !ok:
		err = errPlain
	case k.Codec == nil:
		err = errNoCodec
	default:
		var plain []byte
		if plain, err = k.Codec.Decode(ctx, at, encoded); err == nil {
			return plain, nil
		}
	}
	return nil, fmt.Errorf("codec: a value cannot be decoded (%s %q): %w", at.Port, at.Name, err)
}
