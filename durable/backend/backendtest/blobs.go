package backendtest

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

func blobTests() []test {
	return []test{
		{"Get returns what Put stored", blobRoundTrip},
		{"Get of what is not there wraps ErrNoBlob", blobMissing},
		{"Put may be repeated", blobRepeated},
		{"Delete removes the blob", blobDelete},
		{"Delete of what is not there is no error", func(f *fixture) { f.must(f.Blobs.Delete(f.ctx, f.Name())) }},
		{"data passed in and handed out is copied", blobCopies},
		{"List returns keys in order, from after the one named, up to the limit", blobList},
		{"List keeps to its prefix", blobListPrefix},
		{"List knows size and time of a blob", blobListInfo},
		{"List refuses a limit that is not positive", blobListLimit},
		{"keys that are empty or too long are refused", blobKeys},
	}
}

func (f *fixture) wantBlob(key string, want []byte) {
	f.Helper()
	got, err := f.Blobs.Get(f.ctx, key)
	f.must(err)
	if !bytes.Equal(got, want) {
		f.Errorf("blob %q: got another one of %d bytes, want %d", key, len(got), len(want))
	}
}

func (f *fixture) wantNoBlob(key string) {
	f.Helper()
	if _, err := f.Blobs.Get(f.ctx, key); !errors.Is(err, backend.ErrNoBlob) {
		f.Errorf("got error %v, want one that wraps ErrNoBlob", err)
	}
}

func blobRoundTrip(f *fixture) {
	for name, data := range map[string][]byte{
		"text":  []byte("text"),
		"empty": {},
		"large": bytes.Repeat([]byte("\x00\xff\xfe\n"), 2<<20/4),
	} {
		key := f.Name() + "/hub/" + name
		f.must(f.Blobs.Put(f.ctx, key, data))
		f.wantBlob(key, data)
	}
}

func blobMissing(f *fixture) { f.wantNoBlob(f.Name() + "/missing") }

func blobRepeated(f *fixture) {
	for range 2 {
		f.must(f.Blobs.Put(f.ctx, f.Name(), []byte("data")))
	}
	f.wantBlob(f.Name(), []byte("data"))
}

func blobDelete(f *fixture) {
	key, other := f.Name()+"/a", f.Name()+"/a/b"
	f.must(f.Blobs.Put(f.ctx, key, []byte("data")))
	f.must(f.Blobs.Put(f.ctx, other, []byte("stays")))
	f.must(f.Blobs.Delete(f.ctx, key))
	f.wantNoBlob(key)
	f.wantBlob(other, []byte("stays"))
}

func blobCopies(f *fixture) {
	data := []byte("data")
	f.must(f.Blobs.Put(f.ctx, f.Name(), data))
	data[0] = 'X'
	got, err := f.Blobs.Get(f.ctx, f.Name())
	f.must(err)
	got[1] = 'X'
	f.wantBlob(f.Name(), []byte("data"))
}

func blobKeys(f *fixture) {
	for _, key := range []string{"", strings.Repeat("x", backend.MaxBlobKey+1), "\xff"} {
		f.wantInvalid("Put", f.Blobs.Put(f.ctx, key, nil))
		_, err := f.Blobs.Get(f.ctx, key)
		f.wantInvalid("Get", err)
		f.wantInvalid("Delete", f.Blobs.Delete(f.ctx, key))
	}
}

// wantKeys compares the keys listed below a prefix of the test's own, without it.
func (f *fixture) wantKeys(prefix, after string, limit int, want ...string) {
	f.Helper()
	own := f.Name() + "/"
	if after != "" {
		after = own + after
	}
	listed, err := f.Blobs.List(f.ctx, own+prefix, after, limit)
	f.must(err)
	var got []string
	for _, info := range listed {
		got = append(got, strings.TrimPrefix(info.Key, own))
	}
	if !slices.Equal(got, want) {
		f.Errorf("List of %q after %q, at most %d: got %q, want %q", prefix, after, limit, got, want)
	}
}

func blobList(f *fixture) {
	for _, name := range []string{"b/2", "a", "c", "b/1", "b", "B", "é"} {
		f.must(f.Blobs.Put(f.ctx, f.Name()+"/"+name, []byte("data")))
	}
	f.wantKeys("", "", 100, "B", "a", "b", "b/1", "b/2", "c", "é")
	f.wantKeys("", "", 7, "B", "a", "b", "b/1", "b/2", "c", "é")
	f.wantKeys("", "", 3, "B", "a", "b")
	f.wantKeys("", "b", 2, "b/1", "b/2")
	f.wantKeys("", "b/11", 1, "b/2")
	f.wantKeys("", "é", 10)
	f.must(f.Blobs.Delete(f.ctx, f.Name()+"/b/1"))
	f.wantKeys("", "b", 2, "b/2", "c")
}

func blobListPrefix(f *fixture) {
	for _, name := range []string{"a", "b/1", "b/2", "b0", "c"} {
		f.must(f.Blobs.Put(f.ctx, f.Name()+"/"+name, []byte("data")))
	}
	f.wantKeys("b/", "", 10, "b/1", "b/2")
	f.wantKeys("b/", "a", 10, "b/1", "b/2")
	f.wantKeys("b/", "b/1", 10, "b/2")
	f.wantKeys("b/", "c", 10)
	f.wantKeys("b", "", 10, "b/1", "b/2", "b0")
	f.wantKeys("no such", "", 10)
}

func blobListInfo(f *fixture) {
	key := f.Name() + "/key"
	for _, size := range []int{0, 1, 100_000} {
		f.must(f.Blobs.Put(f.ctx, key, make([]byte, size)))
		listed, err := f.Blobs.List(f.ctx, key, "", 10)
		f.must(err)
		if len(listed) != 1 || listed[0].Size < int64(size) || listed[0].Size > int64(size+f.Overhead) || listed[0].Modified.Unix() <= 0 {
			f.Errorf("a blob of %d bytes is listed as %+v", size, listed)
		}
	}
}

func blobListLimit(f *fixture) {
	for _, limit := range []int{0, -1} {
		_, err := f.Blobs.List(f.ctx, f.Name(), "", limit)
		f.wantInvalid("List", err)
	}
}
