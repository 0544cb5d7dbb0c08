package links

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"
)

const (
	tokenVersion = 1
	// domain keeps signatures of links apart from whatever else the same key may sign.
	domain = "durable/links/1\x00"
	// maxToken is more than the longest link has: fields at their limits, four bytes for three.
	maxToken  = 6 << 10
	nonceSize = 16
)

// errToken is all that is said of a token that is not right.
var errToken = errors.New("links: no such link")

// encoding refuses bits that mean nothing: a link has one spelling.
var encoding = base64.RawURLEncoding.Strict()

// claim is what a link says.
type claim struct {
	key, event, instance, incarnation string
	payload                           []byte
	expires                           time.Time
	nonce                             [nonceSize]byte
}

// eventID is the identity of the event that the link raises.
func (c *claim) eventID() string { return "link-" + hex.EncodeToString(c.nonce[:]) }

// encode signs the claim.
func (c *claim) encode(secret []byte) string {
	b := []byte{tokenVersion}
	for _, field := range []string{c.key, c.event, c.instance, c.incarnation, string(c.payload)} {
		b = binary.AppendUvarint(b, uint64(len(field)))
		b = append(b, field...)
	}
	b = binary.AppendUvarint(b, uint64(c.expires.Unix()))
	b = append(b, c.nonce[:]...)
	return encoding.EncodeToString(append(b, sign(secret, b)...))
}

func sign(secret, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(domain))
	mac.Write(body)
	return mac.Sum(nil)
}

// open returns what a token says if a key of the ring has signed it. Nothing of it is believed before, but the name of the key.
func (r Ring) open(token string) (*claim, error) {
	if len(token) > maxToken {
		return nil, errToken
	}
	raw, err := encoding.DecodeString(token)
	if err != nil || len(raw) < 1+sha256.Size || raw[0] != tokenVersion {
		return nil, errToken
	}
	body, signature := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	name, _, ok := field(body[1:])
	if !ok {
		return nil, errToken
	}
	secret, known := r.Keys[name]
	if !known {
		secret = make([]byte, MinKey) // as much work as for a key that is known
	}
	if !hmac.Equal(signature, sign(secret, body)) || !known {
		return nil, errToken
	}
	return decode(body[1:])
}

// decode reads what encode has written after the version.
func decode(b []byte) (*claim, error) {
	var c claim
	var payload string
	for _, to := range []*string{&c.key, &c.event, &c.instance, &c.incarnation, &payload} {
		var ok bool
		if *to, b, ok = field(b); !ok {
			return nil, errToken
		}
	}
	seconds, n := binary.Uvarint(b)
	if n <= 0 || seconds > 1<<40 || len(b[n:]) != nonceSize {
		return nil, errToken
	}
	c.payload, c.expires = []byte(payload), time.Unix(int64(seconds), 0)
	copy(c.nonce[:], b[n:])
	return &c, nil
}

// field takes a text with its length before it off b.
func field(b []byte) (text string, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return "", nil, false
	}
	b = b[n:]
	return string(b[:size]), b[size:], true
}
