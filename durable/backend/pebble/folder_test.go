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
		}, pebble.ErrForeign, "it holds thesis.tex: use another --data folder or an empty one"},
		{"a folder without its marker", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, "HUB")))
		}, pebble.ErrForeign, "it holds db"},
		{"a newer format", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "HUB"), "durable data folder\nformat 2\nstrange\n")
		}, pebble.ErrNewer, "it has format 2, this program knows 1: update the program"},
		{"an empty marker", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "HUB"), "")
		}, pebble.ErrDamaged, "restore the folder from a copy, or use another --data folder"},
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
		{"a damaged manifest", func(t *testing.T, dir string) { flip(t, dir, "MANIFEST-*", 20) }, pebble.ErrDamaged, "restore"},
		{"a damaged log", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			must(t, os.CopyFS(dir, os.DirFS(crashed(t))))
			flip(t, dir, "*.log", 1500)
		}, pebble.ErrDamaged, "restore"},
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

// flip changes one byte of the newest file that matches.
func flip(t *testing.T, dir, pattern string, at int) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "db", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	path := paths[len(paths)-1]
	data, err := os.ReadFile(path)
	must(t, err)
	if at >= len(data) {
		t.Fatalf("%s has only %d bytes", path, len(data))
	}
	data[at] ^= 0xff
	write(t, path, string(data))
}

func TestDamagedItemIsAnErrorAndNotMissing(t *testing.T) {
	t.Parallel()
	dir := used(t)
	flip(t, dir, "*.sst", 30)
	b := mustOpen(t, dir, pebble.Options{}).Backend()
	if got, err := b.Table.Get(t.Context(), backend.Key{Partition: "p", Sort: "1"}); err == nil {
		t.Errorf("Get returned %v and no error", got)
	}
	if got, err := b.Table.Query(t.Context(), "p", "", "", 10); err == nil {
		t.Errorf("Query returned %d items and no error", len(got))
	}
}

func TestOpenTakesWhatACrashLeft(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, crashed(t), pebble.Options{}).Backend()
	if got, err := b.Table.Query(t.Context(), "p", "", "", 10); len(got) != 5 || err != nil {
		t.Errorf("Query returned %d items and error %v, want 5", len(got), err)
	}
}

func TestOpenRefusesAFolderInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustOpen(t, dir, pebble.Options{})
	_, err := pebble.Open(filepath.Join(dir, ".", "x", ".."), pebble.Options{})
	if !errors.Is(err, pebble.ErrInUse) || !strings.Contains(err.Error(), "stop that process, or use another --data folder") {
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
	if _, err := pebble.Open(path, pebble.Options{}); err == nil {
		t.Error("Open of a file succeeded")
	}
}
