package pebble

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

var _ backend.Table = (*table)(nil)

type table struct {
	*store
	latches latches
}

func (t *table) Get(ctx context.Context, key backend.Key) (*backend.Item, error) {
	var item *backend.Item
	err := t.call(ctx, backend.CheckKey(key), func() (err error) {
		if item, err = t.find(key); err != nil {
			return err
		}
		return t.flights.wait(ctx, key.Partition)
	})
	if err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	return item, nil
}

func (t *table) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	err := t.call(ctx, backend.CheckItem(item), func() error {
		latch := t.latches.of(itemKey(item.Key))
		latch.Lock()
		defer latch.Unlock()
		found, err := t.find(item.Key)
		if err != nil {
			return err
		}
		if !cond.Holds(found) {
			return &backend.ConditionError{Found: found}
		}
		return t.replace(item.Key, found, &item)
	})
	if failed := (*backend.ConditionError)(nil); errors.As(err, &failed) {
		return failed
	}
	if err != nil {
		return fmt.Errorf("put: %w", err)
	}
	return nil
}

func (t *table) Delete(ctx context.Context, key backend.Key) error {
	err := t.call(ctx, backend.CheckKey(key), func() error {
		latch := t.latches.of(itemKey(key))
		latch.Lock()
		defer latch.Unlock()
		found, err := t.find(key)
		if err != nil || found == nil {
			return err
		}
		return t.replace(key, found, nil)
	})
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return nil
}

// call runs f unless the call is invalid, its context has ended or the store is closed. Damage that f meets is ErrDamaged.
func (s *store) call(ctx context.Context, invalid error, f func() error) error {
	if invalid != nil {
		return invalid
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	err := f()
	if pebble.IsCorruptionError(err) || errors.Is(err, errRecord) {
		return damaged(err)
	}
	return err
}

// find returns the item, nil when there is none.
func (t *table) find(key backend.Key) (*backend.Item, error) {
	value, closer, err := t.db.Get(itemKey(key))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return decodeItem(key, value)
}

// replace makes the item next instead of found, with what lists it; nil is no item. The caller holds the item's latch
// until the change is durable, so that nobody decides on what a crash may take back.
func (t *table) replace(key backend.Key, found, next *backend.Item) error {
	batch := t.db.NewBatch()
	defer batch.Close()
	if err := write(batch, key, found, next); err != nil {
		return err
	}
	return t.flights.commit(key.Partition, batch)
}

// write fills batch with the difference between found and next.
func write(batch *pebble.Batch, key backend.Key, found, next *backend.Item) error {
	old, entries := entriesOf(key, found), entriesOf(key, next)
	var errs []error
	for _, e := range old {
		if !slices.ContainsFunc(entries, func(n entry) bool { return bytes.Equal(n.key, e.key) }) {
			errs = append(errs, batch.Delete(e.key, nil))
		}
	}
	for _, e := range entries {
		errs = append(errs, batch.Set(e.key, e.value, nil))
	}
	return errors.Join(errs...)
}

type entry struct{ key, value []byte }

// entriesOf is what the database holds because of an item, nil being none.
func entriesOf(key backend.Key, item *backend.Item) []entry {
	if item == nil {
		return nil
	}
	entries := []entry{{itemKey(key), encodeItem(*item)}}
	if item.Index != nil {
		entries = append(entries, entry{indexKey(*item.Index, key), item.Index.Summary})
	}
	if !item.Expires.IsZero() {
		entries = append(entries, entry{expiryKey(item.Expires, key), nil})
	}
	return entries
}
