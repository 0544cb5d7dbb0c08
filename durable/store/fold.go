package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Long histories are read in few requests: their older segments are copied together into blobs, of about FoldBytes each,
// and one item beside the segments says how far each reaches. The segments' own items stay, because their keys are the
// fence; nobody reads them any more. A fold is never needed: one that failed, or that another worker was faster with, is
// made later, or by the other.

// Fold copies the segments after the last fold into others, when they are enough. The last segment stays out.
func (s *Store) Fold(ctx context.Context, h *History) error {
	if h.unfolded < s.foldBytes {
		return nil
	}
	from, to := h.folded(), uint64(max(len(h.Segments)-1, 0))
	ends := slices.Clone(h.folds)
	for at := from; at < to; {
		var b []byte
		begin := at
		for ; at < to && len(b) < s.foldBytes; at++ {
			value := h.Segments[at].Encode()
			b = append(binary.AppendUvarint(b, uint64(len(value))), value...)
		}
		if len(b) < s.foldBytes {
			break // too little yet
		}
		if err := s.putBlob(ctx, h.Instance, h.Incarnation, foldBlob(h.Instance, h.Incarnation, h.Generation, begin, at), b); err != nil {
			return fmt.Errorf("store: fold %s: %w", h.Instance, err)
		}
		ends = append(ends, at)
	}
	if len(ends) == len(h.folds) {
		return nil
	}
	to = ends[len(ends)-1]
	item := backend.Item{Key: foldKey(h.Instance, h.Incarnation, h.Generation), Owner: h.Incarnation,
		Sequence: backend.Sequence{Generation: h.Generation, Number: to}, Value: encodeFolds(ends)}
	cond := backend.Absent()
	if from > 0 { // nobody else's fold may be lost
		cond = backend.OwnedAt(h.Incarnation, backend.Sequence{Generation: h.Generation, Number: from})
	}
	err := s.b.Table.Put(ctx, item, cond)
	var failed *backend.ConditionError
	switch {
	case errors.As(err, &failed) && failed.Found != nil:
		if failed.Found.Owner == tombOwner { // nobody looks for what was purged
			if err := s.takeBack(ctx, h, ends[len(h.folds):]); err != nil {
				return fmt.Errorf("store: fold %s: %w", h.Instance, err)
			}
		}
		if ends, err = decodeFolds(failed.Found.Value); err != nil {
			return fmt.Errorf("store: fold %s: %w", h.Instance, err)
		}
	case err != nil:
		return fmt.Errorf("store: fold %s: %w", h.Instance, err)
	}
	h.refold(ends)
	return nil
}

// takeBack deletes the blobs of folds that were made too late, and what says that there are some.
func (s *Store) takeBack(ctx context.Context, h *History, ends []uint64) error {
	from := h.folded()
	for _, to := range ends {
		if err := s.b.Blobs.Delete(ctx, foldBlob(h.Instance, h.Incarnation, h.Generation, from, to)); err != nil {
			return err
		}
		from = to
	}
	return s.b.Table.Delete(ctx, shelfKey(h.Instance, h.Incarnation))
}

// folded is the number of segments that folds hold.
func (h *History) folded() uint64 {
	if len(h.folds) == 0 {
		return 0
	}
	return h.folds[len(h.folds)-1]
}

// refold notes which folds there are.
func (h *History) refold(ends []uint64) {
	h.folds, h.unfolded = ends, 0
	for _, seg := range h.Segments[min(h.folded(), uint64(len(h.Segments))):] {
		h.unfolded += len(seg.Encode())
	}
}

// unfold reads the segments that the folds hold.
func (s *Store) unfold(ctx context.Context, h *History, value []byte) error {
	ends, err := decodeFolds(value)
	if err != nil {
		return err
	}
	for _, to := range ends {
		from := uint64(len(h.Segments))
		b, err := s.getBlob(ctx, foldBlob(h.Instance, h.Incarnation, h.Generation, from, to))
		if err != nil {
			return err
		}
		if err := h.appendFold(b, to); err != nil {
			return fmt.Errorf("the fold of segments %d to %d: %w", from, to, err)
		}
	}
	h.folds, h.unfolded = ends, 0
	return nil
}

var errFold = fmt.Errorf("%w fold: it does not hold what its name says", history.ErrFormat)

// appendFold adds the segments of one fold.
func (h *History) appendFold(b []byte, to uint64) error {
	for len(b) > 0 {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return errFold
		}
		value := b[k : k+int(n)]
		seg, err := h.slab.DecodeSegment(value)
		if err != nil {
			return err
		}
		h.add(seg, value)
		b = b[k+int(n):]
	}
	if uint64(len(h.Segments)) != to {
		return errFold
	}
	return nil
}

// encodeFolds is the value of a fold item: a format version, and how many segments each fold adds.
func encodeFolds(ends []uint64) []byte {
	b := []byte{history.FormatVersion, 0}
	var last uint64
	for _, e := range ends {
		b = binary.AppendUvarint(b, e-last)
		last = e
	}
	return b
}

func decodeFolds(b []byte) ([]uint64, error) {
	if len(b) < 2 || b[0] == 0 {
		return nil, fmt.Errorf("%w item of the folds", history.ErrFormat)
	}
	if b[0] != history.FormatVersion || b[1] != 0 {
		return nil, fmt.Errorf("%w item of the folds: %w: format version %d, compression %d", history.ErrFormat, history.ErrNewer, b[0], b[1])
	}
	var ends []uint64
	var last uint64
	for r := bytes.NewReader(b[2:]); r.Len() > 0; {
		n, err := binary.ReadUvarint(r)
		if err != nil || n == 0 || n > 1<<32-last {
			return nil, fmt.Errorf("%w item of the folds", history.ErrFormat)
		}
		last += n
		ends = append(ends, last)
	}
	return ends, nil
}

// Unlist removes the item that lists a fold of an instance, for who deletes the fold. Without it the segments' own items are read.
func (s *Store) Unlist(ctx context.Context, instance, blob string) error {
	parts := strings.Split(blob, "/")
	var generation, from, to uint64
	if _, err := fmt.Sscanf(parts[len(parts)-1], foldName, &generation, &from, &to); err != nil || len(parts) != 3 {
		return fmt.Errorf("store: %s is no fold", blob)
	}
	if err := s.b.Table.Delete(ctx, foldKey(instance, parts[1], generation)); err != nil {
		return fmt.Errorf("store: unlist the folds of %s: %w", instance, err)
	}
	return nil
}
