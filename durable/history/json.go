package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Events have a form in JSON, for people and for programs elsewhere: the fields by their names in lower camel case, those that are zero left out, kinds by
// their names, payloads as what they are. It is not what is stored.

// MarshalText is the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the name of a kind that this version knows.
func (k *Kind) UnmarshalText(name []byte) error {
	if i := slices.Index(kindNames[:], string(name)); i > 0 {
		*k = Kind(i)
		return nil
	}
	return fmt.Errorf("history: there is no kind of event called %q", name)
}

// blobPayload is a payload that was not read from its blob.
type blobPayload struct {
	Blob string `json:"$blob"`
	Size uint64 `json:"$size"`
}

// MarshalJSON is the value; null when there is none.
func (p Payload) MarshalJSON() ([]byte, error) {
	switch {
	case len(p.Bytes) == 0 && p.Blob != "":
		return json.Marshal(blobPayload{p.Blob, p.Size})
	case len(p.Bytes) == 0:
		return []byte("null"), nil
	case !json.Valid(p.Bytes) || !utf8.Valid(p.Bytes):
		return nil, fmt.Errorf("history: a payload is no JSON: %.40q", p.Bytes)
	}
	return p.Bytes, nil
}

// UnmarshalJSON keeps the value as it is written.
func (p *Payload) UnmarshalJSON(b []byte) error {
	*p = Payload{Bytes: bytes.Clone(b)}
	return nil
}
