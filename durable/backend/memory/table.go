package memory

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

var _ backend.Table = (*table)(nil)

type table struct {
	mu         sync.RWMutex
	partitions map[string][]backend.Item    // by Sort
	index      map[string][]backend.Indexed // by index partition; ordered by Sort, then item
}

func newTable() *table {
	return &table{partitions: map[string][]backend.Item{}, index: map[string][]backend.Indexed{}}
}

func (t *table) Get(ctx context.Context, key backend.Key) (*backend.Item, error) {
	if err := check(ctx, backend.CheckKey(key)); err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.find(key), nil
}

func (t *table) Put(ctx context.Context, item backend.Item, cond backend.Condition) error {
	if err := check(ctx, backend.CheckItem(item)); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if found := t.find(item.Key); !cond.Holds(found) {
		return &backend.ConditionError{Found: found}
	}
	t.remove(item.Key)
	item = cloneItem(item)
	items := t.partitions[item.Partition]
	at, _ := slices.BinarySearchFunc(items, item.Sort, bySort)
	t.partitions[item.Partition] = slices.Insert(items, at, item)
	if item.Index != nil {
		t.list(backend.Indexed{Key: item.Key, IndexEntry: *item.Index})
	}
	return nil
}

func (t *table) Delete(ctx context.Context, key backend.Key) error {
	if err := check(ctx, backend.CheckKey(key)); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(key)
	return nil
}

func (t *table) Query(ctx context.Context, partition, from, to string, limit int) ([]backend.Item, error) {
	if err := check(ctx, backend.CheckQuery(partition, limit)); err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	items := t.partitions[partition]
	at, _ := slices.BinarySearchFunc(items, from, bySort)
	var out []backend.Item
	for _, item := range items[at:] {
		if len(out) == limit || to != "" && item.Sort >= to {
			break
		}
		out = append(out, cloneItem(item))
	}
	return out, nil
}

// find returns a copy of the item, nil when there is none.
func (t *table) find(key backend.Key) *backend.Item {
	items := t.partitions[key.Partition]
	at, ok := slices.BinarySearchFunc(items, key.Sort, bySort)
	if !ok {
		return nil
	}
	item := cloneItem(items[at])
	return &item
}

// remove takes the item, if there is one, out of its partition and of the index.
func (t *table) remove(key backend.Key) {
	items := t.partitions[key.Partition]
	at, ok := slices.BinarySearchFunc(items, key.Sort, bySort)
	if !ok {
		return
	}
	if entry := items[at].Index; entry != nil {
		t.unlist(backend.Indexed{Key: key, IndexEntry: *entry})
	}
	if items = slices.Delete(items, at, at+1); len(items) == 0 {
		delete(t.partitions, key.Partition)
	} else {
		t.partitions[key.Partition] = items
	}
}

func (t *table) all() []backend.Item {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []backend.Item
	for _, items := range t.partitions {
		for _, item := range items {
			out = append(out, cloneItem(item))
		}
	}
	slices.SortFunc(out, func(a, b backend.Item) int { return compareKeys(a.Key, b.Key) })
	return out
}

func (t *table) deleteExpired(now time.Time) int {
	expired := 0
	for _, item := range t.all() {
		if !item.Expires.IsZero() && !item.Expires.After(now) {
			t.mu.Lock()
			t.remove(item.Key)
			t.mu.Unlock()
			expired++
		}
	}
	return expired
}

func bySort(item backend.Item, sort string) int { return strings.Compare(item.Sort, sort) }

// cloneItem copies the item, its expiry to the second as every adapter stores it.
func cloneItem(item backend.Item) backend.Item {
	item.Value = bytes.Clone(item.Value)
	if !item.Expires.IsZero() {
		item.Expires = time.Unix(item.Expires.Unix(), 0).UTC()
	}
	if item.Index != nil {
		entry := *item.Index
		entry.Summary = bytes.Clone(entry.Summary)
		item.Index = &entry
	}
	return item
}

func check(ctx context.Context, invalid error) error {
	if invalid != nil {
		return invalid
	}
	return ctx.Err()
}
