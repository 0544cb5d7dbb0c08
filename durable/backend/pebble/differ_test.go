package pebble_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/backend/pebble"
)

// TestTableDoesWhatTheSpecificationDoes runs random calls, with keys of any bytes, on this adapter and on package memory.
func TestTableDoesWhatTheSpecificationDoes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		opened, err := pebble.Open("data", pebble.Options{FS: vfs.NewMem()})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		got, want := opened.Backend().Table, memory.New(memory.Options{}).Backend().Table
		same := func(what string, got, want any) {
			if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s (-memory +pebble):\n%s", what, diff)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				item, cond := drawItem(t), drawCondition(t)
				same("Put", outcome(got.Put(ctx, item, cond)), outcome(want.Put(ctx, item, cond)))
			},
			"delete": func(t *rapid.T) {
				key := drawKey(t)
				same("Delete", outcome(got.Delete(ctx, key)), outcome(want.Delete(ctx, key)))
			},
			"read": func(t *rapid.T) {
				for _, table := range []string{"Get", "Query", "Index"} {
					read := drawRead(ctx, t, table)
					same(table, read(got), read(want))
				}
			},
		})
	})
}

// few draws short keys, so that calls meet.
func few() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"\x00", "a", "a\x00", "a\x00\x01", "a\xff", "b", "\xff\xff"})
}

func drawKey(t *rapid.T) backend.Key {
	return backend.Key{Partition: few().Draw(t, "partition"), Sort: few().Draw(t, "sort")}
}

func drawItem(t *rapid.T) backend.Item {
	item := backend.Item{
		Key: drawKey(t), Owner: few().Draw(t, "owner"), Sequence: drawSequence(t),
		Value: rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "value"),
	}
	if rapid.Bool().Draw(t, "indexed") {
		item.Index = &backend.IndexEntry{
			Partition: few().Draw(t, "index partition"),
			Sort:      few().Draw(t, "index sort"),
			Summary:   []byte(few().Draw(t, "summary")),
		}
	}
	if rapid.Bool().Draw(t, "expires") {
		item.Expires = time.Unix(rapid.Int64Range(-10, 1e10).Draw(t, "seconds"), rapid.Int64Range(0, 999).Draw(t, "nanoseconds"))
	}
	return item
}

func drawSequence(t *rapid.T) backend.Sequence {
	return backend.Sequence{
		Generation: rapid.Uint64Range(0, 1).Draw(t, "generation"),
		Number:     rapid.Uint64Range(0, 2).Draw(t, "number"),
	}
}

func drawCondition(t *rapid.T) backend.Condition {
	owner := few().Draw(t, "owner wanted")
	seq := drawSequence(t)
	return rapid.SampledFrom([]backend.Condition{
		backend.Always(), backend.Absent(), backend.Owned(owner), backend.OwnedBefore(owner, seq), backend.OwnedAt(owner, seq),
	}).Draw(t, "condition")
}

func drawRead(ctx context.Context, t *rapid.T, what string) func(backend.Table) any {
	key := drawKey(t)
	from, to := rapid.OneOf(few(), rapid.Just("")).Draw(t, "from"), rapid.OneOf(few(), rapid.Just("")).Draw(t, "to")
	limit := rapid.IntRange(1, 8).Draw(t, "limit")
	return func(table backend.Table) any {
		var got any
		var err error
		switch what {
		case "Get":
			got, err = table.Get(ctx, key)
		case "Query":
			got, err = table.Query(ctx, key.Partition, from, to, limit)
		case "Index":
			got, err = table.Index(ctx, key.Partition, from, to, limit)
		}
		return []any{got, outcome(err)}
	}
}

// outcome is what a caller can tell of an error.
func outcome(err error) any {
	var failed *backend.ConditionError
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &failed):
		return failed.Found
	default:
		return err.Error()
	}
}
