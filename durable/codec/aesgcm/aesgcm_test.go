package aesgcm_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/codec"
	"github.com/durable-lambda/durable-lambda/durable/codec/aesgcm"
)

var here = codec.Where{Port: "item", Name: "a"}

func TestTheSameValueIsNeverEncodedTheSame(t *testing.T) {
	t.Parallel()
	c, err := aesgcm.Parse("# newest first\n2027 " + base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n\n2026 " + base64.StdEncoding.EncodeToString(make([]byte, 16)))
	if err != nil {
		t.Fatal(err)
	}
	one, _ := c.Encode(t.Context(), here, []byte("value"))
	two, _ := c.Encode(t.Context(), here, []byte("value"))
	if bytes.Equal(one, two) || !bytes.HasPrefix(one, []byte("\x042027")) {
		t.Errorf("%q and %q: want two nonces, and the newest key's name", one, two)
	}
	if plain, err := c.Decode(t.Context(), here, two); err != nil || string(plain) != "value" {
		t.Errorf("got %q, %v", plain, err)
	}
	if plain, err := c.Decode(t.Context(), codec.Where{Port: "summary", Name: "a"}, two); err == nil {
		t.Errorf("got %q elsewhere", plain)
	}
}

func TestKeysThatAreNone(t *testing.T) {
	t.Parallel()
	good := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for text, says := range map[string]string{
		"":                                    "there is no key",
		"# nothing\n":                         "there is no key",
		"a":                                   "line 1 has 1 words",
		"a b c":                               "line 1 has 3 words",
		"\na " + good[:20]:                    "15 bytes: it must have 16, 24 or 32",
		"a 12345":                             "line 1: the secret of key \"a\" is not base64",
		"a " + good + "\na " + good:           `two keys have the name "a"`,
		strings.Repeat("a", 256) + " " + good: "256 bytes",
	} {
		_, err := aesgcm.Parse(text)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want %q", text, err, says)
		}
		if err != nil && (strings.Contains(err.Error(), good[:20]) || strings.Contains(err.Error(), "12345")) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	c, err := aesgcm.New(aesgcm.Key{ID: "k", Secret: make([]byte, 32)})
	if err != nil {
		f.Fatal(err)
	}
	sound, _ := c.Encode(f.Context(), here, []byte("value"))
	f.Add(sound)
	f.Fuzz(func(t *testing.T, encoded []byte) {
		if plain, err := c.Decode(t.Context(), here, encoded); err == nil && string(plain) != "value" {
			t.Errorf("%q is decoded as %q", encoded, plain)
		}
	})
}

func Example() {
	keys, err := aesgcm.New(
		aesgcm.Key{ID: "2027", Secret: bytes.Repeat([]byte{7}, 32)}, // encodes
		aesgcm.Key{ID: "2026", Secret: bytes.Repeat([]byte{6}, 32)}, // decodes what it has encoded last year
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	config := codec.Config{Codec: keys} // dev.Config.Codec, and what awslambda.Config.Codec returns
	_, err = config.Codec.Decode(nil, here, []byte("\x042025…"))
	fmt.Println(err)
	// Output: aesgcm: it is encoded with the key "2025", which this program does not have: give it that key
}
