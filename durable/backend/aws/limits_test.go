package aws_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

func wantInvalid(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("%s: got error %v, want one that wraps ErrInvalid", what, err)
	}
}

func TestTableRefusesBeforeItCalls(t *testing.T) {
	t.Parallel()
	table := unreachable(t).Table
	long := func(n int) string { return strings.Repeat("x", n) }
	for what, change := range map[string]func(*backend.Item){
		"a value too large":                func(i *backend.Item) { i.Value = make([]byte, backend.MaxItemValue+1) },
		"no partition key":                 func(i *backend.Item) { i.Partition = "" },
		"a sort key too long":              func(i *backend.Item) { i.Sort = long(backend.MaxSortKey + 1) },
		"a partition key that is no UTF-8": func(i *backend.Item) { i.Partition = "\xff" },
		"a sort key that is no UTF-8":      func(i *backend.Item) { i.Sort = "a\xc3" },
		"an owner that is no UTF-8":        func(i *backend.Item) { i.Owner = "\x80" },
		"an owner too long":                func(i *backend.Item) { i.Owner = long(backend.MaxItemExtras + 1) },
		"an index partition not UTF-8":     func(i *backend.Item) { i.Index.Partition = "\xff" },
		"an index sort key not UTF-8":      func(i *backend.Item) { i.Index.Sort = "\xff" },
		"an index sort key without an end": func(i *backend.Item) { i.Index.Sort = long(backend.MaxSortKey - 1) },
		"an index sort key full of NUL":    func(i *backend.Item) { i.Index.Sort = strings.Repeat("\x00", 512) },
	} {
		item := backend.Item{
			Key: backend.Key{Partition: "p", Sort: "s"}, Index: &backend.IndexEntry{Partition: "i", Sort: "s"},
		}
		change(&item)
		wantInvalid(t, "Put with "+what, table.Put(t.Context(), item, backend.Always()))
	}
	_, err := table.Get(t.Context(), backend.Key{Partition: "p"})
	wantInvalid(t, "Get without a sort key", err)
	wantInvalid(t, "Delete without a sort key", table.Delete(t.Context(), backend.Key{Partition: "p"}))
	_, err = table.Query(t.Context(), "p", "", "", 0)
	wantInvalid(t, "Query with a limit of 0", err)
	_, err = table.Index(t.Context(), "\xff", "", "", 1)
	wantInvalid(t, "Index of a partition that is no UTF-8", err)
	if items, err := table.Query(t.Context(), "p", "b", "a", 1); len(items) != 0 || err != nil {
		t.Errorf("Query of nothing: got %v and error %v", items, err)
	}
}

func TestQueuesRefuseBeforeTheyCall(t *testing.T) {
	t.Parallel()
	hub := unreachable(t)
	for name, queue := range map[string]backend.Queue{"inbox": hub.Inbox, "wake": hub.Wake, "activities": hub.Activities} {
		for what, m := range map[string]backend.Message{
			"a body too large":  {Group: "g", Body: make([]byte, backend.MaxMessageBody+1)},
			"a delay of 901 s":  {Group: "g", Delay: 901 * time.Second},
			"a delay of 900.1s": {Group: "g", Delay: 900*time.Second + 100*time.Millisecond},
			"a negative delay":  {Group: "g", Delay: -1},
			"an id too long":    {Group: "g", ID: strings.Repeat("x", backend.MaxIDLength+1)},
			"an id not ASCII":   {Group: "g", ID: "é"},
			"a group too long":  {Group: strings.Repeat("x", backend.MaxIDLength+1)},
		} {
			errs := queue.Send(t.Context(), []backend.Message{m})
			if len(errs) != 1 {
				t.Errorf("%s, %s: got errors %v, want one", name, what, errs)
				continue
			}
			wantInvalid(t, name+" Send of "+what, errs[0])
		}
		for _, max := range []int{0, backend.MaxBatch + 1} {
			_, err := queue.Receive(t.Context(), max, 0)
			wantInvalid(t, name+" Receive", err)
		}
		for _, d := range []time.Duration{-1, backend.MaxVisibility + 1} {
			wantInvalid(t, name+" Defer", queue.Defer(t.Context(), backend.Delivery{Receipt: "r"}, d))
		}
		if err := queue.Ack(t.Context(), nil); err != nil {
			t.Errorf("%s: Ack of nothing: %v", name, err)
		}
	}
	wantInvalid(t, "inbox Send of a delay", hub.Inbox.Send(t.Context(), []backend.Message{{Group: "g", Delay: time.Second}})[0])
	wantInvalid(t, "inbox Send without a group", hub.Inbox.Send(t.Context(), []backend.Message{{}})[0])
}

func TestBlobsRefuseBeforeTheyCall(t *testing.T) {
	t.Parallel()
	blobs := unreachable(t).Blobs
	for what, key := range map[string]string{
		"no key":                          "",
		"a key too long":                  strings.Repeat("x", backend.MaxBlobKey+1),
		"a key too long after the prefix": strings.Repeat("x", backend.MaxBlobKey),
		"a key that is no UTF-8":          "\xff",
	} {
		wantInvalid(t, "Put with "+what, blobs.Put(t.Context(), key, nil))
		_, err := blobs.Get(t.Context(), key)
		wantInvalid(t, "Get with "+what, err)
		wantInvalid(t, "Delete with "+what, blobs.Delete(t.Context(), key))
	}
}
