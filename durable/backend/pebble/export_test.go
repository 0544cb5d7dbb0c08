package pebble

import "github.com/durable-lambda/durable-lambda/durable/backend"

// What the tests see of the format.
var (
	AppendText    = appendText
	CutText       = cutText
	After         = after
	EncodeItem    = encodeItem
	DecodeItem    = decodeItem
	EncodeMessage = encodeMessage
	DecodeMessage = decodeMessage
	EncodeBlob    = encodeBlob
	DecodeBlob    = decodeBlob
	ExpiryKey     = expiryKey
	ItemOfExpiry  = itemOfExpiry
)

// ReadHub returns what HUB says, as it is written.
func ReadHub(text string) (string, error) {
	h, err := parseHub(text)
	return h.String(), err
}

// IndexKey is the key of an index entry.
func IndexKey(e backend.Indexed) []byte { return indexKey(e.IndexEntry, e.Key) }
