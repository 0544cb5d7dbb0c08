package links

import (
	"errors"
	"fmt"
)

// MinKey is how many bytes a key has at least: as many as HMAC-SHA256 returns.
const MinKey = 32

// maxKeyName bounds the names of keys, which are part of every link.
const maxKeyName = 64

// Ring is the keys that links are signed with, by name. It is secret.
type Ring struct {
	// Current names the key of new links.
	Current string `json:"current"`
	// Keys have MinKey bytes or more each.
	Keys map[string][]byte `json:"keys"`
}

// Check says what is wrong with a ring, without showing any key.
func (r Ring) Check() error {
	if len(r.Keys) == 0 {
		return errors.New("the ring of link keys is empty: put a key of 32 random bytes into it")
	}
	for name, key := range r.Keys {
		if name == "" || len(name) > maxKeyName {
			return fmt.Errorf("a link key's name has %d bytes: it must have 1 to %d", len(name), maxKeyName)
		}
		if len(key) < MinKey {
			return fmt.Errorf("the link key %q has %d bytes: it must have at least %d random ones", name, len(key), MinKey)
		}
	}
	if _, ok := r.Keys[r.Current]; !ok {
		return fmt.Errorf("the current link key %q is not in the ring: add it, or name another", r.Current)
	}
	return nil
}

// String keeps keys out of logs.
func (r Ring) String() string {
	return fmt.Sprintf("ring of %d link keys, current %q", len(r.Keys), r.Current)
}

// GoString keeps keys out of logs.
func (r Ring) GoString() string { return r.String() }
