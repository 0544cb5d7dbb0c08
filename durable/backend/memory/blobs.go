package memory

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

var _ backend.Blobs = (*blobs)(nil)

type blobs struct {
	now  func() time.Time
	mu   sync.RWMutex
	data map[string]blob
}

type blob struct {
	data     []byte
	modified time.Time
}

func (b *blobs) Put(ctx context.Context, key string, data []byte) error {
	if err := check(ctx, backend.CheckBlobKey(key)); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data[key] = blob{bytes.Clone(data), b.now()}
	return nil
}

func (b *blobs) Get(ctx context.Context, key string) ([]byte, error) {
	if err := check(ctx, backend.CheckBlobKey(key)); err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	found, ok := b.data[key]
	if !ok {
		return nil, fmt.Errorf("get blob %q: %w", key, backend.ErrNoBlob)
	}
	return bytes.Clone(found.data), nil
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

func (b *blobs) List(ctx context.Context, prefix, after string, limit int) ([]backend.BlobInfo, error) {
	if err := check(ctx, backend.CheckList(prefix, after, limit)); err != nil {
		return nil, fmt.Errorf("list blobs: %w", err)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []backend.BlobInfo
	for _, key := range slices.Sorted(maps.Keys(b.data)) {
		if len(out) < limit && key > after && strings.HasPrefix(key, prefix) {
			found := b.data[key]
			out = append(out, backend.BlobInfo{Key: key, Size: int64(len(found.data)), Modified: found.modified})
		}
	}
	return out, nil
}
