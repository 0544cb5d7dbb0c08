package pebble

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// Defaults of Options, the same as those of a deployed hub's queues, and the deduplication window of SQS FIFO.
const (
	DefaultVisibility         = 30 * time.Second
	DefaultActivityVisibility = 6 * time.Minute
	DedupWindow               = 5 * time.Minute
)

// Options of a Backend. The zero value works.
type Options struct {
	// Now is the clock; nil is time.Now. It must not go back.
	Now func() time.Time
	// Visibility is how long a delivery from the inbox or the wake queue is hidden; zero is DefaultVisibility.
	Visibility time.Duration
	// ActivityVisibility is the same of the activities queue; zero is DefaultActivityVisibility.
	ActivityVisibility time.Duration
	// FS is the file system; nil is the machine's.
	FS vfs.FS
	// Logger gets what Pebble reports, at debug level but for its errors; nil discards it.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Visibility == 0 {
		o.Visibility = DefaultVisibility
	}
	if o.ActivityVisibility == 0 {
		o.ActivityVisibility = DefaultActivityVisibility
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Backend is an open data folder. It is safe for concurrent use.
type Backend struct {
	*store
	folder                  folder
	lock                    io.Closer
	table                   *table
	inbox, wake, activities *queue
	blobs                   *blobs
}

// Open opens the data folder dir, which it creates when it is missing or empty. A folder that it cannot open it leaves as
// it is, and returns an error that says what to do.
func Open(dir string, opts Options) (*Backend, error) {
	b, err := open(dir, opts)
	if err != nil {
		return nil, fmt.Errorf("open data folder %s: %w", dir, err)
	}
	return b, nil
}

func open(dir string, opts Options) (*Backend, error) {
	if opts.FS == nil {
		// A process recognizes its own locks by their names.
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		dir = absolute
	}
	opts = opts.withDefaults()
	f := folder{fs: opts.FS, dir: dir}
	if _, err := f.hub(); err != nil {
		return nil, err
	}
	lock, err := f.lock()
	if err != nil {
		return nil, err
	}
	db, err := f.open(opts.Logger)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	b, err := newBackend(db, opts)
	if err != nil {
		return nil, errors.Join(err, db.Close(), lock.Close())
	}
	b.folder, b.lock = f, lock
	return b, nil
}

func newBackend(db *pebble.DB, opts Options) (*Backend, error) {
	s := &store{db: db, now: opts.Now}
	b := &Backend{store: s, table: &table{store: s}, blobs: &blobs{store: s}}
	for _, q := range []struct {
		queue      **queue
		name       string
		ordered    bool
		visibility time.Duration
	}{
		{&b.inbox, "inbox", true, opts.Visibility},
		{&b.wake, "wake", false, opts.Visibility},
		{&b.activities, "activities", false, opts.ActivityVisibility},
	} {
		loaded, err := loadQueue(s, q.name, q.ordered, q.visibility)
		if err != nil {
			return nil, damaged(err)
		}
		*q.queue = loaded
	}
	return b, nil
}

// Backend returns the ports. Every call returns the same ones.
func (b *Backend) Backend() backend.Backend {
	return backend.Backend{Table: b.table, Inbox: b.inbox, Wake: b.wake, Activities: b.activities, Blobs: b.blobs}
}

// Relay returns the ports for a worker in this process, whose Send does not wait until the messages are synced. All that is written is in one log, in its order: whoever
// acknowledges a message after having sent what it asks for loses, in a crash of the machine, the acknowledgement with what was sent, or neither, and the message comes again. And
// whatever is synced later, a segment or a row, is with all that was sent before. For others, who tell somebody that a message was sent, are those of Backend.
func (b *Backend) Relay() backend.Backend {
	return backend.Backend{Table: b.table, Inbox: relay{b.inbox}, Wake: relay{b.wake}, Activities: relay{b.activities}, Blobs: b.blobs}
}

// Close waits for the calls under way, ends every Receive that waits, and releases the folder. Later calls return
// backend.ErrClosed. Closing again is no error.
func (b *Backend) Close() error {
	for _, q := range []*queue{b.inbox, b.wake, b.activities} {
		q.schedule.Close()
	}
	if !b.shut() {
		return nil
	}
	// Flushed, it opens at once, and damage is found by checksums: the end of a log that is damaged looks like a crash.
	err := errors.Join(b.db.Flush(), b.db.Close())
	if err == nil {
		err = b.folder.markClean()
	}
	if err := errors.Join(err, b.lock.Close()); err != nil {
		return fmt.Errorf("close data folder: %w", err)
	}
	return nil
}

// store is what the ports have in common.
type store struct {
	db      *pebble.DB
	now     func() time.Time
	flights flights

	mu     sync.RWMutex // held for reading by every call under way
	closed bool
}

// enter begins a call; when it returns nil, the caller ends it with leave.
func (s *store) enter() error {
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return backend.ErrClosed
	}
	return nil
}

func (s *store) leave() { s.mu.RUnlock() }

// shut waits for the calls under way and ends the store. It reports false when it had ended before.
func (s *store) shut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.closed
	s.closed = true
	return !was
}
