// Package aesgcm is a codec that encrypts and authenticates what a task hub stores, with AES in Galois/Counter mode and keys that can be
// rotated. A value that was changed, or moved to another place, is not decoded.
package aesgcm

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/codec"
)

// Key is a secret and the name that encoded values know it by.
type Key struct {
	// ID is 1 to 255 bytes, and is stored with each value. It is no secret.
	ID string
	// Secret is 16, 24 or 32 random bytes, for AES-128, -192 or -256.
	Secret []byte
}

// Codec is a codec.Codec. It holds keys and nothing else, and is safe for concurrent use.
type Codec struct {
	newest  string
	ciphers map[string]cipher.AEAD
}

// New returns a codec that encodes with the newest key, and decodes with whichever of them a value names. To rotate: give every program
// of the hub the new key behind the old one first, then put it in front, and take the old one away when no value names it any more.
//
// Each value takes a random nonce of 96 bits, for which NIST SP 800-38D (8.3) allows 2^32 values of one key: rotate before.
func New(newest Key, older ...Key) (*Codec, error) {
	c := &Codec{newest: newest.ID, ciphers: map[string]cipher.AEAD{}}
	for _, k := range append([]Key{newest}, older...) {
		if len(k.ID) == 0 || len(k.ID) > 255 {
			return nil, fmt.Errorf("aesgcm: the name of a key has %d bytes: it must have 1 to 255", len(k.ID))
		}
		if c.ciphers[k.ID] != nil {
			return nil, fmt.Errorf("aesgcm: two keys have the name %q", k.ID)
		}
		block, err := aes.NewCipher(k.Secret)
		if err != nil {
			return nil, fmt.Errorf("aesgcm: the secret of key %q has %d bytes: it must have 16, 24 or 32", k.ID, len(k.Secret))
		}
		if c.ciphers[k.ID], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("aesgcm: key %q: %w", k.ID, err)
		}
	}
	return c, nil
}

// Parse reads keys from a text, such as a secret of Secrets Manager: a line for each, its name and its secret in base64, the newest first.
// Empty lines and those that begin with # are left out.
func Parse(text string) (*Codec, error) {
	var keys []Key
	for n, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		if len(fields) != 2 {
			return nil, fmt.Errorf("aesgcm: line %d has %d words: it must be a name and a secret in base64", n+1, len(fields))
		}
		secret, err := base64.StdEncoding.DecodeString(fields[1])
		if err != nil {
			return nil, fmt.Errorf("aesgcm: line %d: the secret of key %q is not base64", n+1, fields[0]) // and is not shown
		}
		keys = append(keys, Key{fields[0], secret})
	}
	if len(keys) == 0 {
		return nil, errors.New("aesgcm: there is no key in it: write a line with a name and 32 random bytes in base64, such as `openssl rand -base64 32` makes")
	}
	return New(keys[0], keys[1:]...)
}

// Encode returns the length of the key's name, the name, the nonce and the sealed value. The place is authenticated with it.
func (c *Codec) Encode(_ context.Context, at codec.Where, plain []byte) ([]byte, error) {
	b := make([]byte, 0, 1+len(c.newest)+len(plain)+c.ciphers[c.newest].Overhead())
	b = append(append(b, byte(len(c.newest))), c.newest...)
	return c.ciphers[c.newest].Seal(b, nil, plain, at.Bytes()), nil
}

var (
	errShort  = errors.New("aesgcm: it is cut short")
	errForged = errors.New("aesgcm: it is not what was stored there: it was changed, moved from another place, or encoded with another key of the same name")
)

// Decode fails for a key that it was not given, and for what is not just as it was encoded, and there.
func (c *Codec) Decode(_ context.Context, at codec.Where, encoded []byte) ([]byte, error) {
	if len(encoded) == 0 || len(encoded) < 1+int(encoded[0]) {
		return nil, errShort
	}
	id, sealed := string(encoded[1:1+encoded[0]]), encoded[1+encoded[0]:]
	aead := c.ciphers[id]
	if aead == nil {
		return nil, fmt.Errorf("aesgcm: it is encoded with the key %q, which this program does not have: give it that key", id)
	}
	if len(sealed) < aead.Overhead() {
		return nil, errShort
	}
	plain, err := aead.Open(nil, nil, sealed, at.Bytes())
	if err != nil {
		return nil, errForged
	}
	return plain, nil
}
