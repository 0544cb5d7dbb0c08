package pebble_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
)

// contents reads every file of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// used returns a folder that was opened, written to and closed.
func used(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a", "b")
	b, err := pebble.Open(dir, pebble.Options{})
	must(t, err)
	fill(t, b)
	must(t, b.Close())
	return dir
}

// crashed returns a folder whose process crashed.
func crashed(t *testing.T) string {
	t.Helper()
	dir, left := t.TempDir(), filepath.Join(t.TempDir(), "left")
	fill(t, mustOpen(t, dir, pebble.Options{}))
	must(t, os.CopyFS(left, os.DirFS(dir)))
	return left
}

func fill(t *testing.T, b *pebble.Backend) {
	t.Helper()
	for _, sort := range []string{"1", "2", "3", "4", "5"} {
		item := backend.Item{Key: backend.Key{Partition: "p", Sort: sort}, Value: []byte(strings.Repeat("value ", 3000))}
		must(t, b.Backend().Table.Put(t.Context(), item, backend.Absent()))
	}
}

func TestOpenRefusesAndLeavesTheFolderAsItIs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		harm func(t *testing.T, dir string)
		want error
		hint string
	}{
		{"a folder of somebody else", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			must(t, os.MkdirAll(dir, 0o755))
			write(t, filepath.Join(dir, "thesis.tex"), "years of work")
		}, pebble.ErrForeign, "it holds thesis.tex: use another data folder or an empty one"},
		{"a folder without its marker", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, "HUB")))
		}, pebble.ErrForeign, "it holds db"},
		{"a newer format", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "HUB"), "durable data folder\nformat 2\nstrange\n")
		}, pebble.ErrNewer, "it has format 2, this program knows 1: update the program"},
		{"an empty marker", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "HUB"), "")
		}, pebble.ErrDamaged, "restore the folder from a copy, or use another data folder"},
		{"a marker of strange state", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "HUB"), "durable data folder\nformat 1\nstate old\n")
		}, pebble.ErrDamaged, "HUB is unreadable"},
		{"a marker without a version", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "HUB"), "durable data folder\nformat x\n")
		}, pebble.ErrDamaged, "no format version"},
		{"a database that is gone", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "db")))
			must(t, os.Mkdir(filepath.Join(dir, "db"), 0o755))
		}, pebble.ErrDamaged, "restore the folder from a copy"},
		{"a marker that was cut off", func(t *testing.T, dir string) {
			must(t, os.Truncate(filepath.Join(dir, "HUB"), int64(len("durable data folder\nformat 1\nstate clean\n"))))
		}, pebble.ErrDamaged, "HUB is unreadable"},
		{"a manifest that was cut off", cut("MANIFEST-*", 60), pebble.ErrDamaged, "has 60 bytes, but had"},
		{"a manifest that lost its last byte", cut("MANIFEST-*", -1), pebble.ErrDamaged, "bytes, but had"},
		{"a manifest that is gone", remove("MANIFEST-*"), pebble.ErrDamaged, "is missing: restore"},
		{"a pointer to the manifest that is gone", remove("marker.manifest.*"), pebble.ErrDamaged, "has no manifest"},
		{"an older pointer to the manifest", func(t *testing.T, dir string) {
			remove("marker.manifest.*")(t, dir)
			write(t, filepath.Join(dir, "db", "marker.manifest.000001.MANIFEST-000001"), "")
		}, pebble.ErrDamaged, "its manifest is MANIFEST-000001, but it was closed with"},
		{"a table that is gone", remove("*.sst"), pebble.ErrDamaged, "is missing: restore"},
		{"a table that was cut off", cut("*.sst", 100), pebble.ErrDamaged, "has 100 bytes, but had"},
		{"a log that is gone", remove("*.log"), pebble.ErrDamaged, "is missing: restore"},
		{"a log that was cut off", cut("*.log", 0), pebble.ErrDamaged, "has 0 bytes, but had"},
		{"a manifest that is gone after a crash", afterCrash(remove("MANIFEST-*")), pebble.ErrDamaged, "is missing: restore"},
		{"a manifest that was cut off after a crash", afterCrash(cut("MANIFEST-*", 40)), pebble.ErrDamaged, "has 40 bytes"},
		{"a damaged manifest", func(t *testing.T, dir string) { flip(t, dir, "MANIFEST-*", 20) }, pebble.ErrDamaged, "restore"},
		{"a damaged log", afterCrash(func(t *testing.T, dir string) { flip(t, dir, "*.log", 1500) }), pebble.ErrDamaged, "restore"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := used(t)
			test.harm(t, dir)
			before := contents(t, dir)
			b, err := pebble.Open(dir, pebble.Options{})
			if err == nil {
				b.Close()
				t.Fatal("Open succeeded")
			}
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.hint) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got error %q, want %q, the folder and %q", err, test.want, test.hint)
			}
			after := contents(t, dir)
			maps.DeleteFunc(after, func(path, data string) bool { _, ok := before[path]; return !ok && data == "" })
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("Open changed the folder (-before +after):\n%s", diff)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newest returns the newest file of the database that matches.
func newest(t *testing.T, dir, pattern string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "db", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return paths[len(paths)-1]
}

