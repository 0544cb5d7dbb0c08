package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// What the first byte of a blob says of the rest.
const (
	blobPlain = 0
	blobGzip  = 1
)

// maxBlob is how many bytes a blob may have once it is uncompressed: many times what is ever put into one. It keeps a
// damaged or forged one from taking all memory.
const maxBlob = 64 << 20

var errBlob = fmt.Errorf("%w blob: it is damaged", history.ErrFormat)

// shelfKey is the key of the item that says that a life may have blobs. A purge that finds none of them looks for none, because a list of S3's costs as much as
// eight writes. It sorts just before what activities have said last, so that one query finds both.
func shelfKey(instance, incarnation string) backend.Key {
	return backend.Key{Partition: instancePartition(instance), Sort: shelfPrefix + incarnation}
}

const shelfPrefix = "b!"

// putBlob stores data of a life, compressed where that saves something.
func (s *Store) putBlob(ctx context.Context, instance, incarnation, key string, data []byte) error {
	if len(data) > maxBlob {
		return fmt.Errorf("put blob %s: it has %d bytes, at most %d are allowed", key, len(data), maxBlob)
	}
	// First: a process that dies in between leaves a blob that is looked for.
	if err := s.b.Table.Put(ctx, backend.Item{Key: shelfKey(instance, incarnation), Owner: incarnation}, backend.Always()); err != nil {
		return err
	}
	return s.b.Blobs.Put(ctx, key, pack(data))
}

// getBlob reads what putBlob stored.
func (s *Store) getBlob(ctx context.Context, key string) ([]byte, error) {
	b, err := s.b.Blobs.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	data, err := unpack(b)
	if err != nil {
		return nil, fmt.Errorf("get blob %s: %w", key, err)
	}
	return data, nil
}

// writers are kept, because each has more than a megabyte of tables.
var writers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is one that there is
	return w
}}

func pack(data []byte) []byte {
	var b bytes.Buffer
	b.WriteByte(blobGzip)
	w := writers.Get().(*gzip.Writer)
	defer writers.Put(w)
	w.Reset(&b)
	w.Write(data) // a buffer takes everything
	w.Close()
	if b.Len() > len(data) {
		return append([]byte{blobPlain}, data...)
	}
	return b.Bytes()
}

func unpack(b []byte) ([]byte, error) {
	switch {
	case len(b) == 0:
		return nil, errBlob
	case b[0] == blobPlain:
		return b[1:], nil
	case b[0] != blobGzip:
		return nil, fmt.Errorf("%w blob: %w: compression %d", history.ErrFormat, history.ErrNewer, b[0])
	}
	r, err := gzip.NewReader(bytes.NewReader(b[1:]))
	if err != nil {
		return nil, errors.Join(errBlob, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxBlob+1))
	if err != nil {
		return nil, errors.Join(errBlob, err)
	}
	if len(data) > maxBlob {
		return nil, fmt.Errorf("%w: it has more than %d bytes", errBlob, maxBlob)
	}
	return data, nil
}
