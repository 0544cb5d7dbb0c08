package access

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// Stored is the file of keys that a hub keeps in its table. Every function and tool of the hub sees the same.
type Stored struct{ Table backend.Table }

// storedKey is where it is, and storedOwner whose item it is. Its sequence counts the versions.
var storedKey = backend.Key{Partition: "access", Sort: "keys"}

const storedOwner = "access"

// Read reads the file; a hub without one has no keys.
func (s Stored) Read(ctx context.Context) (File, error) {
	f, _, err := s.read(ctx)
	return f, err
}

func (s Stored) read(ctx context.Context) (f File, item *backend.Item, err error) {
	item, err = s.Table.Get(ctx, storedKey)
	if err != nil || item == nil {
		return File{}, nil, err
	}
	f, err = ReadFile(item.Value)
	return f, item, err
}

// edits is how often an edit is tried again when somebody else was faster.
const edits = 10

// Edit changes the file. change may be called several times, with what is there then.
func (s Stored) Edit(ctx context.Context, change func(*File) error) error {
	for range edits {
		f, old, err := s.read(ctx)
		if err != nil {
			return err
		}
		if err := change(&f); err != nil {
			return err
		}
		item, cond := backend.Item{Key: storedKey, Owner: storedOwner, Value: f.Encode()}, backend.Absent()
		if old != nil {
			item.Sequence, cond = backend.Sequence{Number: old.Sequence.Number + 1}, backend.OwnedAt(storedOwner, old.Sequence)
		}
		var failed *backend.ConditionError
		if err := s.Table.Put(ctx, item, cond); !errors.As(err, &failed) {
			return err
		}
	}
	return fmt.Errorf("others change the keys all the time: of %d attempts none was the first; try again", edits)
}
