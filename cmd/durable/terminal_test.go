package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/durable-lambda/durable-lambda/durable/doctor"
)

var shown = []doctor.Finding{
	{Kind: doctor.NotSent, Instance: "order-42", Problem: "the activity ChargeCard (2.0.1) has no outcome", Since: noon.Add(-26 * time.Hour), Action: "send again whatever it waits for"},
	{Kind: doctor.Behind, Instance: strings.Repeat("long-", 50), Problem: "its status row shows less than its history", Since: noon.Add(-2 * time.Hour), Action: "bring the row up to date", Done: true},
	{Kind: doctor.Damaged, Instance: "注文-7", Problem: "it is damaged: \x1b[31mred\n"},
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

var escapes = regexp.MustCompile("\x1b\\[[0-9]*m")

func TestFindingsFitTheTerminal(t *testing.T) {
	t.Parallel()
	for _, width := range []int{0, 80, 120} {
		for _, color := range []bool{false, true} {
			var out bytes.Buffer
			term := &terminal{out: &out, width: width, color: color}
			for _, f := range shown {
				term.finding(f, noon)
			}
			term.summary(doctor.Summary{Instances: 7, Findings: 3, Repaired: 1, Unknown: []string{"inbox", "wake"}}, true)
			text := escapes.ReplaceAllString(out.String(), "")
			if colored := text != out.String(); colored != color {
				t.Errorf("colour %v: %q", color, out.String())
			}
			if strings.ContainsRune(text, '\x1b') {
				t.Errorf("what somebody else has written reaches the terminal: %q", text)
			}
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			if width == 0 && len(lines) != 5 {
				t.Errorf("%d lines, want one for each finding, one for what was not looked at, and one for the summary:\n%s", len(lines), text)
			}
			for _, l := range lines {
				if n := utf8.RuneCountInString(l); width > 0 && n > width && strings.Contains(strings.TrimSpace(l[:len(l)-1]), " ") && !strings.Contains(l, "long-long-") {
					t.Errorf("a line of %d characters on a terminal of %d: %s", n, width, l)
				}
			}
			if joined := strings.Join(strings.Fields(text), " "); !strings.HasPrefix(joined, "✗ order-42: the activity ChargeCard (2.0.1) has no outcome, "+
				"since 2026-01-01 10:00:00Z (1d 2h) → --repair would send again whatever it waits for ✓ ") ||
				!strings.Contains(joined, " dead letters of inbox, wake were not looked at: this hub's dead-letter queues are not known: set ") ||
				!strings.HasSuffix(joined, "7 instances looked at, 3 found, 1 repaired, 2 left") {
				t.Errorf("width %d, colour %v:\n%s", width, color, text)
			}
		}
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		90 * time.Second: "1m30s", 61 * time.Minute: "1h 1m", 50 * time.Hour: "2d 2h", 0: "0s", 400 * 24 * time.Hour: "400d 0h",
	} {
		if got := ago(d); got != want {
			t.Errorf("ago(%v) = %s, want %s", d, got, want)
		}
	}
}
