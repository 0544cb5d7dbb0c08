package api

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// query holds the values of a query string by lower-case key. Values that do not parse read as if they were absent, as
// Durable Functions has it; of a repeated key the first counts, except in lists.
type query map[string][]string

// parseQuery splits on & only, and takes a % without two hex digits for itself: reasons arrive unencoded.
func parseQuery(raw string) query {
	q := query{}
	for pair := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key == "" {
			continue
		}
		key = strings.ToLower(unescape(key, true))
		q[key] = append(q[key], strings.ToValidUTF8(unescape(value, true), "\uFFFD"))
	}
	return q
}

func (q query) text(key string) string {
	if values := q[strings.ToLower(key)]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func (q query) flag(key string, otherwise bool) bool {
	switch strings.ToLower(strings.TrimSpace(q.text(key))) {
	case "true":
		return true
	case "false":
		return false
	}
	return otherwise
}

// count reads a positive number; 0 is none.
func (q query) count(key string) int {
	n, err := strconv.ParseInt(strings.TrimSpace(q.text(key)), 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int(n)
}

// version reads a version, or has the default where there is none.
func (q query) version(key string, none uint32) uint32 {
	n, err := strconv.ParseUint(strings.TrimSpace(q.text(key)), 10, 32)
	if err != nil {
		return none
	}
	return uint32(n)
}

// seconds reads a duration in seconds, fractions included.
func (q query) seconds(key string) (time.Duration, bool) {
	s, err := strconv.ParseFloat(strings.TrimSpace(q.text(key)), 64)
	switch {
	case err != nil || math.IsNaN(s) || math.IsInf(s, 0) || s < 0:
		return 0, false
	case s >= math.MaxInt64/float64(time.Second):
		return math.MaxInt64, true
	}
	return time.Duration(s * float64(time.Second)), true
}

// time reads a point in time; zero is none.
func (q query) time(key string) time.Time {
	t, _ := parseTime(strings.TrimSpace(q.text(key)))
	return t
}

// texts reads a value that is repeated.
func (q query) texts(key string) []string {
	var all []string
	for _, value := range q[strings.ToLower(key)] {
		if value != "" {
			all = append(all, value)
		}
	}
	return all
}

// tags reads labels, each as key=value; what is none is ignored.
func (q query) tags(key string) map[string]string {
	var all map[string]string
	for _, value := range q.texts(key) {
		if k, v, ok := strings.Cut(value, "="); ok && k != "" {
			if all == nil {
				all = map[string]string{}
			}
			all[k] = v
		}
	}
	return all
}

// list reads values that are repeated, separated by commas, or both.
func (q query) list(key string) []string {
	var all []string
	for _, values := range q.texts(key) {
		for value := range strings.SplitSeq(values, ",") {
			if value = strings.TrimSpace(value); value != "" {
				all = append(all, value)
			}
		}
	}
	return all
}

// unescape decodes percent-encoding. What is not an encoding stands for itself. In a query, unlike in a path, a plus is
// a space.
func unescape(s string, inQuery bool) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	decoded := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+' && inQuery:
			decoded = append(decoded, ' ')
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			decoded = append(decoded, fromHex(s[i+1])<<4|fromHex(s[i+2]))
			i += 2
		default:
			decoded = append(decoded, s[i])
		}
	}
	return string(decoded)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func fromHex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
