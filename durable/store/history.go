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
	// Bytes is how many the segments have, uncompressed, without payloads that are in blobs.
	Bytes int

	folds    []uint64 // the numbers at which folds end, in order
	unfolded int      // bytes of the segments after the last fold
	tail     history.Tail
	slab     history.Slab
	buried   bool // a purge has begun with it
}

// Memory is how many bytes are kept beside the segments.
func (h *History) Memory() int { return h.tail.Size() }

const (
	// firstPage is how many items the first query of a load asks for: most histories are shorter, and of a folded one no
	// more are read in vain.
	firstPage = 64
	// loadPage is how many items each other query asks for.
	loadPage = 1000
)

// Load reads the history of a generation of an incarnation. Payloads in blobs are left there: Hydrate reads them. None is an
// empty history, not an error.
func (s *Store) Load(ctx context.Context, instance, incarnation string, generation uint64) (*History, error) {
	h := &History{Instance: instance, Incarnation: incarnation, Generation: generation}
	if err := s.load(ctx, h); err != nil {
		return nil, fmt.Errorf("store: load %s: %w", instance, err)
	}
	return h, nil
}

// Latest reads the history of the newest generation that has one, from this one on.
func (s *Store) Latest(ctx context.Context, instance, incarnation string, from uint64) (*History, error) {
	h, err := s.Load(ctx, instance, incarnation, from)
	for err == nil && h.Renewed() {
		next, loadErr := s.Load(ctx, instance, incarnation, h.Generation+1)
		if loadErr != nil || len(next.Segments) == 0 {
			return h, loadErr
		}
		h = next
	}
	return h, err
}

// Renewed reports whether the generation is over, and another follows it.
func (h *History) Renewed() bool {
	n := len(h.Segments)
	for i := n - 1; i >= 0 && (i == n-1 || h.Segments[i].More); i-- {
		for k := range h.Segments[i].Events {
			if h.Segments[i].Events[k].Kind == history.ContinuedAsNew {
				return !h.Segments[n-1].More
			}
		}
	}
	return false
}

func (s *Store) load(ctx context.Context, h *History) error {
	from, limit := foldSort(h.Incarnation, h.Generation), firstPage
	to := segmentSort(h.Incarnation, h.Generation, 1<<32-1)
	for {
		items, err := s.b.Table.Query(ctx, instancePartition(h.Instance), from, to, limit)
		if err != nil {
			return err
		}
		more := len(items) == limit
		if len(items) > 0 && items[0].Sort == foldSort(h.Incarnation, h.Generation) {
			// Segments whose fold is gone have items of their own.
			if err := s.unfold(ctx, h, items[0].Value); err != nil && !errors.Is(err, backend.ErrNoBlob) {
				return err
			}
			folded := h.next()
			items = slices.DeleteFunc(items, func(i backend.Item) bool { return i.Sort < folded })
		}
		for _, item := range items {
			if err := h.append(item); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		from, limit = h.next(), loadPage
	}
}

// next is where the segment after those that h has would be.
func (h *History) next() string {
	return segmentSort(h.Incarnation, h.Generation, uint64(len(h.Segments)))
}

// append adds a segment that was read.
func (h *History) append(item backend.Item) error {
	n := len(h.Segments)
	if item.Sort != h.next() {
		return fmt.Errorf("%w: segment %d is missing before %s", ErrGap, n, item.Sort)
	}
	if h.buried && history.IsCompressed(item.Value) { // nobody can read it any more, and nobody is to
		h.Segments = append(h.Segments, &history.Segment{Nonce: item.Owner, Tombstone: true, Events: []history.Event{{Kind: history.Sealed}}})
		return nil
	}
	plain, err := h.tail.Expand(item.Value)
	if err != nil {
		return fmt.Errorf("segment %d: %w", n, err)
	}
	seg, err := h.slab.DecodeSegment(plain)
	if err != nil {
		return fmt.Errorf("segment %d: %w", n, err)
	}
	seg.Nonce = item.Owner
	h.add(seg, plain)
	return nil
}

// add adds a segment, with what Encode writes of it.
func (h *History) add(seg *history.Segment, plain []byte) {
	h.Segments = append(h.Segments, seg)
	h.Bytes += len(plain)
	h.unfolded += len(plain)
	h.tail.Add(plain)
	h.buried = h.buried || seg.Tombstone
}

// Next reports whether somebody has committed a segment after those that h has.
func (s *Store) Next(ctx context.Context, h *History) (bool, error) {
	item, err := s.b.Table.Get(ctx, segmentKey(h.Instance, h.Incarnation, h.Generation, uint64(len(h.Segments))))
	return item != nil, err
}

// Exists reports whether an incarnation has a history.
func (s *Store) Exists(ctx context.Context, instance, incarnation string) (bool, error) {
	item, err := s.b.Table.Get(ctx, segmentKey(instance, incarnation, 0, 0))
	return item != nil, err
}

// First reads the event that an incarnation began with; nil when it has not begun, or was purged.
func (s *Store) First(ctx context.Context, instance, incarnation string) (*history.Event, error) {
	item, err := s.b.Table.Get(ctx, segmentKey(instance, incarnation, 0, 0))
	if err != nil || item == nil {
		return nil, err
	}
	plain, err := new(history.Tail).Expand(item.Value)
	if err != nil {
		return nil, fmt.Errorf("store: the first segment of %s: %w", instance, err)
	}
	seg, err := history.DecodeSegment(plain)
	if err != nil {
		return nil, fmt.Errorf("store: the first segment of %s: %w", instance, err)
	}
	if i := slices.IndexFunc(seg.Events, func(e history.Event) bool { return e.Kind == history.ExecutionStarted }); i >= 0 {
		return &seg.Events[i], nil
	}
	return nil, nil
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
	plain := stored.Encode()
	value := plain
	if len(plain) >= s.compressFrom {
		value = h.tail.Compress(plain)
	}
	err = s.b.Table.Put(ctx, backend.Item{
		Key:      segmentKey(h.Instance, h.Incarnation, h.Generation, uint64(len(h.Segments))),
		Owner:    nonce,
		Sequence: backend.Sequence{Generation: h.Generation, Number: uint64(len(h.Segments))},
		Value:    value,
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
	h.add(seg, plain)
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
	if history.IsCompressed(failed.Found.Value) {
		return false, nil
	}
	found, err := history.DecodeSegment(failed.Found.Value)
	if err != nil {
		return false, err
	}
	return len(found.Events) > 0 && found.Events[0].Kind == history.Sealed, nil
}
