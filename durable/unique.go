package durable

import (
	"crypto/sha1" // which version 5 of UUIDs is made of
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
)

// idSpace is the name space of the ids that orchestrations make: part of what they are, and never changed.
const idSpace = "\x5b\x0e\x11\x9c\x6f\x0a\x4d\x1d\x9a\x0c\x2e\x7b\x0d\x3f\x41\x88"

// NewID makes up an id: a UUID of version 5 (RFC 9562, section 5.5), the same in every replay, and another at each call, in each
// instance and each generation. A later build may ask for more of them at the end of what a coroutine does; elsewhere the ids
// of the calls after it change.
func (c Context) NewID() string {
	b := sha1.Sum([]byte(idSpace + c.run.Unique()))
	b[6] = b[6]&0x0f | 5<<4
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// Rand returns a source of random numbers that gives the same ones in every replay, and others at each call of Rand. It is not
// for secrets. Like a Context it belongs to the orchestration that asked.
func (c Context) Rand() *rand.Rand {
	return rand.New(rand.NewChaCha8(sha256.Sum256([]byte("rand " + c.run.Unique()))))
}
