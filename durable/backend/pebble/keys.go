package pebble

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// The first byte of every key.
const (
	spaceItem   = 't'
	spaceIndex  = 'i'
	spaceExpiry = 'x'
	spaceQueue  = 'q'
	spaceBlob   = 'b'
)

// appendText appends s such that a shorter string sorts before its extensions whatever follows.
func appendText(b []byte, s string) []byte {
	for {
		i := strings.IndexByte(s, 0)
		if i < 0 {
			return append(append(b, s...), 0x00, 0x01)
		}
		b = append(append(b, s[:i]...), 0x00, 0xff)
		s = s[i+1:]
	}
}

// cutText undoes appendText, and returns what follows.
func cutText(b []byte) (s string, rest []byte, ok bool) {
	var out []byte
	for i := 0; i+1 < len(b); i++ {
		if b[i] != 0 {
			out = append(out, b[i])
			continue
		}
		switch b[i+1] {
		case 0x01:
			return string(out), b[i+2:], true
		case 0xff:
			out = append(out, 0)
			i++
		default:
			return "", nil, false
		}
	}
	return "", nil, false
}

func itemsOf(partition string) []byte {
	return appendText([]byte{spaceItem}, partition)
}

func itemKey(k backend.Key) []byte {
	return append(itemsOf(k.Partition), k.Sort...)
}

func indexOf(partition string) []byte {
	return appendText([]byte{spaceIndex}, partition)
}

func indexKey(e backend.IndexEntry, k backend.Key) []byte {
	b := appendText(indexOf(e.Partition), e.Sort)
	return append(appendText(b, k.Partition), k.Sort...)
}

func expiriesBefore(t time.Time) []byte {
	return binary.BigEndian.AppendUint64([]byte{spaceExpiry}, uint64(t.Unix())^1<<63)
}

func expiryKey(expires time.Time, k backend.Key) []byte {
	return append(appendText(expiriesBefore(expires), k.Partition), k.Sort...)
}

// itemOfExpiry returns the item that an expiry key is about.
func itemOfExpiry(key []byte) (backend.Key, bool) {
	if len(key) < 9 {
		return backend.Key{}, false
	}
	partition, sort, ok := cutText(key[9:])
	return backend.Key{Partition: partition, Sort: string(sort)}, ok
}

func messagesOf(queue byte) []byte { return []byte{spaceQueue, queue} }

func messageKey(queue byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(messagesOf(queue), seq)
}

func blobKey(key string) []byte { return append([]byte{spaceBlob}, key...) }

// after returns the first key that is behind all that begin with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}
