package backendtest

import (
	"bytes"
	"errors"
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
