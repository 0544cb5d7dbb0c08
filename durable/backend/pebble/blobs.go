package pebble

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

var _ backend.Blobs = (*blobs)(nil)

type blobs struct{ *store }

func (b *blobs) Put(ctx context.Context, key string, data []byte) error {
	err := b.call(ctx, backend.CheckBlobKey(key), func() error {
		return b.change(key, func(batch *pebble.Batch) error { return batch.Set(blobKey(key), data, nil) })
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
		data = bytes.Clone(value)
		return errors.Join(closer.Close(), b.flights.wait(ctx, key))
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

func (b *blobs) change(key string, fill func(*pebble.Batch) error) error {
	batch := b.db.NewBatch()
	defer batch.Close()
	if err := fill(batch); err != nil {
		return err
	}
	return b.flights.commit(key, batch)
}
