package pebble_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
)

// model is what a folder must hold.
type model struct {
	last     string // operation that led here
	sent     int
	items    map[backend.Key]backend.Item
	blobs    map[string][]byte
	messages map[string]bool // body: sent and not acknowledged; false may come back
}

func newModel() *model {
	return &model{
		last: "nothing", items: map[backend.Key]backend.Item{},
		blobs: map[string][]byte{}, messages: map[string]bool{},
	}
}

func (m *model) clone() *model {
	return &model{m.last, m.sent, maps.Clone(m.items), maps.Clone(m.blobs), maps.Clone(m.messages)}
}

var (
	partitions      = []string{"p", "p\x00", "q"}
	indexPartitions = []string{"i", "i\x00"}
	blobKeys        = []string{"hub/1", "hub/2"}
)

// operation is a call, and what it does to the model.
type operation struct {
	prepare func(t *testing.T, b backend.Backend) // reads what the call needs
	run     func(t *testing.T, b backend.Backend)
	change  func(m *model)
}

// random returns an operation whose result the model knows.
func (m *model) random(r *rand.Rand, size int) operation {
	switch n := r.IntN(10); {
	case n < 4:
		return m.put(randomItem(r, size), r)
	case n == 4:
		key := randomItem(r, 1).Key
		return call(fmt.Sprintf("delete of %q", key), func(ctx context.Context, b backend.Backend) error {
			return b.Table.Delete(ctx, key)
		}, func(m *model) { delete(m.items, key) })
	case n < 7:
		return m.send(1+r.IntN(3), r)
	case n < 8:
		return m.acknowledge()
	case n < 9:
		key, data := blobKeys[r.IntN(len(blobKeys))], randomBytes(r, size)
		return call("put of blob "+key, func(ctx context.Context, b backend.Backend) error {
			return b.Blobs.Put(ctx, key, data)
		}, func(m *model) { m.blobs[key] = data })
	default:
		key := blobKeys[r.IntN(len(blobKeys))]
		return call("delete of blob "+key, func(ctx context.Context, b backend.Backend) error {
			return b.Blobs.Delete(ctx, key)
		}, func(m *model) { delete(m.blobs, key) })
	}
}

func call(name string, f func(ctx context.Context, b backend.Backend) error, change func(m *model)) operation {
	return operation{
		prepare: func(*testing.T, backend.Backend) {},
		run: func(t *testing.T, b backend.Backend) {
			if err := f(t.Context(), b); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		},
		change: func(m *model) { m.last = name; change(m) },
	}
}

func randomItem(r *rand.Rand, size int) backend.Item {
	pick := func(s []string) string { return s[r.IntN(len(s))] }
	item := backend.Item{
		Key:      backend.Key{Partition: pick(partitions), Sort: pick([]string{"a", "a\x00", "b", "c"})},
		Owner:    pick([]string{"me", "you"}),
		Sequence: backend.Sequence{Number: r.Uint64N(4)},
		Value:    randomBytes(r, size),
	}
	if r.IntN(2) == 0 {
		item.Index = &backend.IndexEntry{
			Partition: pick(indexPartitions), Sort: pick([]string{"1", "1\x00", "2"}), Summary: randomBytes(r, 20),
		}
	}
	if r.IntN(3) == 0 {
		item.Expires = time.Unix(1e9+r.Int64N(1e3), 0).UTC()
	}
	return item
}

