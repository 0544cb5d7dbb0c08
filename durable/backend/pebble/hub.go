package pebble

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	hubName  = "HUB"
	hubDraft = "HUB.tmp"

	hubTitle = "durable data folder"
	hubEnd   = "end"

	formatVersion = 1
)

var errHub = errors.New("its file " + hubName + " is unreadable")

// state says how far a folder has come.
type state string

const (
	empty state = ""      // nothing of ours
	fresh state = "new"   // marked, its database may be incomplete and holds nothing
	ready state = "ready" // has a database, which is open or was when a process crashed
	clean state = "clean" // has a database, which was closed
)

// hub is the file that marks a folder as ours. It says what Pebble cannot: which files were there.
type hub struct {
	state state
	// files has the manifest first. Of a ready folder it has no other, and its size may have grown since; of a clean one
	// it has all that matter, with their exact sizes.
	files []file
}

// file is one of the database.
type file struct {
	name string
	size int64
}

func (h hub) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nformat %d\nstate %s\n", hubTitle, formatVersion, h.state)
	for _, file := range h.files {
		fmt.Fprintf(&b, "%s %d\n", file.name, file.size)
	}
	return b.String() + hubEnd + "\n"
}

// parseHub accepts what String returns and nothing else.
func parseHub(text string) (hub, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 2 || lines[0] != hubTitle || !strings.HasPrefix(lines[1], "format ") {
		return hub{}, damaged(errHub)
	}
	version, err := strconv.Atoi(strings.TrimPrefix(lines[1], "format "))
	switch {
	case err != nil || version < 1:
		return hub{}, damaged(fmt.Errorf("its file %s has no format version", hubName))
	case version > formatVersion:
		return hub{}, fmt.Errorf("%w: it has format %d, this program knows %d: update the program, or use another data folder",
			ErrNewer, version, formatVersion)
	case len(lines) < 5:
		return hub{}, damaged(errHub)
	}
	h := hub{state: state(strings.TrimPrefix(lines[2], "state "))}
	for _, line := range lines[3 : len(lines)-2] {
		name, size, _ := strings.Cut(line, " ")
		n, _ := strconv.ParseInt(size, 10, 64)
		h.files = append(h.files, file{name, n})
	}
	if !h.valid() || h.String() != text {
		return hub{}, damaged(errHub)
	}
	return h, nil
}

func (h hub) valid() bool {
	switch h.state {
	case fresh:
		return len(h.files) == 0
	case ready:
		return len(h.files) <= 1
	case clean:
		return len(h.files) >= 1
	}
	return false
}

func (f folder) readHub() (hub, error) {
	file, err := f.fs.Open(f.path(hubName))
	if err != nil {
		return hub{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return hub{}, err
	}
	return parseHub(string(text))
}

// writeHub replaces the file: after a crash there is the old one or the new one.
func (f folder) writeHub(h hub) error {
	file, err := f.fs.Create(f.path(hubDraft), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte(h.String()))
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := f.fs.Rename(f.path(hubDraft), f.path(hubName)); err != nil {
		return err
	}
	return syncDir(f.fs, f.dir)
}
