package aws

import (
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
