package pebble

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

func (t *table) Query(ctx context.Context, partition, from, to string, limit int) ([]backend.Item, error) {
	var items []backend.Item
	err := t.call(ctx, backend.CheckQuery(partition, limit), func() error {
		prefix := itemsOf(partition)
		err := t.scan(prefix, []byte(from), []byte(to), func(rest, value []byte) (bool, error) {
			item, err := decodeItem(backend.Key{Partition: partition, Sort: string(rest)}, value)
			if err != nil {
				return false, err
			}
			items = append(items, *item)
			return len(items) < limit, ctx.Err()
		})
		if err != nil {
			return err
		}
		return t.flights.wait(ctx, partition)
	})
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return items, nil
}

func (t *table) Index(ctx context.Context, partition, from, to string, limit int) ([]backend.Indexed, error) {
	var listed []backend.Indexed
	err := t.call(ctx, backend.CheckQuery(partition, limit), func() error {
		return t.scan(indexOf(partition), textBound(from), textBound(to), func(rest, value []byte) (bool, error) {
			sort, rest, ok := cutText(rest)
			itemPartition, itemSort, ok2 := cutText(rest)
			if !ok || !ok2 {
				return false, fmt.Errorf("index key: %w", errRecord)
			}
			listed = append(listed, backend.Indexed{
				Key:        backend.Key{Partition: itemPartition, Sort: string(itemSort)},
				IndexEntry: backend.IndexEntry{Partition: partition, Sort: sort, Summary: bytes.Clone(value)},
			})
			return len(listed) < limit, ctx.Err()
		})
	})
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	return listed, nil
}

// textBound is the first key part that appendText makes of s or of anything after it.
func textBound(s string) []byte {
	if s == "" {
		return nil
	}
	return appendText(nil, s)
}

// scan hands over, in order, what follows the prefix from from up to to, an empty to being the end, until each returns
// false. The slices are each's only during the call.
func (s *store) scan(prefix, from, to []byte, each func(rest, value []byte) (bool, error)) (err error) {
	bounds := pebble.IterOptions{LowerBound: append(bytes.Clone(prefix), from...), UpperBound: after(prefix)}
	if len(to) > 0 {
		bounds.UpperBound = append(bytes.Clone(prefix), to...)
	}
	if bytes.Compare(bounds.LowerBound, bounds.UpperBound) >= 0 {
		return nil
	}
	iter, err := s.db.NewIter(&bounds)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, iter.Close()) }()
	for more := iter.First(); more; more = more && iter.Next() {
		value, err := iter.ValueAndErr()
		if err != nil {
			return err
		}
		if more, err = each(iter.Key()[len(prefix):], value); err != nil {
			return err
		}
	}
	return nil
}
