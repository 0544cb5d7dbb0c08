package pebble

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	lockName     = "LOCK"
	databaseName = "db"
)

type folder struct {
	fs  vfs.FS
	dir string
}

func (f folder) path(names ...string) string {
	return f.fs.PathJoin(append([]string{f.dir}, names...)...)
}

// hub reads the folder's HUB and refuses a folder that is not ours to use. It changes nothing.
func (f folder) hub() (hub, error) {
	info, err := f.fs.Stat(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return hub{}, nil
	}
	if err != nil {
		return hub{}, err
	}
	if !info.IsDir() {
		return hub{}, errors.New("it is a file; name a folder")
	}
	names, err := f.fs.List(f.dir)
	if err != nil {
		return hub{}, err
	}
	other := ""
	for _, name := range names {
		switch name {
		case hubName:
			return f.readHub()
		case hubDraft, lockName:
		default:
			other = name
		}
	}
	if other != "" {
		return hub{}, fmt.Errorf("%w: it holds %s: use another data folder or an empty one", ErrForeign, other)
	}
	return hub{}, nil
}

// lock creates the folder and takes it for this process.
func (f folder) lock() (io.Closer, error) {
	if err := f.create(); err != nil {
		return nil, err
	}
	lock, err := f.fs.Lock(f.path(lockName))
	if pathErr := (*fs.PathError)(nil); err != nil && !errors.As(err, &pathErr) {
		return nil, fmt.Errorf("%w: stop that process, or use another data folder", ErrInUse)
	}
	return lock, err
}

// create makes the folder durable with its missing parents.
func (f folder) create() error {
	var parents []string
	for dir := f.dir; ; dir = f.fs.PathDir(dir) {
		if _, err := f.fs.Stat(dir); err == nil {
			break
		}
		parents = append(parents, f.fs.PathDir(dir))
	}
	if err := f.fs.MkdirAll(f.dir, 0o755); err != nil {
		return err
	}
	for _, dir := range parents {
		if err := syncDir(f.fs, dir); err != nil {
			return err
		}
	}
	return nil
}

// open opens the database of a locked folder, and creates it in a new one.
func (f folder) open(log *slog.Logger) (*pebble.DB, error) {
	h, err := f.hub()
	if err != nil {
		return nil, err
	}
	if h.state == empty || h.state == fresh {
		h, err = f.createDatabase(h.state, log)
	} else {
		err = refusal(f.check(h))
	}
	if err != nil {
		return nil, err
	}
	if h.state == clean {
		if err := f.writeHub(hub{state: ready, files: h.files[:1]}); err != nil {
			return nil, err
		}
	}
	db, err := pebble.Open(f.path(databaseName), f.options(log, true))
	if err != nil {
		return nil, errors.Join(refusal(err), f.restore(h))
	}
	if err := f.markReady(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// restore makes a clean folder clean again that could not be opened, unless the attempt changed it.
func (f folder) restore(h hub) error {
	if h.state != clean || f.check(h) != nil {
		return nil
	}
	return f.writeHub(h)
}

// createDatabase creates an empty database, and closes it: Pebble begins the first log of a new database in a format that
// does not tell a damaged log from one that ends.
func (f folder) createDatabase(s state, log *slog.Logger) (hub, error) {
	if s == empty {
		if err := f.writeHub(hub{state: fresh}); err != nil {
			return hub{}, err
		}
	}
	db, err := pebble.Open(f.path(databaseName), f.options(log, false))
	if err != nil {
		return hub{}, err
	}
	if err := db.Close(); err != nil {
		return hub{}, err
	}
	h := hub{state: ready}
	return h, f.writeHub(h)
}

// options keep the database small enough for a laptop. The format is the oldest that tells a damaged log from one that
// ends. Damage that a read meets is the reader's error and no reason to end the process.
func (f folder) options(log *slog.Logger, exists bool) *pebble.Options {
	report := logger{log}
	opts := &pebble.Options{
		FS:     orderedMarkers{f.fs},
		Logger: report,
		EventListener: &pebble.EventListener{
			DataCorruption: func(info pebble.DataCorruptionInfo) { report.Errorf("%s", info) },
		},
		ErrorIfNotExists:   exists,
		FormatMajorVersion: pebble.FormatWALSyncChunks,
		CacheSize:          16 << 20,
		MemTableSize:       4 << 20,
		MaxOpenFiles:       256,
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return opts
}

// refusal is damaged but for what the file system reports.
func refusal(err error) error {
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return damaged(err)
}

// damaged says what to do, and of the cause its first line: Pebble's others are for its authors. Of nil it makes nil.
func damaged(err error) error {
	if err == nil {
		return nil
	}
	cause, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Errorf("%w: %s: restore the folder from a copy, or use another data folder", ErrDamaged, cause)
}