// remove returns a harm that removes the newest file that matches.
func remove(pattern string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) { must(t, os.Remove(newest(t, dir, pattern))) }
}

// cut returns a harm that leaves size bytes of the newest file that matches; a negative size counts from its end.
func cut(pattern string, size int64) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		path := newest(t, dir, pattern)
		info, err := os.Stat(path)
		must(t, err)
		left := size
		if size < 0 {
			left += info.Size()
		}
		if left >= info.Size() {
			t.Fatalf("%s has only %d bytes", path, info.Size())
		}
		must(t, os.Truncate(path, left))
	}
}

// afterCrash does the harm to a folder whose process crashed.
func afterCrash(harm func(t *testing.T, dir string)) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		must(t, os.RemoveAll(dir))
		must(t, os.CopyFS(dir, os.DirFS(crashed(t))))
		harm(t, dir)
	}
}

// flip changes one byte of the newest file that matches.
func flip(t *testing.T, dir, pattern string, at int) {
	t.Helper()
	path := newest(t, dir, pattern)
	data, err := os.ReadFile(path)
	must(t, err)
	if at >= len(data) {
		t.Fatalf("%s has only %d bytes", path, len(data))
	}
	data[at] ^= 0xff
	write(t, path, string(data))
}

func TestOpenTakesAFolderThatGotBackWhatItMissed(t *testing.T) {
	t.Parallel()
	dir := used(t)
	table := newest(t, dir, "*.sst")
	must(t, os.Rename(table, table+".away"))
	if _, err := pebble.Open(dir, pebble.Options{}); !errors.Is(err, pebble.ErrDamaged) {
		t.Fatalf("got error %v, want ErrDamaged", err)
	}
	must(t, os.Rename(table+".away", table))
	wantFilled(t, mustOpen(t, dir, pebble.Options{}))
}

func TestDamagedRecordIsAnErrorAndNotMissing(t *testing.T) {
	t.Parallel()
	large := []byte(strings.Repeat("value ", 2000))
	key := backend.Key{Partition: "p", Sort: "s"}
	for _, test := range []struct {
		name  string
		write func(b backend.Backend) error
		read  func(b backend.Backend) error
	}{
		{"Get", func(b backend.Backend) error {
			return b.Table.Put(t.Context(), backend.Item{Key: key, Value: large}, backend.Absent())
		}, func(b backend.Backend) error { _, err := b.Table.Get(t.Context(), key); return err }},
		{"Query", func(b backend.Backend) error {
			return b.Table.Put(t.Context(), backend.Item{Key: key, Value: large}, backend.Absent())
		}, func(b backend.Backend) error { _, err := b.Table.Query(t.Context(), "p", "", "", 10); return err }},
		{"Index", func(b backend.Backend) error {
			listed := &backend.IndexEntry{Partition: "i", Sort: "s", Summary: large}
			return b.Table.Put(t.Context(), backend.Item{Key: key, Index: listed}, backend.Absent())
		}, func(b backend.Backend) error { _, err := b.Table.Index(t.Context(), "i", "", "", 10); return err }},
		{"Blobs.Get", func(b backend.Backend) error { return b.Blobs.Put(t.Context(), "key", large) },
			func(b backend.Backend) error { _, err := b.Blobs.Get(t.Context(), "key"); return err }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			b, err := pebble.Open(dir, pebble.Options{})
			must(t, err)
			must(t, test.write(b.Backend()))
			must(t, b.Close())
			flip(t, dir, "*.sst", 30)
			wantDamaged(t, test.read(mustOpen(t, dir, pebble.Options{}).Backend()))
		})
	}
}

