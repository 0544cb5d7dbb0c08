package api_test

import (
	"net/url"
	"testing"
	"time"
)

func createdFrom(t *testing.T, raw string) time.Time {
	t.Helper()
	f := newFake()
	if w := serve(t, f, "GET", "/runtime/webhooks/durabletask/instances?createdTimeFrom="+raw, ""); w.Code != 200 {
		t.Fatalf("createdTimeFrom=%s is %d: %s", raw, w.Code, w.Body)
	}
	return f.queries[0].From
}

func TestTimes(t *testing.T) {
	t.Parallel()
	second := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	for _, tc := range []struct {
		rule, in string
		want     time.Time
	}{
		{"RFC 3339", "2026-03-14T15:09:26Z", second},
		{"lower-case letters", "2026-03-14t15:09:26z", second},
		{"no zone is UTC", "2026-03-14T15:09:26", second},
		{"an offset", "2026-03-14T17:09:26%2B02:00", second},
		{"an offset whose plus nobody encoded", "2026-03-14T17:09:26+02:00", second},
		{"an offset to the west", "2026-03-14T10:09:26-05:00", second},
		{"Python's six digits", "2026-03-14T15:09:26.535897Z", second.Add(535897 * time.Microsecond)},
		{".NET's seven digits", "2026-03-14T15:09:26.5358979Z", second.Add(535897900)},
		{"one digit, no zone", "2026-03-14T15:09:26.5", second.Add(500 * time.Millisecond)},
		{"a year of three digits", "987-01-02T00:00:00Z", time.Date(987, 1, 2, 0, 0, 0, 0, time.UTC)},
		{"a year of one digit", "1-01-01T00:00:01Z", time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)},
		{"eight digits are ignored", "2026-03-14T15:09:26.53589793Z", time.Time{}},
		{"a comma is ignored", "2026-03-14T15:09:26,5Z", time.Time{}},
		{"a date alone is ignored", "2026-03-14", time.Time{}},
		{"a day that is none is ignored", "2026-02-30T00:00:00Z", time.Time{}},
		{"a year of five digits is ignored", "12026-03-14T15:09:26Z", time.Time{}},
		{"words are ignored", "yesterday", time.Time{}},
		{"nothing is ignored", "", time.Time{}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			if got := createdFrom(t, tc.in); !got.Equal(tc.want) {
				t.Errorf("%q is read as %v, want %v", tc.in, got, tc.want)
			}
		})
	}
}

func FuzzTimes(f *testing.F) {
	f.Add("2026-03-14T15:09:26.535897Z")
	f.Add("1-01-01T00:00:00+23:59")
	f.Add("9999-12-31t23:59:60")
	f.Fuzz(func(t *testing.T, in string) {
		got := createdFrom(t, url.QueryEscape(in))
		if got.IsZero() {
			return
		}
		if got.Location() != time.UTC {
			t.Errorf("%q is read as %v, which is not in UTC", in, got)
		}
		if again := createdFrom(t, got.Format("2006-01-02T15:04:05.9999999Z")); got.Year() >= 0 && got.Year() <= 9999 && !again.Equal(got) {
			t.Errorf("%q is read as %v, and that as %v", in, got, again)
		}
	})
}
