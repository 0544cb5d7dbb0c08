package pebble_test

import (
	"bytes"
	"cmp"
	"errors"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
)

// text draws strings in which the bytes that matter to the encoding are frequent.
func text() *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte{0x00, 0x01, 'a', 'b', 0xfe, 0xff}), 1, 5),
		func(b []byte) string { return string(b) })
}

func indexed() *rapid.Generator[backend.Indexed] {
	return rapid.Custom(func(t *rapid.T) backend.Indexed {
		return backend.Indexed{
			Key:        backend.Key{Partition: text().Draw(t, "partition"), Sort: text().Draw(t, "sort")},
			IndexEntry: backend.IndexEntry{Partition: text().Draw(t, "index partition"), Sort: text().Draw(t, "index sort")},
		}
	})
}

func TestKeysSortAsTheTuplesOfTheirParts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := indexed().Draw(t, "a"), indexed().Draw(t, "b")
		want := cmp.Or(
			strings.Compare(a.IndexEntry.Partition, b.IndexEntry.Partition), strings.Compare(a.IndexEntry.Sort, b.IndexEntry.Sort),
			strings.Compare(a.Key.Partition, b.Key.Partition), strings.Compare(a.Key.Sort, b.Key.Sort))
		if got := bytes.Compare(pebble.IndexKey(a), pebble.IndexKey(b)); got != want {
			t.Errorf("keys compare as %d, want %d", got, want)
		}
	})
}

func TestTextIsCutWhereItEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, rest := text().Draw(t, "text"), text().Draw(t, "rest")
		got, after, ok := pebble.CutText(append(pebble.AppendText(nil, s), rest...))
		if got != s || string(after) != rest || !ok {
			t.Errorf("got %q, %q and %v, want %q and %q", got, after, ok, s, rest)
		}
	})
}

func TestAfterIsBehindEveryExtensionAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prefix, other := text().Draw(t, "prefix"), text().Draw(t, "other")
		end := pebble.After([]byte(prefix))
		got := other >= prefix && (end == nil || other < string(end))
		if want := strings.HasPrefix(other, prefix); got != want {
			t.Errorf("%q is in [%q, %q): %v, want %v", other, prefix, end, got, want)
		}
	})
}

func FuzzDecodeItem(f *testing.F) {
	item := backend.Item{
		Owner: "owner", Sequence: backend.Sequence{Generation: 1, Number: 300}, Value: []byte("value"),
		Expires: time.Unix(-5, 0).UTC(), Index: &backend.IndexEntry{Partition: "p", Sort: "s", Summary: []byte("summary")},
	}
	f.Add(pebble.EncodeItem(item))
	f.Add(pebble.EncodeItem(backend.Item{}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		item, err := pebble.DecodeItem(backend.Key{}, b)
		if err != nil {
			return
		}
		if _, err := pebble.DecodeItem(backend.Key{}, append(bytes.Clone(b), 0)); err == nil {
			t.Error("a byte after the end is read over")
		}
		again, err := pebble.DecodeItem(backend.Key{}, pebble.EncodeItem(*item))
		if diff := gocmp.Diff(item, again, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("error %v (-decoded +decoded again):\n%s", err, diff)
		}
	})
}

func FuzzDecodeMessage(f *testing.F) {
	f.Add(pebble.EncodeMessage(backend.Message{ID: "id", Group: "g", Body: []byte("body")}, time.Unix(0, 12345)))
	f.Add([]byte{1, 0, 0, 0, 0})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, due, err := pebble.DecodeMessage(b)
		if err != nil {
			return
		}
		if _, _, err := pebble.DecodeMessage(append(bytes.Clone(b), 0)); err == nil {
			t.Error("a byte after the end is read over")
		}
		again, dueAgain, err := pebble.DecodeMessage(pebble.EncodeMessage(m, due))
		if diff := gocmp.Diff(m, again, cmpopts.EquateEmpty()); diff != "" || err != nil || !due.Equal(dueAgain) {
			t.Errorf("error %v, due %v and %v (-decoded +decoded again):\n%s", err, due, dueAgain, diff)
		}
	})
}

