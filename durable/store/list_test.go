package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/durable-lambda/durable-lambda/durable/store"
)

// begin makes an instance that was created at a time, and returns its row.
func begin(t *testing.T, h *hub, id, name string, created time.Time) *history.Row {
	t.Helper()
	incarnation, err := h.NewIncarnation("")
	if err != nil {
		t.Fatal(err)
	}
	m := start(id, incarnation, nil)
	m.Event.Name, m.Event.At = name, created
	return h.create(t, m)
}

func list(t *testing.T, h *hub, sel store.Selection) ([]string, string) {
	t.Helper()
	if sel.Limit == 0 {
		sel.Limit = 100
	}
	rows, next, err := h.List(t.Context(), sel)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.Instance)
	}
	return ids, next
}

func TestListNewestFirst(t *testing.T) {
	t.Parallel()
	h := newHub()
	var want []string
	for n := range 20 {
		id := fmt.Sprint("i", n)
		row := begin(t, h, id, "Hello", epoch.Add(time.Duration(n)*time.Second))
		if n%3 == 0 {
			h.end(t, row, 1)
		}
		want = append(want, id)
	}
	slices.Reverse(want)
	got, next := list(t, h, store.Selection{})
	if diff := cmp.Diff(want, got); diff != "" || next != "" {
		t.Errorf("next %q; -want +got:\n%s", next, diff)
	}
}

func TestListPagesThroughEqualTimes(t *testing.T) {
	t.Parallel()
	h := newHub()
	const all = 450
	open := 0
	for n := range all {
		row := begin(t, h, fmt.Sprint("i", n), "Hello", epoch)
		if n%2 == 0 {
			h.end(t, row, 1)
		} else {
			open++
		}
	}
	for _, c := range []struct {
		name  string
		sel   store.Selection
		limit int
		want  int
	}{
		{"all by 7", store.Selection{}, 7, all},
		{"all by 100", store.Selection{}, 100, all},
		{"all at once", store.Selection{}, all, all},
		{"all and more", store.Selection{}, all + 1, all},
		{"open", store.Selection{OpenOnly: true}, 60, open},
		{"closed", store.Selection{ClosedOnly: true}, 60, all - open},
	} {
		seen := map[string]bool{}
		sel := c.sel
		sel.Limit = c.limit
		for page := 0; page == 0 || sel.After != ""; page++ {
			if page > all {
				t.Fatalf("%s: the pages do not end", c.name)
			}
			var ids []string
			ids, sel.After = list(t, h, sel)
			if len(ids) > c.limit {
				t.Errorf("%s: a page has %d", c.name, len(ids))
			}
			for _, id := range ids {
				if seen[id] {
					t.Errorf("%s: %s is listed twice", c.name, id)
				}
				seen[id] = true
			}
		}
		if len(seen) != c.want {
			t.Errorf("%s: listed %d, want %d", c.name, len(seen), c.want)
		}
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	h := newHub()
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	begin(t, h, "a1", "Hello", at(1))
	h.end(t, begin(t, h, "a2", "Bye", at(2)), 1)
	begin(t, h, "b3", "Hello", at(3))
	h.end(t, begin(t, h, "b4", "Bye", at(4)), 1)
	for _, c := range []struct {
		name string
		sel  store.Selection
		want string
	}{
		{"open", store.Selection{OpenOnly: true}, "b3 a1"},
		{"closed", store.Selection{ClosedOnly: true}, "b4 a2"},
		{"from, inclusive", store.Selection{From: at(3)}, "b4 b3"},
		{"to, inclusive", store.Selection{To: at(2)}, "a2 a1"},
		{"from and to", store.Selection{From: at(2), To: at(3)}, "b3 a2"},
		{"an instant", store.Selection{From: at(2), To: at(2)}, "a2"},
		{"between two", store.Selection{From: at(2).Add(time.Millisecond), To: at(3).Add(-time.Millisecond)}, ""},
		{"from after to", store.Selection{From: at(3), To: at(2)}, ""},
		{"from long ago", store.Selection{From: time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)}, "b4 b3 a2 a1"},
		{"to long ago", store.Selection{To: time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)}, ""},
		{"from the far future", store.Selection{From: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, ""},
		{"to the far future", store.Selection{To: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}, "b4 b3 a2 a1"},
		{"name", store.Selection{Name: func(o, _ string) bool { return o == "Bye" }}, "b4 a2"},
		{"id", store.Selection{Name: func(_, id string) bool { return strings.HasPrefix(id, "a") }}, "a2 a1"},
		{"row", store.Selection{Row: func(r *history.Row) bool { return r.End == nil }}, "b3 a1"},
	} {
		if got, _ := list(t, h, c.sel); strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
	}
}

func TestListGoesOnOnlyFromItsOwnPlaces(t *testing.T) {
	t.Parallel()
	h := newHub()
	for n := range 2 {
		begin(t, h, fmt.Sprint("i", n), "Hello", epoch.Add(time.Duration(n)*time.Second))
	}
	_, next := list(t, h, store.Selection{Limit: 1})
	if got, _ := list(t, h, store.Selection{After: next}); len(got) != 1 || got[0] != "i0" {
		t.Errorf("after %s there is %v, want i0", next, got)
	}
	for _, after := range []string{"zzz", "#", next[1:], next + "0", "x" + next[1:], next[:14] + strings.ToLower(next[14:]),
		strings.Replace(next, "#", "~", 1), next[:39] + "U", next + "\n"} {
		rows, again, err := h.List(t.Context(), store.Selection{Limit: 1, After: after})
		if !errors.Is(err, store.ErrPlace) || rows != nil || again != "" {
			t.Errorf("after %q there are %d rows, then %q, %v; want ErrPlace", after, len(rows), again, err)
		}
	}
}

