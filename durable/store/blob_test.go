package store

import (
	"bytes"
	"compress/gzip"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

func noise(n int) []byte {
	b := make([]byte, n)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < n; i++ {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestBlobsAreCompressedWhereThatSavesSomething(t *testing.T) {
	t.Parallel()
	s := New(Config{Backend: memory.New(memory.Options{}).Backend()})
	for name, tc := range map[string]struct {
		data []byte
		most int // bytes stored
	}{
		"nothing": {nil, 1},
		"text":    {[]byte(strings.Repeat("the same again ", 10_000)), 2000},
		"noise":   {noise(100_000), 100_001},
	} {
		if err := s.putBlob(t.Context(), "i", "one", "key", tc.data); err != nil {
			t.Fatal(name, err)
		}
		stored, err := s.b.Blobs.Get(t.Context(), "key")
		if err != nil || len(stored) > tc.most {
			t.Errorf("%s: %d bytes are stored as %d, want at most %d (%v)", name, len(tc.data), len(stored), tc.most, err)
		}
		if got, err := s.getBlob(t.Context(), "key"); err != nil || !bytes.Equal(got, tc.data) {
			t.Errorf("%s: %d bytes came back, %v", name, len(got), err)
		}
	}
	if err := s.putBlob(t.Context(), "i", "one", "key", make([]byte, maxBlob+1)); err == nil {
		t.Error("more than can be read is put")
	}
}

func TestADamagedBlobIsAnError(t *testing.T) {
	t.Parallel()
	whole := pack(bytes.Repeat([]byte("text"), 100))
	var bomb bytes.Buffer
	bomb.WriteByte(blobGzip)
	w := gzip.NewWriter(&bomb)
	for range maxBlob>>20 + 1 {
		w.Write(make([]byte, 1<<20))
	}
	w.Close()
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-5] ^= 1 // in the checksum
	for name, b := range map[string][]byte{
		"empty": {}, "no gzip": {blobGzip}, "newer": {2, 1}, "cut": whole[:len(whole)-9], "flipped": flipped, "a bomb": bomb.Bytes(),
	} {
		if got, err := unpack(b); err == nil {
			t.Errorf("%s: read as %d bytes", name, len(got))
		}
	}
}

func TestAPayloadOfAnotherSizeIsDamaged(t *testing.T) {
	t.Parallel()
	s := New(Config{Backend: memory.New(memory.Options{}).Backend()})
	p := history.Payload{Bytes: noise(20_000)}
	if err := s.Offload(t.Context(), "i", "01", &p); err != nil {
		t.Fatal(err)
	}
	p.Size--
	if err := s.Hydrate(t.Context(), &p); !errors.Is(err, errBlob) || p.Bytes != nil {
		t.Errorf("read %d bytes, %v", len(p.Bytes), err)
	}
}

// FuzzUnpack: what is read is what pack makes of it again, or it is refused.
func FuzzUnpack(f *testing.F) {
	f.Add(pack(nil))
	f.Add(pack([]byte(strings.Repeat("x", 1000))))
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, b []byte) {
		data, err := unpack(b)
		if err != nil {
			return
		}
		if again, err := unpack(pack(data)); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%d bytes came back as %d, %v", len(data), len(again), err)
		}
	})
}
