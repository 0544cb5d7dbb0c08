package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// sweepPage is how many due rows are handled at a time.
const sweepPage = 100

// Sweep sends what the due rows hold for the time up to the horizon, and deletes them; it reports how many. Sweeps may
// overlap, come late, or be cut short: a row is sent before it is deleted, and a message that comes twice is dropped
// by its receiver. It always begins with the earliest row, because one may be added after its time was swept.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	var n int
	var errs []error
	for shard := range shards {
		k, err := s.sweepShard(ctx, shard)
		n += k
		errs = append(errs, err)
	}
	return n, errors.Join(errs...)
}

func (s *Store) sweepShard(ctx context.Context, shard int) (int, error) {
	partition := duePrefix + strconv.Itoa(shard)
	to := fmt.Sprintf("%013d", s.now().Add(s.horizon).UnixMilli()+1)
	from, n := "", 0
	var unreadable error
	for {
		items, err := s.b.Table.Query(ctx, partition, from, to, sweepPage)
		if err != nil || len(items) == 0 {
			return n, errors.Join(err, unreadable)
		}
		sent, bad, err := s.sendDue(ctx, items)
		n += sent
		unreadable = errors.Join(unreadable, bad)
		if err != nil || len(items) < sweepPage {
			return n, errors.Join(err, unreadable)
		}
		from = items[len(items)-1].Sort + "\x00"
	}
}

// sendDue sends and deletes these rows. One that cannot be read is left where it is, and reported, and holds up no other.
func (s *Store) sendDue(ctx context.Context, items []backend.Item) (sent int, unreadable, err error) {
	out := s.Outbox()
	var keys []backend.Key
	for _, item := range items {
		m, due, err := decodeDue(item.Sort, item.Value)
		if err != nil {
			unreadable = errors.Join(unreadable, fmt.Errorf("store: due row %s: %w", item.Sort, err))
			continue
		}
		out.delayed(m, max(due.Sub(s.now()), 0))
		keys = append(keys, item.Key)
	}
	if err := out.Flush(ctx); err != nil {
		return 0, unreadable, err
	}
	for _, key := range keys {
		if err := s.b.Table.Delete(ctx, key); err != nil {
			return sent, unreadable, err
		}
		sent++
	}
	return sent, unreadable, nil
}

func decodeDue(sort string, value []byte) (*history.Message, time.Time, error) {
	m, err := history.DecodeMessage(value)
	if err != nil {
		return nil, time.Time{}, err
	}
	ms, err := strconv.ParseInt(sort[:min(13, len(sort))], 10, 64)
	due := time.UnixMilli(ms).UTC()
	if err != nil || dueKey(m, due).Sort != sort {
		return nil, time.Time{}, fmt.Errorf("its key is not that of message %s", m.ID)
	}
	return m, due, nil
}
