package links_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/links"
)

func TestWhatCanBeNoLink(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.start("ended", "")
	h.Advance(11 * time.Hour)
	h.start("one", "")
	with, soon := links.With(t.Context(), h.links), h.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		ctx      context.Context
		instance string
		note     string
		expires  time.Time
		err      error
		text     string
	}{
		"no links":    {t.Context(), "one", "", soon, links.ErrNone, "links.With"},
		"too long":    {with, "one", strings.Repeat("x", 2048), soon, durable.ErrInvalid, "at most 2048"},
		"expired":     {with, "one", "", h.Now(), durable.ErrInvalid, "expired already"},
		"ended":       {with, "ended", "", soon, durable.ErrEnded, "ended"},
		"no instance": {with, "two", "", soon, durable.ErrNotFound, "two"},
	} {
		_, err := links.URL(c.ctx, approval, c.instance, answer{Note: c.note}, c.expires)
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.err, c.text)
		}
	}
	if link, err := links.URL(with, other, "one", answer{Note: strings.Repeat("x", 2000)}, soon); err != nil || len(link) > 4<<10 {
		t.Errorf("a long one: %d characters, %v", len(link), err)
	} else {
		h.wants(h.get(link[strings.LastIndexByte(link, '/')+1:]), 200, "Other")
	}
}

func TestRings(t *testing.T) {
	t.Parallel()
	good := bytes.Repeat([]byte("s"), 32)
	for name, c := range map[string]struct {
		ring links.Ring
		text string
	}{
		"empty":           {links.Ring{}, "empty"},
		"a short key":     {links.Ring{Current: "a", Keys: map[string][]byte{"a": good[:31]}}, "at least 32"},
		"an old short":    {links.Ring{Current: "a", Keys: map[string][]byte{"a": good, "b": nil}}, `"b" has 0 bytes`},
		"no current":      {links.Ring{Keys: map[string][]byte{"a": good}}, "not in the ring"},
		"a nameless key":  {links.Ring{Keys: map[string][]byte{"": good}}, "name has 0 bytes"},
		"another current": {links.Ring{Current: "c", Keys: map[string][]byte{"a": good}}, `"c" is not in the ring`},
	} {
		h := newHub(t)
		token := h.start("one", "")
		h.ring = c.ring
		err := c.ring.Check()
		if err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "sss") {
			t.Errorf("%s: %v, want %q", name, err, c.text)
		}
		h.wants(h.post(token), 503, "at the moment")
		if h.client.raised.Load() != 0 {
			t.Errorf("%s: it was raised", name)
		}
		if _, err := links.URL(links.With(t.Context(), h.links), approval, "one", answer{}, h.Now().Add(time.Hour)); err == nil {
			t.Errorf("%s: there is a link", name)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if got := fmt.Sprintf(verb, c.ring); strings.Contains(got, "sss") || strings.Contains(got, "115") || strings.Contains(got, "0x73") {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
}

func FuzzTokens(f *testing.F) {
	f.Add("AQFh")
	f.Fuzz(func(t *testing.T, token string) {
		h := newHub(t)
		h.wants(h.post(token), 404, "There is no such link")
	})
}
