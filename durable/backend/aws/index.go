package aws

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

const (
	textEnd    = "\x00\x01"
	escapedNUL = "\x00\x02"
)

// indexSort is the sort key of an index entry in DynamoDB.
func indexSort(sort string, key backend.Key) string {
	return cut(escape(sort) + textEnd + escape(key.Partition) + textEnd + key.Sort)
}

// sortOf is the entry's own sort key.
func sortOf(indexSort string) (string, bool) {
	sort, _, ok := strings.Cut(indexSort, textEnd)
	return strings.ReplaceAll(sort, escapedNUL, "\x00"), ok
}

func escape(s string) string { return strings.ReplaceAll(s, "\x00", escapedNUL) }

// cut is the longest beginning of s that is UTF-8 and not too long for a sort key.
func cut(s string) string {
	s = s[:min(len(s), backend.MaxSortKey)]
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return s[:i]
		}
		i += n
	}
	return s
}

// checkIndexSort refuses what would be cut itself.
func checkIndexSort(sort string) error {
	if n, most := len(escape(sort)), backend.MaxSortKey-len(textEnd); n > most {
		return fmt.Errorf("index sort key of %d bytes, counting NUL twice: %w: at most %d", n, backend.ErrInvalid, most)
	}
	return checkText("index sort key", sort)
}
