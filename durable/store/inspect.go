package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Walk visits the ids of all instances that the index lists as open, and then of those that have ended if closed. The index
// only hints: an instance may be visited twice, may have ended, or be gone, and one that is new may be missed this time.
func (s *Store) Walk(ctx context.Context, closed bool, visit func(instance string) error) error {
	for _, ended := range []bool{false, true} {
		for shard := range shards {
			if ended && !closed {
				return nil
			}
			if err := s.walkShard(ctx, indexPartition(ended, shard), visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) walkShard(ctx context.Context, partition string, visit func(instance string) error) error {
	cursors := []*cursor{{partition: partition}}
	for {
		entry, err := nextEntry(ctx, s.b.Table, cursors)
		if err != nil || entry == nil {
			return err
		}
		if err := visit(instanceOf(entry.Key)); err != nil {
			return err
		}
	}
}

// Due is a due row.
type Due struct {
	Key backend.Key
	// Message and At, when it is due, unless Err says why they cannot be read.
	Message *history.Message
	At      time.Time
	Err     error
}

// Overdue returns the due rows of before a time, the earliest of each shard first.
func (s *Store) Overdue(ctx context.Context, before time.Time) ([]Due, error) {
	var all []Due
	for shard := range shards {
		from, to := "", fmt.Sprintf("%013d", millis(before))
		for {
			items, err := s.b.Table.Query(ctx, duePrefix+strconv.Itoa(shard), from, to, sweepPage)
			if err != nil {
				return nil, err
			}
			for _, item := range items {
				d := Due{Key: item.Key}
				d.Message, d.At, d.Err = decodeDue(item.Sort, item.Value)
				all = append(all, d)
			}
			if len(items) < sweepPage {
				break
			}
			from = items[len(items)-1].Sort + "\x00"
		}
	}
	return all, nil
}
