package store

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// ErrConflict says that another has committed the number first: everything in memory is out of date.
var ErrConflict = errors.New("store: another commit was first")

// ErrGap says that a history has lost some of its middle: nothing that this program does takes that away.
var ErrGap = errors.New("the history has a gap")

// Config of a store. Only Backend is needed.
type Config struct {
	Backend backend.Backend
	// Now is the clock; time.Now without it.
	Now func() time.Time
	// Rand is where nonces and ids come from; crypto/rand without it.
	Rand io.Reader
	// DirectDelay is how soon something must be due to travel as a delayed message; later ones wait in due rows.
	// backend.MaxDelay without it, and at most that.
	DirectDelay time.Duration
	// Horizon is how far ahead a sweep looks; two thirds of DirectDelay without it, and at most DirectDelay.
	Horizon time.Duration
	// MaxPayload is how many bytes of JSON one input, result, output or event may have; history.MaxPayload without it, and
	// at most 64 MiB. All processes of a hub have the same. An instance that has met another limit before does not replay the
	// same way, and is suspended for it.
	MaxPayload int
	// CompressFrom is how many bytes a segment has at least that is compressed; 512 without it: with its key a shorter one is a write unit of DynamoDB in any
	// case. Tests lower it.
	CompressFrom int
	// FoldBytes is how many bytes of segments are folded together; 256 KB without it. Tests lower it.
	FoldBytes int
}

// Store reads and writes one task hub. It is safe for concurrent use.
type Store struct {
	b            backend.Backend
	now          func() time.Time
	direct       time.Duration
	horizon      time.Duration
	compressFrom int
	// foldBytes is how many bytes of segments make a fold.
	foldBytes  int
	maxPayload int

	mu   sync.Mutex // guards rand
	rand io.Reader
}

// New returns a store over a backend.
func New(c Config) *Store {
	s := &Store{b: c.Backend, now: c.Now, rand: c.Rand, direct: c.DirectDelay, horizon: c.Horizon, foldBytes: c.FoldBytes, compressFrom: c.CompressFrom, maxPayload: c.MaxPayload}
	if s.now == nil {
		s.now = time.Now
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	if s.maxPayload <= 0 {
		s.maxPayload = history.MaxPayload
	}
	s.maxPayload = min(s.maxPayload, maxBlob)
	if s.foldBytes <= 0 {
		s.foldBytes = 256 << 10
	}
	if s.compressFrom <= 0 {
		s.compressFrom = 512
	}
	if s.direct <= 0 || s.direct > backend.MaxDelay {
		s.direct = backend.MaxDelay
	}
	if s.horizon <= 0 || s.horizon > s.direct {
		s.horizon = s.direct * 2 / 3
	}
	return s
}

// Backend is what the store stands on: its queues are received from directly.
func (s *Store) Backend() backend.Backend { return s.b }

// WithInbox is the store with another way to its inbox.
func (s *Store) WithInbox(q backend.Queue) *Store {
	b := s.b
	b.Inbox = q
	return &Store{b: b, now: s.now, direct: s.direct, horizon: s.horizon, compressFrom: s.compressFrom, foldBytes: s.foldBytes, maxPayload: s.maxPayload, rand: s.rand}
}

// MaxPayload is how many bytes of JSON one payload may have.
func (s *Store) MaxPayload() int { return s.maxPayload }

// Now is the store's clock.
func (s *Store) Now() time.Time { return s.now() }

// nonce is 128 random bits in hexadecimal.
func (s *Store) nonce() (string, error) {
	var b [16]byte
	if err := s.random(b[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(b[:]), nil
}

func (s *Store) random(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return fmt.Errorf("store: no random bytes: %w", err)
	}
	return nil
}

// NewID is a fresh identity for a call, an event or an instance.
func (s *Store) NewID() (string, error) { return s.nonce() }
