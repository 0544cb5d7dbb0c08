package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

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

// BlobOwner says whose payload a blob is: the instance by its Group, and the incarnation. It reports false for what is no
// payload of a hub's.
func BlobOwner(key string) (group, incarnation string, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 3 || len(parts[0]) != 32 || parts[2] == "" {
		return "", "", false
	}
	if _, err := ulid.ParseStrict(parts[1]); err != nil {
		return "", "", false
	}
	return parts[0], parts[1], true
}

// Blobs are the keys of the payloads that a life's row and history refer to. Folds are not among them: IsFold.
func (s *Store) Blobs(ctx context.Context, row *history.Row) (map[string]bool, error) {
	h, err := s.Latest(ctx, row.Instance, row.Incarnation, row.Generation)
	if err != nil {
		return nil, err
	}
	refers := map[string]bool{row.Start.Data.Blob: true, row.Custom.Blob: true}
	if row.End != nil {
		refers[row.End.Data.Blob] = true
	}
	for _, seg := range h.Segments {
		for i := range seg.Events {
			refers[seg.Events[i].Data.Blob] = true
		}
	}
	return refers, nil
}

// IsFold reports whether a blob is the copy of a part of a history.
func IsFold(key string) bool {
	return strings.HasPrefix(key[strings.LastIndexByte(key, '/')+1:], "fold-")
}
