package history

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// maxToken is longer than any token: it keeps a caller from having much decoded.
const maxToken = 4 << 10

// Token names the attempt that an activity's message asks for, so that somebody else can report its outcome: text that fits
// into a path of a URL. It is a name, and no secret.
func (m *Message) Token() string {
	named := Message{Instance: m.Instance, Incarnation: m.Incarnation, Generation: m.Generation, Attempt: m.Attempt,
		Event: Event{Kind: TaskScheduled, Op: m.Event.Op, Epoch: m.Event.Epoch, Name: m.Event.Name}}
	return base64.RawURLEncoding.EncodeToString(named.Encode())
}

// ParseToken reads what Token made: a message with nothing in it but names.
func ParseToken(token string) (*Message, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("%w token: it has %d characters", ErrFormat, len(token))
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, fmt.Errorf("%w token: it is no base64: was it cut, or encoded once more?", ErrFormat)
	}
	m, err := DecodeMessage(b)
	if err == nil && (m.Event.Kind != TaskScheduled || m.Event.Op == "" || m.Event.Name == "" || m.Attempt == 0 || m.Token() != token) {
		err = errors.New("it names no attempt of an activity")
	}
	if err != nil {
		return nil, formatError("token", err)
	}
	return m, nil
}
