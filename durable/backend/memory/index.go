package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

func (t *table) Index(ctx context.Context, partition, from, to string, limit int) ([]backend.Indexed, error) {
	if err := check(ctx, backend.CheckQuery(partition, limit)); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	entries := t.index[partition]
	at, _ := slices.BinarySearchFunc(entries, from, func(e backend.Indexed, sort string) int {
		return strings.Compare(e.IndexEntry.Sort, sort)
	})
	var out []backend.Indexed
	for _, e := range entries[at:] {
		if len(out) == limit || to != "" && e.IndexEntry.Sort >= to {
			break
		}
		e.Summary = bytes.Clone(e.Summary)
		out = append(out, e)
	}
	return out, nil
}

func (t *table) list(e backend.Indexed) {
	entries := t.index[e.IndexEntry.Partition]
	at, _ := slices.BinarySearchFunc(entries, e, compareIndexed)
	t.index[e.IndexEntry.Partition] = slices.Insert(entries, at, e)
}

func (t *table) unlist(e backend.Indexed) {
	entries := t.index[e.IndexEntry.Partition]
	at, ok := slices.BinarySearchFunc(entries, e, compareIndexed)
	if !ok {
		panic("memory: the index does not list " + e.Key.Partition + "/" + e.Key.Sort)
	}
	if entries = slices.Delete(entries, at, at+1); len(entries) == 0 {
		delete(t.index, e.IndexEntry.Partition)
	} else {
		t.index[e.IndexEntry.Partition] = entries
	}
}

func compareIndexed(a, b backend.Indexed) int {
	return cmp.Or(strings.Compare(a.IndexEntry.Sort, b.IndexEntry.Sort), compareKeys(a.Key, b.Key))
}

func compareKeys(a, b backend.Key) int {
	return cmp.Or(strings.Compare(a.Partition, b.Partition), strings.Compare(a.Sort, b.Sort))
}
