package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// History is the segments of one generation of one incarnation, in order, as far as they were committed when it was
// loaded, and as far as Commit has added to it since.
type History struct {
	Instance, Incarnation string
	Generation            uint64
	Segments              []*history.Segment
}

// loadPage is how many items one query asks for.
const loadPage = 1000

// Load reads the history of an incarnation, with all payloads. None is an empty history, not an error.
func (s *Store) Load(ctx context.Context, instance, incarnation string) (*History, error) {
	h := &History{Instance: instance, Incarnation: incarnation}
	from, to := segmentSort(incarnation, 0, 0), segmentSort(incarnation, 0, 1<<32-1)
	for {
		items, err := s.b.Table.Query(ctx, instancePartition(instance), from, to, loadPage)
		if err != nil {
			return nil, fmt.Errorf("store: load %s: %w", instance, err)
		}
		for _, item := range items {
			if item.Sort != segmentSort(incarnation, 0, uint64(len(h.Segments))) {
				return nil, fmt.Errorf("store: load %s: segment %d is missing before %s", instance, len(h.Segments), item.Sort)
			}
			seg, err := s.decodeSegment(ctx, item)
			if err != nil {
				return nil, fmt.Errorf("store: load %s: segment %d: %w", instance, len(h.Segments), err)
			}
			h.Segments = append(h.Segments, seg)
		}
		if len(items) < loadPage {
			return h, nil
		}
		from = items[len(items)-1].Sort + "\x00"
	}
}

func (s *Store) decodeSegment(ctx context.Context, item backend.Item) (*history.Segment, error) {
	seg, err := history.DecodeSegment(item.Value)
	if err != nil {
		return nil, err
	}
	seg.Nonce = item.Owner
	for i := range seg.Events {
		if err := s.hydrate(ctx, &seg.Events[i].Data); err != nil {
			return nil, err
		}
	}
	return seg, nil
}

// Exists reports whether an incarnation has a history.
func (s *Store) Exists(ctx context.Context, instance, incarnation string) (bool, error) {
	item, err := s.b.Table.Get(ctx, segmentKey(instance, incarnation, 0, 0))
	return item != nil, err
}

// Commit puts seg at the next number of h, if nobody else has: the fence of the whole protocol. On success h has it.
// ErrConflict means that h is out of date; any other error leaves open whether seg was committed.
// Payloads that are too large for a segment are put into blobs before.
func (s *Store) Commit(ctx context.Context, h *History, seg *history.Segment) error {
	nonce, err := s.nonce()
	if err != nil {
		return err
	}
	stored := *seg
	stored.Events = slices.Clone(seg.Events)
	for i := range stored.Events {
		if err := s.offload(ctx, h.Instance, h.Incarnation, &stored.Events[i].Data); err != nil {
			return err
		}
	}
	for i := range seg.Events { // h keeps the bytes beside the reference
		seg.Events[i].Data.Blob, seg.Events[i].Data.Size = stored.Events[i].Data.Blob, stored.Events[i].Data.Size
	}
	seg.Nonce = nonce
	err = s.b.Table.Put(ctx, backend.Item{
		Key:      segmentKey(h.Instance, h.Incarnation, h.Generation, uint64(len(h.Segments))),
		Owner:    nonce,
		Sequence: backend.Sequence{Generation: h.Generation, Number: uint64(len(h.Segments))},
		Value:    stored.Encode(),
	}, backend.Absent())
	var failed *backend.ConditionError
	if errors.As(err, &failed) {
		if failed.Found == nil || failed.Found.Owner != nonce { // ours: the answer to an earlier try was lost
			return ErrConflict
		}
		err = nil
	}
	if err != nil {
		return fmt.Errorf("store: commit segment %d of %s: %w", len(h.Segments), h.Instance, err)
	}
	h.Segments = append(h.Segments, seg)
	return nil
}

// Seal commits, at the number that a row's version names, that nothing may ever follow. It reports false when the
// history went on there.
func (s *Store) Seal(ctx context.Context, instance string, v history.Version) (bool, error) {
	nonce, err := s.nonce()
	if err != nil {
		return false, err
	}
	seg := history.Segment{Time: s.now(), Released: true, Events: []history.Event{{Kind: history.Sealed}}}
	err = s.b.Table.Put(ctx, backend.Item{
		Key:      segmentKey(instance, v.Incarnation, v.Generation, v.Number),
		Owner:    nonce,
		Sequence: backend.Sequence{Generation: v.Generation, Number: v.Number},
		Value:    seg.Encode(),
	}, backend.Absent())
	var failed *backend.ConditionError
	if !errors.As(err, &failed) {
		return err == nil, err
	}
	if failed.Found == nil {
		return false, nil
	}
	found, err := history.DecodeSegment(failed.Found.Value)
	if err != nil {
		return false, err
	}
	return len(found.Events) > 0 && found.Events[0].Kind == history.Sealed, nil
}
