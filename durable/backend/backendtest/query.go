package backendtest

import (
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// ordered are sort keys in the order of their bytes: neither of their lengths, nor of an alphabet.
var ordered = []string{"\x00", "0", "10", "9", "Z", "a", "a\x00", "a\x00b", "aa", "b", "é", "水", "😀"}

func queryTests() []test {
	return []test{
		{"Query returns items in the order of the bytes of Sort", queryOrder},
		{"Query returns items whole", queryWhole},
		{"Query starts with from and ends before to", queryBounds},
		{"Query returns at most limit items, the first ones", queryLimit},
		{"Query sees every Put and Delete that returned before", queryConsistent},
	}
}

func (f *fixture) putOrdered() {
	f.Helper()
	for i := range ordered {
		sort := ordered[(i*5)%len(ordered)]
		f.put(f.plain(sort, sort))
	}
}

func (f *fixture) wantQuery(from, to string, limit int, want ...string) {
	f.Helper()
	items, err := f.Table.Query(f.ctx, f.partition("p"), from, to, limit)
	f.must(err)
	var got []string
	for _, item := range items {
		got = append(got, item.Sort)
	}
	f.same(fmt.Sprintf("Query from %q to %q limit %d", from, to, limit), got, want)
}

func queryOrder(f *fixture) {
	f.putOrdered()
	f.wantQuery("", "", 100, ordered...)
}

func queryWhole(f *fixture) {
	want := []backend.Item{f.full("a"), f.plain("b", "")}
	for _, item := range want {
		f.put(item)
	}
	items, err := f.Table.Query(f.ctx, f.partition("p"), "", "", 10)
	f.must(err)
	f.same("Query", items, want)
}

func queryBounds(f *fixture) {
	f.putOrdered()
	f.wantQuery("9", "aa", 100, "9", "Z", "a", "a\x00", "a\x00b")
	f.wantQuery("8", "aa\x00", 100, "9", "Z", "a", "a\x00", "a\x00b", "aa")
	f.wantQuery("", "0", 100, "\x00")
	f.wantQuery("é", "", 100, "é", "水", "😀")
	f.wantQuery("a", "a", 100)
	f.wantQuery("b", "a", 100)
	f.wantQuery("\U0010FFFF", "", 100)
}

func queryLimit(f *fixture) {
	f.putOrdered()
	f.wantQuery("", "", 1, ordered[0])
	f.wantQuery("9", "aa", 3, "9", "Z", "a")
	f.wantQuery("", "", len(ordered), ordered...)
}

func queryConsistent(f *fixture) {
	for _, sort := range numbered("s%d", 4) {
		f.put(f.plain(sort, "v"))
		f.wantQuery(sort, "", 10, sort)
		f.must(f.Table.Delete(f.ctx, f.plain(sort, "").Key))
		f.wantQuery(sort, "", 10)
	}
}

func indexTests() []test {
	return []test{
		{"Index lists items in the order of the bytes of Sort, then by their keys", indexOrder},
		{"Index returns the item's key and the summary", indexWhole},
		{"Index starts with from, ends before to, and returns at most limit", indexBounds},
		{"Index entries move when Put replaces the item", indexMoves},
		{"Index entries vanish when Put replaces the item by one without", indexVanishes},
		{"Index entries vanish with Delete", indexDelete},
	}
}

func (f *fixture) list(sort, index, indexSort string) {
	f.Helper()
	item := f.plain(sort, "v")
	item.Index = &backend.IndexEntry{Partition: f.partition(index), Sort: indexSort, Summary: []byte("of " + sort)}
	f.put(item)
}

// wantListed compares the sort keys of the items listed.
func (f *fixture) wantListed(index, from, to string, want ...string) {
	f.Helper()
	f.eventually(func() string {
		listed, err := f.Table.Index(f.ctx, f.partition(index), from, to, 100)
		f.must(err)
		var got []string
		for _, e := range listed {
			got = append(got, e.Key.Sort)
		}
		if !slices.Equal(got, want) {
			return fmt.Sprintf("Index from %q to %q (-want +got):\n%s", from, to, cmp.Diff(want, got))
		}
		return ""
	})
}

func indexOrder(f *fixture) {
	f.list("3", "i", "aa")
	f.list("5", "i", "same")
	f.list("1", "i", "b")
	f.list("4", "i", "same")
	f.list("2", "i", "a")
	f.list("6", "i\x00", "a")
	f.list("7", "i", "a\x00b")
	f.wantListed("i", "", "", "2", "7", "3", "1", "4", "5")
	f.wantListed("i\x00", "", "", "6")
}

func indexWhole(f *fixture) {
	item := f.full("a")
	f.put(item)
	want := []backend.Indexed{{Key: item.Key, IndexEntry: *item.Index}}
	f.eventually(func() string {
		got, err := f.Table.Index(f.ctx, item.Index.Partition, "", "", 10)
		f.must(err)
		return cmp.Diff(want, got)
	})
}

func indexBounds(f *fixture) {
	for _, sort := range []string{"d", "b", "a", "c"} {
		f.list("of "+sort, "i", sort)
	}
	f.wantListed("i", "", "", "of a", "of b", "of c", "of d")
	f.wantListed("i", "b", "d", "of b", "of c")
	f.wantListed("i", "b\x00", "", "of c", "of d")
	f.wantListed("i", "d", "b")
	listed, err := f.Table.Index(f.ctx, f.partition("i"), "b", "", 2)
	f.must(err)
	if len(listed) != 2 || listed[0].Key.Sort != "of b" || listed[1].Key.Sort != "of c" {
		f.Errorf("Index with a limit of 2: got %v, want the first two", listed)
	}
}

func indexMoves(f *fixture) {
	f.list("a", "i", "1")
	f.list("b", "i", "2")
	f.wantListed("i", "", "", "a", "b")
	f.list("a", "i", "3")
	f.wantListed("i", "", "", "b", "a")
	f.list("a", "elsewhere", "3")
	f.wantListed("i", "", "", "b")
	f.wantListed("elsewhere", "", "", "a")
}

func indexVanishes(f *fixture) {
	f.list("a", "i", "1")
	f.wantListed("i", "", "", "a")
	f.put(f.plain("a", "v"))
	f.wantListed("i", "", "")
}

func indexDelete(f *fixture) {
	f.list("a", "i", "1")
	f.list("b", "i", "1")
	f.wantListed("i", "", "", "a", "b")
	f.must(f.Table.Delete(f.ctx, f.plain("a", "").Key))
	f.wantListed("i", "", "", "b")
}
