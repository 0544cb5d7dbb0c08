package conformance

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
)

// openPebble opens a data folder in memory: what a power cut leaves of it is for the tests of the adapter.
func openPebble(t *testing.T, now func() time.Time) backend.Backend {
	t.Helper()
	b, err := pebble.Open("/hub", pebble.Options{Now: now, FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b.Backend()
}
