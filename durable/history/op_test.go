package history_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/history"
	"pgregory.net/rapid"
)

func TestCompareOps(t *testing.T) {
	t.Parallel()
	ordered := []string{"", "0", "1", "2", "2.0", "2.0.1", "2.0.10", "2.1", "2.10.0", "3", "9", "10", "10.0", "99", "100", "4294967295"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got, want := history.CompareOps(a, b), min(max(i-j, -1), 1); got != want {
				t.Errorf("CompareOps(%q, %q) is %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestCompareOpsOrdersByNumbers(t *testing.T) {
	t.Parallel()
	path := rapid.SliceOfN(rapid.Uint32(), 1, 5)
	rapid.Check(t, func(t *rapid.T) {
		a, b := path.Draw(t, "a"), path.Draw(t, "b")
		if rapid.Bool().Draw(t, "common") {
			b = append(slices.Clone(a[:rapid.IntRange(0, len(a)).Draw(t, "of a")]), b...)
		}
		if got, want := history.CompareOps(join(a), join(b)), slices.Compare(a, b); got != want {
			t.Errorf("CompareOps(%s, %s) is %d, want %d", join(a), join(b), got, want)
		}
	})
}

func join(path []uint32) string {
	var s []string
	for _, n := range path {
		s = append(s, strconv.FormatUint(uint64(n), 10))
	}
	return strings.Join(s, ".")
}
