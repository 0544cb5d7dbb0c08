package store

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/oklog/ulid/v2"
)

// NewIncarnation returns an id for the next life of an instance: ordered, and after old where there is one.
func (s *Store) NewIncarnation(old string) (string, error) {
	var entropy [10]byte
	if err := s.random(entropy[:]); err != nil {
		return "", err
	}
	now := s.now()
	if prev, err := ulid.ParseStrict(old); err == nil && prev.Time() >= ulid.Timestamp(now) {
		now = ulid.Time(prev.Time()).Add(time.Millisecond)
	}
	var id ulid.ULID
	if err := id.SetTime(ulid.Timestamp(now)); err != nil {
		return "", err
	}
	if err := id.SetEntropy(entropy[:]); err != nil {
		return "", err
	}
	return id.String(), nil
}

// ChildIncarnation is the id of the life of a child that an operation has asked for in the segment of that number, and time, of a
// generation: whoever asks, and however often, it is the same. What the same parent asks for later comes after it, within one
// millisecond as well.
func ChildIncarnation(operation string, at time.Time, generation, number uint64) string {
	sum := sha256.Sum256([]byte(operation))
	entropy := binary.BigEndian.AppendUint16(nil, uint16(generation))
	entropy = binary.BigEndian.AppendUint32(entropy, uint32(number))
	var id ulid.ULID
	_ = id.SetTime(min(ulid.Timestamp(at), ulid.MaxTime()))
	_ = id.SetEntropy(append(entropy, sum[:4]...))
	return id.String()
}
