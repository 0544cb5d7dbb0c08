package api

import (
	"regexp"
	"strings"
	"time"
)

// What status objects and history events show: Durable Functions' formats, the second with up to 7 fraction digits.
const (
	statusTime = "2006-01-02T15:04:05Z"
	eventTime  = "2006-01-02T15:04:05.9999999Z"
)

// Python's strftime leaves out leading zeros of a year. A zone that begins with a space was sent with a plus that nobody
// encoded.
var lenientTime = regexp.MustCompile(`^(\d{1,4})(-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d(?:\.\d{1,7})?)([Zz]|[-+ ]\d\d:\d\d|)$`)

// parseTime reads RFC 3339 as Durable Functions' clients write it: 0 to 7 fraction digits, 1 to 4 digits of the year, and
// no zone for UTC.
func parseTime(s string) (time.Time, bool) {
	m := lenientTime.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	year, day, clock, zone := strings.Repeat("0", 4-len(m[1]))+m[1], m[2], m[3], m[4]
	switch {
	case zone == "" || zone == "z":
		zone = "Z"
	case zone[0] == ' ':
		zone = "+" + zone[1:]
	}
	t, err := time.Parse(time.RFC3339Nano, year+day+"T"+clock+zone)
	if err != nil {
		return time.Time{}, false
	}
	return t.UTC(), true
}

func formatStatusTime(t time.Time) string { return t.UTC().Format(statusTime) }

func formatEventTime(t time.Time) string { return t.UTC().Format(eventTime) }
