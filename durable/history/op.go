package history

import (
	"strconv"
	"strings"
)

// CompareOps orders operation paths by their numbers: "2" before "2.0.1" before "10". Commands are kept in this order.
func CompareOps(a, b string) int {
	for a != "" || b != "" {
		if a == "" {
			return -1
		}
		if b == "" {
			return 1
		}
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if x == y {
			continue
		}
		m, errM := strconv.ParseUint(x, 10, 32)
		n, errN := strconv.ParseUint(y, 10, 32)
		if errM != nil || errN != nil {
			return strings.Compare(x, y)
		}
		if m < n {
			return -1
		}
		return 1
	}
	return 0
}
