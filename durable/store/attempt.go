package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// attemptKept is how long what is known of an activity's attempts stays: longer than any queue, dead-letter queue or due row
// of a retry can hold its message.
const attemptKept = 400 * 24 * time.Hour

const (
	claimPrefix = "c#"
	beatPrefix  = "b#"
)

// claimKey and beatKey are below the instance and its incarnation, named by the operation.
func claimKey(m *history.Message) backend.Key {
	return backend.Key{Partition: instancePartition(m.Instance), Sort: claimPrefix + m.Incarnation + "#" + m.ID}
}

func beatKey(m *history.Message) backend.Key {
	return backend.Key{Partition: instancePartition(m.Instance), Sort: beatPrefix + m.Incarnation + "#" + m.ID}
}

// Claim reports whether the caller is the one that may begin an at-most-once activity: the first who asks, and nobody ever
// after. After an error nobody knows; the next who asks is not the first.
func (s *Store) Claim(ctx context.Context, m *history.Message) (bool, error) {
	nonce, err := s.nonce()
	if err != nil {
		return false, err
	}
	err = s.b.Table.Put(ctx, backend.Item{Key: claimKey(m), Owner: nonce, Expires: s.now().Add(attemptKept)}, backend.Absent())
	var failed *backend.ConditionError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &failed):
		return failed.Found != nil && failed.Found.Owner == nonce, nil
	}
	return false, fmt.Errorf("store: claim an activity of %s: %w", m.Instance, err)
}

// KeepHeartbeat keeps the details of an activity's last heartbeat: JSON.
func (s *Store) KeepHeartbeat(ctx context.Context, m *history.Message, details []byte) error {
	item := backend.Item{Key: beatKey(m), Owner: m.Incarnation, Sequence: backend.Sequence{Number: uint64(m.Attempt)},
		Value: details, Expires: s.now().Add(attemptKept)}
	if err := s.b.Table.Put(ctx, item, backend.Always()); err != nil {
		return fmt.Errorf("store: heartbeat of %s: %w", m.Instance, err)
	}
	return nil
}

// Heartbeat is what KeepHeartbeat kept last; nil when it kept nothing.
func (s *Store) Heartbeat(ctx context.Context, m *history.Message) ([]byte, error) {
	item, err := s.b.Table.Get(ctx, beatKey(m))
	if err != nil || item == nil {
		return nil, err
	}
	return item.Value, nil
}
