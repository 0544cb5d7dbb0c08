package links

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// claim is what a link says.
type claim struct {
	key         string // that signs it
	expires     time.Time
	use         string // links that have it in common are used once
	event       string
	instance    string
	incarnation string
	title       string
	payload     []byte // JSON
}

const (
	version = 1
	// domain keeps what is signed here apart from whatever else is signed with such a key.
	domain = "durable link\x00"
	// maxToken is more than what URL makes.
	maxToken = 6 << 10
)

var (
	encoding = base64.RawURLEncoding.Strict()
	errToken = errors.New("no link of ours")
)

// seal writes a claim, and signs it with its key.
func (c claim) seal(key []byte) string {
	b := append([]byte{version}, binary.BigEndian.AppendUint64(nil, uint64(c.expires.Unix()))...)
	for _, part := range c.parts() {
		b = binary.AppendUvarint(b, uint64(len(*part)))
		b = append(b, *part...)
	}
	b = append(b, c.payload...)
	return encoding.EncodeToString(append(b, sign(key, b)...))
}

// parts are the texts of a claim, in the order in which they are written, each after its length.
func (c *claim) parts() []*string {
	return []*string{&c.key, &c.use, &c.event, &c.instance, &c.incarnation, &c.title}
}

func sign(key, b []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(domain))
	mac.Write(b)
	return mac.Sum(nil)
}

// unseal reads a token. Whatever is wrong with it, the error is the same.
func (r Ring) unseal(token string) (claim, error) {
	if len(token) > maxToken {
		return claim{}, errToken
	}
	b, err := encoding.DecodeString(token)
	if err != nil || len(b) < 1+8+sha256.Size || b[0] != version {
		return claim{}, errToken
	}
	said, mac := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	c := claim{expires: time.Unix(int64(binary.BigEndian.Uint64(said[1:])), 0)}
	rest := said[1+8:]
	for _, part := range c.parts() {
		n, read := binary.Uvarint(rest)
		if read <= 0 || n > uint64(len(rest)-read) {
			return claim{}, errToken
		}
		*part, rest = string(rest[read:read+int(n)]), rest[read+int(n):]
	}
	c.payload = rest
	key, known := r.Keys[c.key]
	if !known || !hmac.Equal(mac, sign(key, said)) {
		return claim{}, errToken
	}
	return c, nil
}