func randomBytes(r *rand.Rand, size int) []byte {
	b := make([]byte, 0, size+8)
	for len(b) < size {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b[:r.IntN(size)]
}

func (m *model) put(item backend.Item, r *rand.Rand) operation {
	cond := []backend.Condition{
		backend.Always(), backend.Always(), backend.Absent(), backend.Owned("me"),
		backend.OwnedBefore("me", item.Sequence), backend.OwnedAt("me", item.Sequence),
	}[r.IntN(6)]
	var found *backend.Item
	if there, ok := m.items[item.Key]; ok {
		found = &there
	}
	holds := cond.Holds(found)
	name := fmt.Sprintf("put of %q, condition holds: %v", item.Key, holds)
	return call(name, func(ctx context.Context, b backend.Backend) error {
		err := b.Table.Put(ctx, item, cond)
		if failed := (*backend.ConditionError)(nil); errors.As(err, &failed) && !holds {
			return nil
		}
		return err
	}, func(m *model) {
		if holds {
			m.items[item.Key] = item
		}
	})
}

func (m *model) send(n int, r *rand.Rand) operation {
	var messages []backend.Message
	for i := range n {
		messages = append(messages, backend.Message{Group: fmt.Sprint(r.IntN(2)), Body: fmt.Append(nil, m.sent+i)})
	}
	return call(fmt.Sprintf("send of %d messages", n), func(ctx context.Context, b backend.Backend) error {
		return errors.Join(b.Inbox.Send(ctx, messages)...)
	}, func(m *model) {
		m.sent += n
		for _, message := range messages {
			m.messages[string(message.Body)] = true
		}
	})
}

// acknowledge receives and acknowledges some messages.
func (m *model) acknowledge() operation {
	var got []backend.Delivery
	return operation{
		prepare: func(t *testing.T, b backend.Backend) {
			var err error
			if got, err = b.Inbox.Receive(t.Context(), 2, 0); err != nil {
				t.Error(err)
			}
		},
		run: func(t *testing.T, b backend.Backend) {
			if err := b.Inbox.Ack(t.Context(), got); err != nil {
				t.Error(err)
			}
		},
		change: func(m *model) {
			m.last = "ack"
			for _, d := range got {
				m.messages[string(d.Body)] = false
			}
		},
	}
}

// compare says how the folder differs from what it must hold: all of one of the two models.
func compare(t *testing.T, b *pebble.Backend, before, after *model) string {
	ctx := context.WithoutCancel(t.Context())
	items, diff := readItems(t, b.Backend(), ctx)
	blobs := readBlobs(t, b.Backend(), ctx)
	for _, want := range []*model{before, after} {
		d := gocmp.Diff(digestItems(want.items), digestItems(items), cmpopts.EquateEmpty()) +
			gocmp.Diff(digestBlobs(want.blobs), digestBlobs(blobs))
		if d == "" {
			return diff + compareMessages(readMessages(t, b.Backend(), ctx), before, after)
		}
		if want == after {
			diff += d
		}
	}
	return diff
}

// digestItems and digestBlobs make large values cheap to compare.
func digestItems(items map[backend.Key]backend.Item) map[backend.Key]backend.Item {
	digests := map[backend.Key]backend.Item{}
	for key, item := range items {
		hash := sha256.Sum256(item.Value)
		item.Value = hash[:]
		digests[key] = item
	}
	return digests
}

func digestBlobs(blobs map[string][]byte) map[string]string {
	digests := map[string]string{}
	for key, data := range blobs {
		digests[key] = fmt.Sprintf("%d bytes, %x", len(data), sha256.Sum256(data))
	}
	return digests
}

// readItems reads all items, and says how the index differs from what they ask for.
func readItems(t *testing.T, b backend.Backend, ctx context.Context) (map[backend.Key]backend.Item, string) {
	all := map[backend.Key]backend.Item{}
	var want, got []backend.Indexed
	for _, p := range partitions {
		items, err := b.Table.Query(ctx, p, "", "", 100)
		if err != nil {
			t.Error(err)
		}
		for _, item := range items {
			all[item.Key] = item
			if item.Index != nil {
				want = append(want, backend.Indexed{Key: item.Key, IndexEntry: *item.Index})
			}
		}
	}
	for _, p := range indexPartitions {
		listed, err := b.Table.Index(ctx, p, "", "", 100)
		if err != nil {
			t.Error(err)
		}
		got = append(got, listed...)
	}
	slices.SortFunc(want, func(a, b backend.Indexed) int {
		return cmp.Or(
			strings.Compare(a.IndexEntry.Partition, b.IndexEntry.Partition), strings.Compare(a.IndexEntry.Sort, b.IndexEntry.Sort),
			strings.Compare(a.Key.Partition, b.Key.Partition), strings.Compare(a.Key.Sort, b.Key.Sort))
	})
	return all, gocmp.Diff(want, got, cmpopts.EquateEmpty())
}

func readBlobs(t *testing.T, b backend.Backend, ctx context.Context) map[string][]byte {
	blobs := map[string][]byte{}
	for _, key := range blobKeys {
		data, err := b.Blobs.Get(ctx, key)
		if err == nil {
			blobs[key] = data
		} else if !errors.Is(err, backend.ErrNoBlob) {
			t.Error(err)
		}
	}
	return blobs
}

func readMessages(t *testing.T, b backend.Backend, ctx context.Context) []string {
	var bodies []string
	for {
		got, err := b.Inbox.Receive(ctx, backend.MaxBatch, 0)
		if err != nil {
			t.Error(err)
		}
		if len(got) == 0 {
			return bodies
		}
		for _, d := range got {
			bodies = append(bodies, string(d.Body))
		}
		if err := b.Inbox.Ack(ctx, got); err != nil {
			t.Error(err)
		}
	}
}

func compareMessages(got []string, before, after *model) string {
	diff := ""
	for body, open := range before.messages {
		if open && after.messages[body] && !slices.Contains(got, body) {
			diff += "message " + body + " is lost\n"
		}
	}
	for i, body := range got {
		if _, ok := after.messages[body]; !ok || slices.Contains(got[:i], body) {
			diff += "message " + body + " was not sent, or came twice\n"
		}
	}
	return diff
}
