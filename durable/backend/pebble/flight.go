package pebble

import (
	"context"
	"hash/maphash"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// seed is for spreading names over stripes in this process; nothing that is stored depends on it.
var seed = maphash.MakeSeed()

// latches let one writer at a time change an item. Items share a latch by chance, which costs time and nothing else.
type latches [1024]sync.Mutex

func (l *latches) of(key []byte) *sync.Mutex {
	return &l[maphash.Bytes(seed, key)%uint64(len(l))]
}

// flights know which writes are applied but perhaps not synced. Pebble shows a write to readers before it is synced; a
// reader that has read waits here for the writes it may have seen, so that it never returns what a crash takes back.
type flights [256]struct {
	mu   sync.Mutex
	open map[chan struct{}]struct{}
}

// commit makes the batch durable. Readers of the same name wait for it.
func (f *flights) commit(name string, batch *pebble.Batch) error {
	s := &f[maphash.String(seed, name)%uint64(len(f))]
	landed := make(chan struct{})
	s.mu.Lock()
	if s.open == nil {
		s.open = map[chan struct{}]struct{}{}
	}
	s.open[landed] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.open, landed)
		s.mu.Unlock()
		close(landed)
	}()
	return batch.Commit(pebble.Sync)
}

// wait returns when all writes of the name that were begun before are durable.
func (f *flights) wait(ctx context.Context, name string) error {
	s := &f[maphash.String(seed, name)%uint64(len(f))]
	s.mu.Lock()
	var open []chan struct{}
	for landed := range s.open {
		open = append(open, landed)
	}
	s.mu.Unlock()
	for _, landed := range open {
		select {
		case <-landed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
