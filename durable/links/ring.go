package links

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// Ring is keys by name. Names have up to 32 bytes, and keys at least 32.
type Ring struct {
	// Current is the key that signs.
	Current string            `json:"current"`
	Keys    map[string][]byte `json:"keys"`
}

const (
	minKey     = 32
	maxKeyName = 32
)

// NewRing returns a ring with one key, named for the day.
func NewRing(now time.Time) Ring {
	key := make([]byte, minKey)
	_, _ = rand.Read(key) // which never fails
	name := now.UTC().Format("2006-01-02")
	return Ring{Current: name, Keys: map[string][]byte{name: key}}
}

// ParseRing reads {"current":"2026-11-23","keys":{"2026-11-23":"…"}}, with keys in base64. Its errors do not have what they are about in them.
func ParseRing(data []byte) (Ring, error) {
	var r Ring
	if err := json.Unmarshal(data, &r); err != nil {
		return Ring{}, errors.New(`the keys of links are not of the form {"current":"NAME","keys":{"NAME":"a key in base64"}}`)
	}
	return r, r.check()
}

// Encode is what ParseRing reads.
func (r Ring) Encode() []byte {
	b, _ := json.Marshal(r) // whose parts cannot fail
	return b
}

// String names the keys and shows none, so that none gets into a log.
func (r Ring) String() string {
	return fmt.Sprintf("keys of links %q, of which %q signs", slices.Sorted(maps.Keys(r.Keys)), r.Current)
}

// GoString is String.
func (r Ring) GoString() string { return r.String() }

// LogValue is String.
func (r Ring) LogValue() slog.Value { return slog.StringValue(r.String()) }

func (r Ring) check() error {
	for name, key := range r.Keys {
		if name == "" || len(name) > maxKeyName {
			return fmt.Errorf("a key of links is called %q: names have 1 to %d bytes", name, maxKeyName)
		}
		if len(key) < minKey {
			return fmt.Errorf("the key %s of links has %d bytes: at least %d are needed", name, len(key), minKey)
		}
	}
	if r.Keys[r.Current] == nil {
		return fmt.Errorf("the current key of links is %q, and there is none of that name", r.Current)
	}
	return nil
}
