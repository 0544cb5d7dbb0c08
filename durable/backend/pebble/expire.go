package pebble

import (
	"context"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// DeleteExpired removes the items whose Expires is not after now, and returns how many. Nothing else removes them:
// DynamoDB does so by itself, here somebody calls it once in a while.
func (b *Backend) DeleteExpired(ctx context.Context) (int, error) {
	deleted := 0
	now := b.now()
	for {
		keys, err := b.expired(ctx, 1000)
		if err != nil {
			return deleted, fmt.Errorf("delete expired items: %w", err)
		}
		for _, key := range keys {
			err := b.call(ctx, nil, func() error { return b.table.expire(key, now.Unix()) })
			if err != nil {
				return deleted, fmt.Errorf("delete expired items: %w", err)
			}
			deleted++
		}
		if len(keys) == 0 {
			return deleted, nil
		}
	}
}

// expired returns the keys of up to limit expired items.
func (b *Backend) expired(ctx context.Context, limit int) ([]backend.Key, error) {
	var keys []backend.Key
	err := b.call(ctx, nil, func() error {
		prefix := []byte{spaceExpiry}
		end := after(expiriesBefore(b.now()))[len(prefix):]
		return b.scan(prefix, nil, end, func(rest, _ []byte) (bool, error) {
			key, ok := itemOfExpiry(append(prefix[:1:1], rest...))
			if !ok {
				return false, fmt.Errorf("expiry key: %w", errRecord)
			}
			keys = append(keys, key)
			return len(keys) < limit, nil
		})
	})
	return keys, err
}

// expire removes the item if it has not been replaced by one that lives. It is not synced: what comes back after a crash
// expires again.
func (t *table) expire(key backend.Key, now int64) error {
	latch := t.latches.of(itemKey(key))
	latch.Lock()
	defer latch.Unlock()
	found, err := t.find(key)
	if err != nil || found == nil || found.Expires.IsZero() || found.Expires.Unix() > now {
		return err
	}
	batch := t.db.NewBatch()
	defer batch.Close()
	if err := write(batch, key, found, nil); err != nil {
		return err
	}
	return batch.Commit(pebble.NoSync)
}
