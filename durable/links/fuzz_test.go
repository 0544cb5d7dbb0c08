package links

import (
	"bytes"
	"testing"
	"time"
)

// FuzzTokens reads what anybody may send. Only what was sealed with the key is a link, and it says what it was sealed with.
func FuzzTokens(f *testing.F) {
	key := bytes.Repeat([]byte("k"), minKey)
	ring := Ring{Current: "a", Keys: map[string][]byte{"a": key}}
	whole := claim{key: "a", expires: time.Unix(1767225600, 0), use: "u", event: "Go", instance: "i", incarnation: "1", title: "t", payload: []byte("1")}
	token := whole.seal(key)
	f.Add(token, "")
	f.Add(token[:len(token)-1], "x")
	f.Add("", "Größe")
	f.Fuzz(func(t *testing.T, sent, said string) {
		if c, err := ring.unseal(sent); err == nil && c.seal(key) != sent {
			t.Errorf("%q is a link of %+v, which is sealed as %q", sent, c, c.seal(key))
		}
		c := claim{key: "a", expires: whole.expires, use: said, event: "E" + said, instance: said + said, title: said, payload: []byte(said)}
		if len(c.seal(key)) > maxToken {
			return
		}
		back, err := ring.unseal(c.seal(key))
		if err != nil || back.use != c.use || back.event != c.event || back.instance != c.instance || back.incarnation != "" || back.title != c.title ||
			string(back.payload) != said || !back.expires.Equal(c.expires) {
			t.Errorf("%+v is read as %+v, %v", c, back, err)
		}
	})
}
