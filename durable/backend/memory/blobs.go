package memory

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

var _ backend.Blobs = (*blobs)(nil)

type blobs struct {
	mu   sync.RWMutex
	data map[string][]byte
}

func (b *blobs) Put(ctx context.Context, key string, data []byte) error {
	if err := check(ctx, backend.CheckBlobKey(key)); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data[key] = bytes.Clone(data)
	return nil
}

func (b *blobs) Get(ctx context.Context, key string) ([]byte, error) {
	if err := check(ctx, backend.CheckBlobKey(key)); err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	data, ok := b.data[key]
	if !ok {
		return nil, fmt.Errorf("get blob %q: %w", key, backend.ErrNoBlob)
	}
	return bytes.Clone(data), nil
}

func (b *blobs) Delete(ctx context.Context, key string) error {
	if err := check(ctx, backend.CheckBlobKey(key)); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.data, key)
	return nil
}