func FuzzDecodeBlob(f *testing.F) {
	f.Add(pebble.EncodeBlob([]byte("data"), time.UnixMilli(12345)))
	f.Add([]byte{1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		data, modified, err := pebble.DecodeBlob(b)
		if err != nil {
			return
		}
		if _, _, err := pebble.DecodeBlob(append(bytes.Clone(b), 0)); err == nil {
			t.Error("a byte after the end is read over")
		}
		again, when, err := pebble.DecodeBlob(pebble.EncodeBlob(data, modified))
		if err != nil || !bytes.Equal(data, again) || !when.Equal(modified) {
			t.Errorf("%q of %v is read again as %q of %v, %v", data, modified, again, when, err)
		}
	})
}

func FuzzReadHub(f *testing.F) {
	const head = "durable data folder\nformat 1\n"
	for _, seed := range []string{
		"", head, head + "state new\nend\n", head + "state ready\nMANIFEST-000001 17\nend\n",
		head + "state clean\nMANIFEST-000001 17\n000002.log 0\nend\n", head + "state clean\nend\n", head + "state old\nend\n",
		head + "state ready\nMANIFEST-000001 +17\nend\n", head + "state ready\nMANIFEST-000001\nend\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := pebble.ReadHub(text)
		if err == nil && got != text {
			t.Errorf("read %q as %q", text, got)
		}
		if err != nil && !errors.Is(err, pebble.ErrDamaged) && !errors.Is(err, pebble.ErrNewer) {
			t.Errorf("got error %v, want ErrDamaged or ErrNewer", err)
		}
	})
}

// FuzzKeys: a key that holds other keys is what was put together, or it is refused.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("x"))
	f.Add(pebble.ExpiryKey(time.Unix(7, 0), backend.Key{Partition: "a\x00b", Sort: "c"}))
	f.Add(pebble.ExpiryKey(time.Unix(-7, 0), backend.Key{Partition: "", Sort: ""}))
	f.Add([]byte("x12345678\x00\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if text, rest, ok := pebble.CutText(b); ok {
			if again := append(pebble.AppendText(nil, text), rest...); !bytes.Equal(again, b) {
				t.Errorf("%q is cut into %q and %q", b, text, rest)
			}
		}
		key, ok := pebble.ItemOfExpiry(b)
		if !ok {
			return
		}
		if again := pebble.ExpiryKey(time.Unix(0, 0), key); !bytes.Equal(again[9:], b[9:]) {
			t.Errorf("%q is read as the expiry of %q", b, key)
		}
	})
}

// What a newer version wrote is called that, and no damage.
func TestNewerRecordsAreRefusedAsNewer(t *testing.T) {
	t.Parallel()
	item := pebble.EncodeItem(backend.Item{Owner: "o", Value: []byte("v")})
	message := pebble.EncodeMessage(backend.Message{Body: []byte("body")}, time.Unix(1, 0))
	flags := bytes.Clone(item)
	flags[5] = 4 // after the version, the owner, generation and number
	for name, err := range map[string]error{
		"item":    second(pebble.DecodeItem(backend.Key{}, append([]byte{2}, item[1:]...))),
		"flags":   second(pebble.DecodeItem(backend.Key{}, flags)),
		"message": third(pebble.DecodeMessage(append([]byte{2}, message[1:]...))),
		"blob":    third(pebble.DecodeBlob([]byte{2, 0, 0})),
	} {
		if !errors.Is(err, pebble.ErrNewer) || !strings.HasPrefix(err.Error(), "written by a newer version: ") {
			t.Errorf("%s: got error %v, want ErrNewer", name, err)
		}
	}
}

func second[A any](_ A, err error) error { return err }

func third[A, B any](_ A, _ B, err error) error { return err }

func TestDecodersRefuseWhatIsCutOff(t *testing.T) {
	t.Parallel()
	item := pebble.EncodeItem(backend.Item{Owner: "owner", Value: []byte("value"), Expires: time.Unix(1, 0)})
	for n := range item {
		if _, err := pebble.DecodeItem(backend.Key{}, item[:n]); err == nil {
			t.Errorf("an item cut off at %d of %d bytes was decoded", n, len(item))
		}
	}
	message := pebble.EncodeMessage(backend.Message{Body: []byte("body")}, time.Unix(1, 0))
	for n := range message {
		if _, _, err := pebble.DecodeMessage(message[:n]); err == nil {
			t.Errorf("a message cut off at %d of %d bytes was decoded", n, len(message))
		}
	}
}