// What ends while somebody pages moves from the open to the closed index, and is listed once all the same.
func TestListWhileInstancesEnd(t *testing.T) {
	t.Parallel()
	h := newHub()
	var rows []*history.Row
	for n := range 40 {
		rows = append(rows, begin(t, h, fmt.Sprint("i", n), "Hello", epoch.Add(time.Duration(n/4)*time.Second)))
	}
	seen := map[string]int{}
	sel := store.Selection{Limit: 6}
	for page := 0; page == 0 || sel.After != ""; page++ {
		var ids []string
		ids, sel.After = list(t, h, sel)
		for _, id := range ids {
			seen[id]++
		}
		for n := range 5 {
			if k := 39 - page*5 - n; k >= 0 {
				h.end(t, rows[k], 1)
			}
		}
	}
	for _, row := range rows {
		if n := seen[row.Instance]; n != 1 {
			t.Errorf("%s is listed %d times", row.Instance, n)
		}
	}
}

// One call reads several pages of the index, and instances end between them.
func TestListWhileInstancesEndWithinAPage(t *testing.T) {
	t.Parallel()
	h := newHub()
	const all = 1000
	for n := range all {
		begin(t, h, fmt.Sprint("i", n), "Hello", epoch.Add(time.Duration(n)*time.Second))
	}
	asked := 0
	sel := store.Selection{Limit: all, Row: func(*history.Row) bool {
		if asked++; asked == all/2 { // the oldest have not been read yet
			for n := range 50 {
				row, err := h.Row(t.Context(), fmt.Sprint("i", n))
				if err != nil {
					t.Fatal(err)
				}
				h.end(t, row, 1)
			}
		}
		return true
	}}
	if ids, _ := list(t, h, sel); len(ids) != all {
		t.Errorf("%d are listed, want %d", len(ids), all)
	}
}

func TestListShowsANewLifeInItsPlace(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.end(t, begin(t, h, "i", "Hello", epoch), 0)
	first := h.row(t, "i")
	first.Number, first.Status = 1, history.StatusCompleted
	if err := h.Project(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	begin(t, h, "between", "Hello", epoch.Add(time.Second))
	m := start("i", lifeB, h.row(t, "i").Version())
	m.Event.At = epoch.Add(2 * time.Second)
	h.create(t, m)
	got, _ := list(t, h, store.Selection{})
	if diff := cmp.Diff([]string{"i", "between"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The index of a real table is behind: an entry may name what has moved, gone, or been replaced, in any place.
func TestListOverAStaleIndex(t *testing.T) {
	t.Parallel()
	table := &hooked{}
	h := newHooked(table)
	h.end(t, begin(t, h, "moved", "Hello", epoch), 1)
	row := begin(t, h, "replaced", "Hello", epoch)
	entries := h.memory.Items()
	var stale []backend.Indexed
	for _, item := range entries {
		if item.Index == nil {
			continue
		}
		e := backend.Indexed{Key: item.Key, IndexEntry: *item.Index}
		e.IndexEntry.Partition = strings.Replace(e.IndexEntry.Partition, "closed", "open", 1)
		if strings.HasSuffix(item.Partition, "replaced") {
			// The old life claims to be newer: the clocks of those who started them differ.
			ms := time.Hour.Milliseconds()
			e.IndexEntry.Sort = fmt.Sprintf("%013d#%s", 9_999_999_999_999-row.Start.At.UnixMilli()-ms, life)
		}
		stale = append(stale, e)
	}
	gone := stale[0]
	gone.Key.Partition = "i#gone"
	stale = append(stale, gone)
	given := false
	table.index = func(entries []backend.Indexed) []backend.Indexed {
		if !given {
			given = true
			entries = append(slices.Clone(stale), entries...)
			slices.SortFunc(entries, func(a, b backend.Indexed) int { return strings.Compare(a.IndexEntry.Sort, b.IndexEntry.Sort) })
		}
		return entries
	}
	got, _ := list(t, h, store.Selection{})
	slices.Sort(got)
	if diff := cmp.Diff([]string{"moved", "replaced"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestListGivesUpAfterAWhileAndSaysWhereToGoOn(t *testing.T) {
	t.Parallel()
	h := newHub()
	for n := range 2100 {
		begin(t, h, fmt.Sprint("i", n), "Hello", epoch.Add(time.Duration(n)*time.Second))
	}
	sel := store.Selection{Limit: 10, Name: func(_, id string) bool { return id == "i3" }}
	ids, next := list(t, h, sel)
	if len(ids) != 0 || next == "" {
		t.Errorf("the first page is %v, then %q", ids, next)
	}
	sel.After = next
	if ids, next = list(t, h, sel); len(ids) != 1 || next != "" {
		t.Errorf("the second page is %v, then %q", ids, next)
	}
}

func TestListReportsErrors(t *testing.T) {
	t.Parallel()
	h := newHub()
	begin(t, h, "i", "Hello", epoch)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := h.List(ctx, store.Selection{Limit: 1}); err == nil {
		t.Error("no error after the context has ended")
	}
}
