package access

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Key is what is kept of a key.
type Key struct {
	// Name says whose it is, in audit lines and in lists. It is no secret.
	Name string `json:"name"`
	// Hash is the SHA-256 of the key's text, in hexadecimal digits. A key has too many random bits to be guessed from it.
	Hash string     `json:"hash"`
	May  Permission `json:"may"`
	// Expires is when the key stops being good; zero is never.
	Expires time.Time `json:"expires,omitzero"`
}

// prefix lets people and scanners of secrets know what they look at.
const prefix = "durable_"

// NewKey makes a key: its text, which is nowhere else, and what is to be kept of it.
func NewKey(name string, may Permission, expires time.Time) (text string, k Key, err error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // which never fails
	text = prefix + base64.RawURLEncoding.EncodeToString(secret)
	k = Key{Name: name, Hash: hash(text), May: may, Expires: expires}
	return text, k, k.check()
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (k Key) check() error {
	switch b, err := hex.DecodeString(k.Hash); {
	case k.Name == "" || len(k.Name) > 100 || !utf8.ValidString(k.Name) || strings.ContainsFunc(k.Name, unicode.IsControl):
		return fmt.Errorf("a key is called %q: its name has 1 to 100 bytes, and no control characters", k.Name)
	case err != nil || len(b) != sha256.Size || strings.ToLower(k.Hash) != k.Hash:
		return fmt.Errorf("the hash of key %q is not the SHA-256 of a key in 64 lower-case hexadecimal digits: durable keys add makes one", k.Name)
	case k.May == 0:
		return fmt.Errorf("key %q may do nothing: give it read, operate or administer", k.Name)
	}
	return nil
}

// File is a file of keys.
type File struct {
	Keys []Key `json:"keys"`
}

// ReadFile reads the JSON of a file of keys, and refuses what is not exactly that: a misspelt member must not make a key good for ever.
func ReadFile(data []byte) (File, error) {
	var f File
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return File{}, fmt.Errorf("the keys are not such JSON as durable keys writes: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return File{}, errors.New("the keys are not such JSON as durable keys writes: something follows it")
	}
	for i, k := range f.Keys {
		if err := k.check(); err != nil {
			return File{}, err
		}
		for _, other := range f.Keys[:i] {
			if other.Name == k.Name || other.Hash == k.Hash {
				return File{}, fmt.Errorf("the keys %q and %q have the same name, or are the same key: names tell keys apart", other.Name, k.Name)
			}
		}
	}
	return f, nil
}

// Encode writes the file.
func (f File) Encode() []byte {
	if f.Keys == nil {
		f.Keys = []Key{}
	}
	b, _ := json.MarshalIndent(f, "", "  ") // whose parts cannot fail
	return append(b, '\n')
}

// Add adds a key; its name must be new.
func (f *File) Add(k Key) error {
	if slices.ContainsFunc(f.Keys, func(other Key) bool { return other.Name == k.Name }) {
		return fmt.Errorf("there is a key %q already: choose another name, such as one with a number, and remove the old key when nobody uses it any more", k.Name)
	}
	f.Keys = append(f.Keys, k)
	return k.check()
}

// Remove takes a key out.
func (f *File) Remove(name string) error {
	n := len(f.Keys)
	f.Keys = slices.DeleteFunc(f.Keys, func(k Key) bool { return k.Name == name })
	if len(f.Keys) == n {
		return fmt.Errorf("there is no key %q", name)
	}
	return nil
}