func TestOpenRefusesADamagedMessage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := pebble.Open(dir, pebble.Options{})
	must(t, err)
	send(t, b.Backend().Wake, backend.Message{Body: []byte(strings.Repeat("value ", 3000))})
	must(t, b.Close())
	flip(t, dir, "*.sst", 30)
	_, err = pebble.Open(dir, pebble.Options{})
	wantDamaged(t, err)
}

// wantDamaged wants one line that says what to do.
func wantDamaged(t *testing.T, err error) {
	t.Helper()
	const hint = "restore the folder from a copy, or use another data folder"
	if !errors.Is(err, pebble.ErrDamaged) || !strings.HasSuffix(err.Error(), hint) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got error %q, want ErrDamaged and one line that ends with %q", err, hint)
	}
}

func wantFilled(t *testing.T, b *pebble.Backend) {
	t.Helper()
	if got, err := b.Backend().Table.Query(t.Context(), "p", "", "", 10); len(got) != 5 || err != nil {
		t.Errorf("Query returned %d items and error %v, want 5", len(got), err)
	}
}

func TestOpenTakesWhatACrashLeft(t *testing.T) {
	t.Parallel()
	wantFilled(t, mustOpen(t, crashed(t), pebble.Options{}))
}

// The crash came before the manifest that every opening begins was recorded.
func TestOpenTakesANewerManifestThanTheRecordedOne(t *testing.T) {
	t.Parallel()
	dir := crashed(t)
	hub, err := os.ReadFile(filepath.Join(dir, "HUB"))
	must(t, err)
	before := newest(t, dir, "MANIFEST-*")
	for range 3 {
		must(t, mustOpen(t, dir, pebble.Options{}).Close())
	}
	if newest(t, dir, "MANIFEST-*") == before {
		t.Fatal("no newer manifest")
	}
	write(t, filepath.Join(dir, "HUB"), string(hub))
	wantFilled(t, mustOpen(t, dir, pebble.Options{}))
}

func TestOpenRefusesAFolderInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustOpen(t, dir, pebble.Options{})
	_, err := pebble.Open(filepath.Join(dir, ".", "x", ".."), pebble.Options{})
	if !errors.Is(err, pebble.ErrInUse) || !strings.Contains(err.Error(), "stop that process, or use another data folder") {
		t.Errorf("got error %v, want ErrInUse and what to do", err)
	}
}

func TestOpenRefusesAFolderThatAnotherProcessHasOpen(t *testing.T) {
	t.Parallel()
	const folder = "PEBBLE_TEST_FOLDER"
	if dir := os.Getenv(folder); dir != "" {
		if _, err := pebble.Open(dir, pebble.Options{}); !errors.Is(err, pebble.ErrInUse) {
			t.Errorf("got error %v, want ErrInUse", err)
		}
		return
	}
	dir := t.TempDir()
	mustOpen(t, dir, pebble.Options{})
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	other.Env = append(os.Environ(), folder+"="+dir)
	if out, err := other.CombinedOutput(); err != nil {
		t.Errorf("the other process: %v\n%s", err, out)
	}
}

func TestOpenRefusesAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "text")
	_, err := pebble.Open(path, pebble.Options{})
	if err == nil || !strings.HasSuffix(err.Error(), path+": it is a file; name a folder") {
		t.Errorf("got error %v, want what to do", err)
	}
}
