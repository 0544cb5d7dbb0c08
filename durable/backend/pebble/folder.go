package pebble

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	markerName   = "HUB"
	markerDraft  = "HUB.tmp"
	lockName     = "LOCK"
	databaseName = "db"

	formatVersion = 1
)

// state says how far a folder has come.
type state string

const (
	empty state = ""      // nothing of ours
	fresh state = "new"   // marked, its database may be incomplete and holds nothing
	ready state = "ready" // has a database
)

type folder struct {
	fs  vfs.FS
	dir string
}

func (f folder) path(name string) string { return f.fs.PathJoin(f.dir, name) }

// state reads the folder's marker and refuses a folder that is not ours to use. It changes nothing.
func (f folder) state() (state, error) {
	names, err := f.fs.List(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, err
	}
	other := ""
	for _, name := range names {
		switch name {
		case markerName:
			return f.readMarker()
		case markerDraft, lockName:
		default:
			other = name
		}
	}
	if other != "" {
		return empty, fmt.Errorf("%w: it holds %s: use another --data folder or an empty one", ErrForeign, other)
	}
	return empty, nil
}

func (f folder) readMarker() (state, error) {
	file, err := f.fs.Open(f.path(markerName))
	if err != nil {
		return empty, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 1<<10))
	if err != nil {
		return empty, err
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 2 || lines[0] != "durable data folder" || !strings.HasPrefix(lines[1], "format ") {
		return empty, damaged(fmt.Errorf("its marker file %s is unreadable", markerName))
	}
	version, err := strconv.Atoi(strings.TrimPrefix(lines[1], "format "))
	switch {
	case err != nil || version < 1:
		return empty, damaged(fmt.Errorf("its marker file %s has no format version", markerName))
	case version > formatVersion:
		return empty, fmt.Errorf("%w: it has format %d, this program knows %d: update the program, or use another --data folder",
			ErrNewer, version, formatVersion)
	}
	for _, s := range []state{fresh, ready} {
		if string(text) == marker(s) {
			return s, nil
		}
	}
	return empty, damaged(fmt.Errorf("its marker file %s is unreadable", markerName))
}

func marker(s state) string {
	return fmt.Sprintf("durable data folder\nformat %d\nstate %s\n", formatVersion, s)
}

// writeMarker replaces the marker: after a crash there is the old one or the new one.
func (f folder) writeMarker(s state) error {
	file, err := f.fs.Create(f.path(markerDraft), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte(marker(s)))
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := f.fs.Rename(f.path(markerDraft), f.path(markerName)); err != nil {
		return err
	}
	return syncDir(f.fs, f.dir)
}

// lock creates the folder and takes it for this process.
func (f folder) lock() (io.Closer, error) {
	if err := f.create(); err != nil {
		return nil, err
	}
	lock, err := f.fs.Lock(f.path(lockName))
	if pathErr := (*fs.PathError)(nil); err != nil && !errors.As(err, &pathErr) {
		return nil, fmt.Errorf("%w: stop that process, or use another --data folder", ErrInUse)
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
	state, err := f.state()
	if err != nil {
		return nil, err
	}
	if state != ready {
		if err := f.createDatabase(state, log); err != nil {
			return nil, err
		}
	}
	db, err := pebble.Open(f.path(databaseName), f.options(log, true))
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, damaged(err)
	}
	return db, nil
}

// createDatabase creates an empty database, and closes it: Pebble begins the first log of a new database in a format that
// does not tell a damaged log from one that ends.
func (f folder) createDatabase(state state, log *slog.Logger) error {
	if state == empty {
		if err := f.writeMarker(fresh); err != nil {
			return err
		}
	}
	db, err := pebble.Open(f.path(databaseName), f.options(log, false))
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	return f.writeMarker(ready)
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

func damaged(err error) error {
	return fmt.Errorf("%w: %w: restore the folder from a copy, or use another --data folder", ErrDamaged, err)
}
