package aws_test

import (
	"cmp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
)

func TestIndexSortOrdersAsItsParts(t *testing.T) {
	t.Parallel()
	part := rapid.StringOfN(rapid.RuneFrom([]rune{0, 1, 2, 'a', 'é', '😀'}), 1, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		var sorts [2]string
		var keys [2]backend.Key
		var encoded [2]string
		for i := range encoded {
			sorts[i] = part.Draw(t, "sort")
			keys[i] = backend.Key{Partition: part.Draw(t, "partition"), Sort: part.Draw(t, "item's sort")}
			encoded[i] = aws.IndexSort(sorts[i], keys[i])
			if back, ok := aws.SortOf(encoded[i]); !ok || back != sorts[i] {
				t.Fatalf("%q came back as %q, %v", sorts[i], back, ok)
			}
		}
		want := cmp.Or(strings.Compare(sorts[0], sorts[1]),
			strings.Compare(keys[0].Partition, keys[1].Partition), strings.Compare(keys[0].Sort, keys[1].Sort))
		if got := strings.Compare(encoded[0], encoded[1]); got != want {
			t.Fatalf("%q and %q compare as %d, want %d", encoded[0], encoded[1], got, want)
		}
	})
}

func TestIndexSortFitsASortKey(t *testing.T) {
	t.Parallel()
	for _, length := range []int{1, 700, 1020, 1021, 1022} {
		sort := strings.Repeat("s", length)
		got := aws.IndexSort(sort, backend.Key{Partition: strings.Repeat("水", 600), Sort: "s"})
		if len(got) > backend.MaxSortKey || !utf8.ValidString(got) {
			t.Errorf("a sort key of %d bytes: got %d bytes, valid %v", length, len(got), utf8.ValidString(got))
		}
		if back, ok := aws.SortOf(got); !ok || back != sort {
			t.Errorf("a sort key of %d bytes does not come back", length)
		}
	}
}
