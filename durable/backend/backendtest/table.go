package backendtest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

func tableTests() []test {
	tests := []test{
		{"Get returns nil when there is no item", getNothing},
		{"Get returns the item whole", getWhole},
		{"Get returns an empty value as empty", getEmptyValue},
		{"Put replaces the item whole", putReplaces},
		{"Put with a condition that does not hold changes nothing", putRefusedChangesNothing},
		{"Expires comes back to the second", expiryRoundTrip},
		{"Values passed in and handed out are copies", tableCopies},
		{"Delete removes the item", deleteRemoves},
		{"Delete of what is not there is no error", deleteNothing},
		{"Items of one partition are no other's", partitionsApart},
		{"Put accepts what is as large as the limits and refuses more", tableLimits},
		{"Calls with a limit that is not positive are refused", limitPositive},
		{"Calls fail when their context has ended", tableContext},
	}
	tests = append(tests, conditionTests()...)
	tests = append(tests, raceTests()...)
	tests = append(tests, queryTests()...)
	return append(tests, indexTests()...)
}

// full is an item with every field set and a value that is no text.
func (f *fixture) full(sort string) backend.Item {
	return backend.Item{
		Key:      backend.Key{Partition: f.partition("p"), Sort: sort},
		Owner:    "owner-é",
		Sequence: backend.Sequence{Generation: 3, Number: 1<<63 + 7},
		Value:    []byte("\x00\xff\xfe binary \n"),
		Expires:  time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC),
		Index:    &backend.IndexEntry{Partition: f.partition("i"), Sort: "listed", Summary: []byte("\x00\xffsummary")},
	}
}

func (f *fixture) plain(sort, value string) backend.Item {
	return backend.Item{Key: backend.Key{Partition: f.partition("p"), Sort: sort}, Value: []byte(value)}
}

func (f *fixture) put(item backend.Item) {
	f.Helper()
	f.must(f.Table.Put(f.ctx, item, backend.Always()))
}

func (f *fixture) get(key backend.Key) *backend.Item {
	f.Helper()
	item, err := f.Table.Get(f.ctx, key)
	f.must(err)
	return item
}

func (f *fixture) wantItem(key backend.Key, want *backend.Item) {
	f.Helper()
	f.same("Get", f.get(key), want)
}

func (f *fixture) same(what string, got, want any) {
	f.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		f.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// refused returns the item that a refused Put found.
func (f *fixture) refused(err error) *backend.Item {
	f.Helper()
	var failed *backend.ConditionError
	if !errors.As(err, &failed) {
		f.Fatalf("got error %v, want a *backend.ConditionError", err)
	}
	return failed.Found
}

func getNothing(f *fixture) {
	f.wantItem(f.full("a").Key, nil)
}

func getWhole(f *fixture) {
	item := f.full("a")
	f.put(item)
	f.wantItem(item.Key, &item)
	bare := f.plain("b", "")
	bare.Value = nil
	f.put(bare)
	f.wantItem(bare.Key, &bare)
}

func getEmptyValue(f *fixture) {
	item := f.plain("a", "")
	item.Index = &backend.IndexEntry{Partition: f.partition("i"), Sort: "s", Summary: []byte{}}
	f.put(item)
	f.wantItem(item.Key, &item)
}

func putReplaces(f *fixture) {
	f.put(f.full("a"))
	item := f.plain("a", "new")
	f.put(item)
	f.wantItem(item.Key, &item)
}

func putRefusedChangesNothing(f *fixture) {
	item := f.full("a")
	f.put(item)
	other := f.plain("a", "other")
	other.Index = &backend.IndexEntry{Partition: f.partition("i2"), Sort: "s"}
	f.refused(f.Table.Put(f.ctx, other, backend.Owned("nobody")))
	f.wantItem(item.Key, &item)
	f.wantListed("i", "", "", "a")
	f.wantListed("i2", "", "")

	missing := f.plain("b", "other")
	f.refused(f.Table.Put(f.ctx, missing, backend.Owned("nobody")))
	f.wantItem(missing.Key, nil)
}

func expiryRoundTrip(f *fixture) {
	for sort, expires := range map[string]time.Time{
		"never":     {},
		"soon":      time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
		"elsewhere": time.Date(2040, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3*3600)),
		"fraction":  time.Date(2040, 1, 1, 0, 0, 0, 999_999_999, time.UTC),
	} {
		item := f.plain(sort, "v")
		item.Expires = expires
		f.put(item)
		got := f.get(item.Key).Expires
		if got.IsZero() != expires.IsZero() || got.Unix() != expires.Unix() {
			f.Errorf("Expires %v came back as %v", expires, got)
		}
	}
}

