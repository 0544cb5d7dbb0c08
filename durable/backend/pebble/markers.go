package pebble

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// orderedMarkers makes the files of a folder durable before a marker names one of them. Pebble creates its manifest and
// then the marker that points to it, and syncs the folder once, behind both: on a file system that does not keep their
// order, a crash in between leaves a marker that points nowhere.
type orderedMarkers struct{ vfs.FS }

func (o orderedMarkers) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(o.PathBase(name), "marker.") {
		if err := syncDir(o.FS, o.PathDir(name)); err != nil {
			return nil, err
		}
	}
	return o.FS.Create(name, category)
}

// Unwrap is how Pebble looks for what a file system is made of.
func (o orderedMarkers) Unwrap() vfs.FS { return o.FS }

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
