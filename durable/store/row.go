package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Row reads the status row of an instance; nil when there is none. Payloads in blobs are not read. The row of a purged
// instance says so, and nothing else but its version.
func (s *Store) Row(ctx context.Context, instance string) (*history.Row, error) {
	item, err := s.b.Table.Get(ctx, rowKey(instance))
	if err != nil || item == nil {
		return nil, err
	}
	return decodeRow(item)
}

func decodeRow(item *backend.Item) (*history.Row, error) {
	plain, err := new(history.Tail).Expand(item.Value)
	if err != nil {
		return nil, err
	}
	row, err := history.DecodeRow(plain)
	if err != nil {
		return nil, err
	}
	row.Incarnation = item.Owner
	row.Generation, row.Number = item.Sequence.Generation, item.Sequence.Number
	return row, nil
}

func (s *Store) rowItem(row *history.Row) backend.Item {
	value := row.Encode()
	if len(value) >= s.compressFrom { // inputs and outputs say much the same
		value = new(history.Tail).Compress(value)
	}
	return backend.Item{
		Key:      rowKey(row.Instance),
		Owner:    row.Incarnation,
		Sequence: backend.Sequence{Generation: row.Generation, Number: row.Number},
		Value:    value,
		Index: &backend.IndexEntry{
			Partition: indexPartition(row.Status.Ended(), shardOf(row.Instance)),
			Sort:      indexSort(row.Start.At, row.Incarnation),
			Summary:   []byte(row.Start.Name),
		},
	}
}

// Create makes the row that a start message asks for: absent, or the very version that it replaces, whose history is
// sealed first. Client and worker create alike, so whoever comes first decides, once and for all. It reports false, with
// the row that is there instead, when the start is refused.
func (s *Store) Create(ctx context.Context, m *history.Message) (bool, *history.Row, error) {
	row := &history.Row{Instance: m.Instance, Incarnation: m.Incarnation, Start: m.Event,
		Status: history.StatusPending, Updated: m.Event.At}
	cond := backend.Absent()
	if v := m.Replaces; v != nil {
		sealed, err := s.Seal(ctx, m.Instance, *v)
		if err != nil {
			return false, nil, fmt.Errorf("store: seal the history that a start of %s replaces: %w", m.Instance, err)
		}
		if !sealed {
			now, err := s.Row(ctx, m.Instance)
			return false, now, err
		}
		cond = backend.OwnedAt(v.Incarnation, backend.Sequence{Generation: v.Generation, Number: v.Number})
	}
	err := s.b.Table.Put(ctx, s.rowItem(row), cond)
	var failed *backend.ConditionError
	switch {
	case err == nil:
		return true, row, nil
	case !errors.As(err, &failed):
		return false, nil, fmt.Errorf("store: create the row of %s: %w", m.Instance, err)
	case failed.Found == nil:
		return false, nil, nil
	}
	found, err := decodeRow(failed.Found)
	if err != nil {
		return false, nil, err
	}
	return found.Incarnation == m.Incarnation, found, nil
}

// CreateChild makes the row of a sub-orchestration: where there is none, or in the place of an older life that has ended.
func (s *Store) CreateChild(ctx context.Context, m *history.Message) (accepted bool, row *history.Row, err error) {
	for range 3 { // another may replace what has ended meanwhile
		if accepted, row, err = s.Create(ctx, m); err != nil || accepted || row == nil {
			break
		}
		if row.Incarnation >= m.Incarnation || !row.Purged && !row.Status.Ended() {
			break
		}
		next := *m
		next.Replaces = row.Version()
		m = &next
	}
	return accepted, row, err
}

// Begun returns the row as it is to be shown. One that was created shows Pending; that the code has begun is not written to it, because most instances are over
// before anybody looks. Whoever looks first asks the history, and writes what it says under the version that the row has, which keeps nothing
// from what a worker shows.
func (s *Store) Begun(ctx context.Context, row *history.Row) (*history.Row, error) {
	if row.Purged || row.Status != history.StatusPending || row.Generation > 0 || row.Number > 0 || !row.Start.Due().IsZero() {
		return row, nil
	}
	exists, err := s.Exists(ctx, row.Instance, row.Incarnation)
	if err != nil || !exists {
		return row, err
	}
	begun := *row
	begun.Status = history.StatusRunning
	err = s.b.Table.Put(ctx, s.rowItem(&begun), backend.OwnedAt(row.Incarnation, backend.Sequence{}))
	var failed *backend.ConditionError
	switch {
	case err == nil:
		return &begun, nil
	case !errors.As(err, &failed):
		return nil, fmt.Errorf("store: show that %s has begun: %w", row.Instance, err)
	case failed.Found == nil:
		return row, nil
	}
	return decodeRow(failed.Found) // it shows more
}

// Project brings the row of an instance up to date, unless it is of another incarnation or shows more already.
func (s *Store) Project(ctx context.Context, row *history.Row) error {
	err := s.b.Table.Put(ctx, s.rowItem(row),
		backend.OwnedBefore(row.Incarnation, backend.Sequence{Generation: row.Generation, Number: row.Number}))
	var failed *backend.ConditionError
	if errors.As(err, &failed) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: project %s: %w", row.Instance, err)
	}
	return nil
}