func tableCopies(f *fixture) {
	want := f.full("a")
	item := f.full("a")
	f.put(item)
	scribble(&item)
	f.wantItem(want.Key, &want)

	scribble(f.get(want.Key))
	items, err := f.Table.Query(f.ctx, want.Partition, "", "", 9)
	f.must(err)
	scribble(&items[0])
	scribble(f.refused(f.Table.Put(f.ctx, item, backend.Absent())))
	f.eventually(func() string {
		listed, err := f.Table.Index(f.ctx, want.Index.Partition, "", "", 9)
		f.must(err)
		if len(listed) != 1 {
			return "the index does not list the item"
		}
		listed[0].Summary[0]++
		return ""
	})
	f.wantItem(want.Key, &want)
}

func scribble(item *backend.Item) {
	item.Value[0]++
	item.Index.Summary[0]++
	item.Index.Sort = "scribbled"
}

func deleteRemoves(f *fixture) {
	item, other := f.full("a"), f.plain("b", "stays")
	f.put(item)
	f.put(other)
	f.must(f.Table.Delete(f.ctx, item.Key))
	f.wantItem(item.Key, nil)
	f.wantItem(other.Key, &other)
	f.must(f.Table.Put(f.ctx, item, backend.Absent()))
}

func deleteNothing(f *fixture) {
	f.must(f.Table.Delete(f.ctx, f.full("a").Key))
}

func partitionsApart(f *fixture) {
	for _, name := range []string{"p", "p\x00", "p\x00a", "pa"} {
		item := f.plain("s", name)
		item.Partition = f.partition(name)
		f.put(item)
	}
	for _, name := range []string{"p", "p\x00", "p\x00a", "pa"} {
		items, err := f.Table.Query(f.ctx, f.partition(name), "", "", 9)
		f.must(err)
		if len(items) != 1 || string(items[0].Value) != name {
			f.Errorf("partition %q: got %v, want its one item", name, items)
		}
	}
}

func tableLimits(f *fixture) {
	long := func(n int) string { return strings.Repeat("x", n) }
	largest := f.plain(long(backend.MaxSortKey), long(backend.MaxItemValue-f.Overhead))
	f.put(largest)
	if got := f.get(largest.Key); got == nil || len(got.Value) != len(largest.Value) {
		f.Error("the largest item did not come back")
	}
	for what, change := range map[string]func(*backend.Item){
		"value too large":         func(i *backend.Item) { i.Value = make([]byte, backend.MaxItemValue+1) },
		"no partition key":        func(i *backend.Item) { i.Partition = "" },
		"no sort key":             func(i *backend.Item) { i.Sort = "" },
		"partition key too long":  func(i *backend.Item) { i.Partition = long(backend.MaxPartitionKey + 1) },
		"sort key too long":       func(i *backend.Item) { i.Sort = long(backend.MaxSortKey + 1) },
		"no index partition":      func(i *backend.Item) { i.Index = &backend.IndexEntry{Sort: "s"} },
		"no index sort key":       func(i *backend.Item) { i.Index = &backend.IndexEntry{Partition: "p"} },
		"index sort key too long": func(i *backend.Item) { i.Index.Sort = long(backend.MaxIndexSort + 1) },
		"index sort key of NUL":   func(i *backend.Item) { i.Index.Sort = strings.Repeat("\x00", backend.MaxIndexSort/2+1) },
		"a key that is no UTF-8":  func(i *backend.Item) { i.Partition = "\xff" },
		"an owner no UTF-8":       func(i *backend.Item) { i.Owner = "\x80" },
		"an index no UTF-8":       func(i *backend.Item) { i.Index.Sort = "\xff" },
		"index summary too large": func(i *backend.Item) { i.Index.Summary = make([]byte, backend.MaxItemExtras+1) },
	} {
		item := f.full("b")
		change(&item)
		f.wantInvalid("Put with "+what, f.Table.Put(f.ctx, item, backend.Always()))
	}
	f.wantItem(f.full("b").Key, nil)
	_, err := f.Table.Get(f.ctx, backend.Key{Partition: "p"})
	f.wantInvalid("Get without a sort key", err)
	f.wantInvalid("Delete without a partition key", f.Table.Delete(f.ctx, backend.Key{Sort: "s"}))
}

func limitPositive(f *fixture) {
	for _, limit := range []int{0, -1} {
		_, err := f.Table.Query(f.ctx, "p", "", "", limit)
		f.wantInvalid("Query", err)
		_, err = f.Table.Index(f.ctx, "p", "", "", limit)
		f.wantInvalid("Index", err)
	}
}

func tableContext(f *fixture) {
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	item := f.full("a")
	_, getErr := f.Table.Get(ctx, item.Key)
	_, queryErr := f.Table.Query(ctx, "p", "", "", 1)
	_, indexErr := f.Table.Index(ctx, "p", "", "", 1)
	for what, err := range map[string]error{
		"Get": getErr, "Query": queryErr, "Index": indexErr,
		"Put": f.Table.Put(ctx, item, backend.Always()), "Delete": f.Table.Delete(ctx, item.Key),
	} {
		if !errors.Is(err, context.Canceled) {
			f.Errorf("%s: got error %v, want context.Canceled", what, err)
		}
	}
}
