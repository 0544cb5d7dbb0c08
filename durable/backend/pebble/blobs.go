package pebble

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

var _ backend.Blobs = (*blobs)(nil)

type blobs struct{ *store }

func (b *blobs) Put(ctx context.Context, key string, data []byte) error {
	err := b.call(ctx, backend.CheckBlobKey(key), func() error {
		return b.change(key, func(batch *pebble.Batch) error { return batch.Set(blobKey(key), encodeBlob(data, b.now()), nil) })
	})
	if err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	return nil
}

func (b *blobs) Get(ctx context.Context, key string) ([]byte, error) {
	var data []byte
	err := b.call(ctx, backend.CheckBlobKey(key), func() error {
		value, closer, err := b.db.Get(blobKey(key))
		if errors.Is(err, pebble.ErrNotFound) {
			return fmt.Errorf("%q: %w", key, backend.ErrNoBlob)
		}
		if err != nil {
			return err
		}
		data, _, err = decodeBlob(value)
		data = bytes.Clone(data)
		return errors.Join(err, closer.Close(), b.flights.wait(ctx, key))
	})
	if err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	return data, nil
}

func (b *blobs) Delete(ctx context.Context, key string) error {
	err := b.call(ctx, backend.CheckBlobKey(key), func() error {
		return b.change(key, func(batch *pebble.Batch) error { return batch.Delete(blobKey(key), nil) })
	})
	if err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

func (b *blobs) List(ctx context.Context, prefix, after string, limit int) ([]backend.BlobInfo, error) {
	var listed []backend.BlobInfo
	err := b.call(ctx, backend.CheckList(prefix, after, limit), func() error {
		from := ""
		if after >= prefix { // the least key that is greater
			if !strings.HasPrefix(after, prefix) {
				return nil
			}
			from = after[len(prefix):] + "\x00"
		}
		err := b.scan(blobKey(prefix), []byte(from), nil, func(rest, value []byte) (bool, error) {
			data, modified, err := decodeBlob(value)
			if err != nil {
				return false, err
			}
			listed = append(listed, backend.BlobInfo{Key: prefix + string(rest), Size: int64(len(data)), Modified: modified})
			return len(listed) < limit, ctx.Err()
		})
		for _, info := range listed {
			err = errors.Join(err, b.flights.wait(ctx, info.Key))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list blobs: %w", err)
	}
	return listed, nil
}

func (b *blobs) change(key string, fill func(*pebble.Batch) error) error {
	batch := b.db.NewBatch()
	defer batch.Close()
	if err := fill(batch); err != nil {
		return err
	}
	return b.flights.commit(key, batch)
}
