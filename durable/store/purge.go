package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// ErrWentOn: a history that was to be purged has gone on since its row was read.
var ErrWentOn = errors.New("store: the history has gone on")

const (
	// tombOwner owns what a purge leaves. It is nobody's nonce and no incarnation.
	tombOwner = "purged"
	// tombLife is how long that stays: longer than any message can be on its way.
	tombLife = 30 * 24 * time.Hour
	// blobPage is how many blobs are listed at once.
	blobPage = 1000
)

// Purge removes what is kept of an instance whose end the row shows, and of all its lives before: what the code was given
// and said, payloads, folds, and the row. The keys of segments stay, as tombstones that expire: whoever comes late finds a
// history that is sealed. It may be called again after an error, and goes on; the row is last, so that it is found until
// then. ErrWentOn.
func (s *Store) Purge(ctx context.Context, row *history.Row) error {
	if err := s.purge(ctx, row); err != nil {
		return fmt.Errorf("store: purge %s: %w", row.Instance, err)
	}
	return nil
}

func (s *Store) purge(ctx context.Context, row *history.Row) error {
	sealed, err := s.Seal(ctx, row.Instance, *row.Version())
	if err != nil {
		return err
	}
	if !sealed {
		return ErrWentOn
	}
	bare := &history.Row{Instance: row.Instance, Incarnation: row.Incarnation, Generation: row.Generation, Number: row.Number,
		Start:  history.Event{Kind: history.ExecutionStarted, Name: row.Start.Name, Version: row.Start.Version, At: row.Start.At},
		Status: row.Status, Updated: row.Updated}
	beside, shelves, err := s.beside(ctx, row)
	if err != nil {
		return err
	}
	if shelves {
		// Half purged it must still be found, and it must not refer to what is gone. It vanishes with the tombstones: one that a purge which
		// has stalled puts over the tombstone of the row as well.
		if err := s.replace(ctx, expiring(s.rowItem(bare), s.now())); err != nil {
			return err
		}
	}
	if err := s.bury(ctx, row); err != nil {
		return err
	}
	if shelves {
		if err := s.deleteBlobs(ctx, row); err != nil {
			return err
		}
	}
	for _, key := range beside { // last: who goes on with this purge looks for blobs as long as a shelf says so
		if err := s.b.Table.Delete(ctx, key); err != nil {
			return err
		}
	}
	// The tombstone is of the version that it takes the place of: a start that has read either replaces it, and no
	// projection of the life that is gone does.
	bare.Purged, bare.Updated, bare.Start.Name, bare.Start.Version = true, s.now(), "", 0
	item := expiring(s.rowItem(bare), s.now())
	item.Index = nil
	return s.replace(ctx, item)
}

func expiring(item backend.Item, now time.Time) backend.Item {
	item.Expires = now.Add(tombLife)
	return item
}

// replace puts another row of the same version, unless a newer life has the row.
func (s *Store) replace(ctx context.Context, item backend.Item) error {
	err := s.b.Table.Put(ctx, item, backend.OwnedAt(item.Owner, item.Sequence))
	var failed *backend.ConditionError
	if errors.As(err, &failed) {
		return nil
	}
	return err
}

// bury puts tombstones in the place of segments and folds, the first ones first.
func (s *Store) bury(ctx context.Context, row *history.Row) error {
	partition := instancePartition(row.Instance)
	from, to := "h#", segmentSort(row.Incarnation, row.Generation, row.Number+1)
	folds := ""
	for {
		items, err := s.b.Table.Query(ctx, partition, from, to, firstPage) // of segments, which may be long
		if err != nil {
			return err
		}
		for _, item := range items {
			// A worker that has stalled may still want to fold. It finds the place taken.
			if at := foldOf(item.Sort); at != folds {
				folds = at
				if err := s.tomb(ctx, backend.Key{Partition: partition, Sort: at}); err != nil {
					return err
				}
			}
			if item.Owner == tombOwner || item.Sort == folds {
				continue
			}
			if err := s.tomb(ctx, item.Key); err != nil {
				return err
			}
		}
		if len(items) < firstPage {
			return nil
		}
		from = items[len(items)-1].Sort + "\x00"
	}
}

func (s *Store) tomb(ctx context.Context, key backend.Key) error {
	value := encodeFolds(nil)
	if !strings.HasSuffix(key.Sort, "!fold") {
		value = (&history.Segment{Tombstone: true, Released: true}).Encode()
	}
	return s.b.Table.Put(ctx, backend.Item{Key: key, Owner: tombOwner, Value: value, Expires: s.now().Add(tombLife)}, backend.Always())
}

// beside lists what is kept beside the histories of the row's life, and of those before it: what activities said last, and shelves, if there are any. Claims
// stay until they expire: they hold nothing, and a message that is late must not run its activity again.
func (s *Store) beside(ctx context.Context, row *history.Row) (keys []backend.Key, shelves bool, err error) {
	from, to := shelfPrefix, beatPrefix+row.Incarnation+"~"
	for {
		items, err := s.b.Table.Query(ctx, instancePartition(row.Instance), from, to, loadPage)
		if err != nil {
			return nil, false, err
		}
		for _, item := range items {
			incarnation, shelf := strings.CutPrefix(item.Sort, shelfPrefix)
			if shelf && incarnation > row.Incarnation {
				continue // a newer life's
			}
			keys, shelves = append(keys, item.Key), shelves || shelf
		}
		if len(items) < loadPage {
			return keys, shelves, nil
		}
		from = items[len(items)-1].Sort + "\x00"
	}
}

// deleteBlobs removes the payloads and folds of the row's life and of those before it. A newer one's are not looked at:
// it may be about to begin.
func (s *Store) deleteBlobs(ctx context.Context, row *history.Row) error {
	prefix, after := hash(row.Instance)+"/", ""
	for {
		blobs, err := s.b.Blobs.List(ctx, prefix, after, blobPage)
		if err != nil {
			return err
		}
		for _, b := range blobs {
			incarnation, _, _ := strings.Cut(b.Key[len(prefix):], "/")
			if incarnation > row.Incarnation {
				return nil
			}
			if err := s.b.Blobs.Delete(ctx, b.Key); err != nil {
				return err
			}
		}
		if len(blobs) < blobPage {
			return nil
		}
		after = blobs[len(blobs)-1].Key
	}
}
