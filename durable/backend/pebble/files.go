package pebble

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"
)

// check compares the database, which is closed, with what h says of it. Pebble must not open one that fails: it takes a
// manifest that was cut off for one that a crash ended early, and deletes what the lost end would have named.
func (f folder) check(h hub) error {
	manifest, err := f.manifest()
	if err != nil {
		return err
	}
	if manifest == "" {
		return errors.New("its database has no manifest")
	}
	if len(h.files) == 0 || h.files[0].name != manifest {
		if h.state == clean {
			return fmt.Errorf("its manifest is %s, but it was closed with %s", manifest, h.files[0].name)
		}
		return nil // A newer manifest took over, and its process crashed.
	}
	for _, file := range h.files {
		info, err := f.fs.Stat(f.path(databaseName, file.name))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("its file %s/%s is missing", databaseName, file.name)
		}
		if err != nil {
			return err
		}
		if size := info.Size(); size < file.size || h.state == clean && size != file.size {
			return fmt.Errorf("its file %s/%s has %d bytes, but had %d", databaseName, file.name, size, file.size)
		}
	}
	return nil
}

// manifest returns the name of the database's manifest, "" when there is none.
func (f folder) manifest() (string, error) {
	return atomicfs.ReadMarker(f.fs, f.path(databaseName), "manifest")
}

// markReady records the manifest of the open database. It is synced before: Pebble may be about to add to it, and a crash
// must not leave less than what is recorded.
func (f folder) markReady() error {
	name, err := f.manifest()
	if err != nil {
		return err
	}
	manifest, err := f.fs.OpenReadWrite(f.path(databaseName, name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	info, err := manifest.Stat()
	if err == nil {
		err = manifest.Sync()
	}
	if err := errors.Join(err, manifest.Close()); err != nil {
		return err
	}
	return f.writeHub(hub{state: ready, files: []file{{name, info.Size()}}})
}

// markClean records the files of the database that was just closed.
func (f folder) markClean() error {
	manifest, err := f.manifest()
	if err != nil {
		return err
	}
	names, err := f.fs.List(f.path(databaseName))
	if err != nil {
		return err
	}
	h := hub{state: clean}
	add := func(name string) error {
		info, err := f.fs.Stat(f.path(databaseName, name))
		if err == nil {
			h.files = append(h.files, file{name, info.Size()})
		}
		return err
	}
	if err := add(manifest); err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".sst") && !strings.HasSuffix(name, ".log") {
			continue
		}
		if err := add(name); err != nil {
			return err
		}
	}
	return f.writeHub(h)
}
