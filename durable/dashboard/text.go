package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// How much of a value is shown: in a row of the list, on one line of an instance's page, and on that page at all.
const (
	maxRow     = 120
	maxLine    = 80
	maxPayload = 16 << 10
)

// moment is a point in time for people and for machines.
type moment struct{ Clock, Age, Machine string }

func momentOf(t, now time.Time) moment {
	return moment{Clock: clock(t), Age: age(now.Sub(t)), Machine: t.UTC().Format(time.RFC3339)}
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func age(d time.Duration) string {
	switch {
	case d < time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	}
	return fmt.Sprintf("%d days ago", d/(24*time.Hour))
}

// span is a duration to three digits or so.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d days %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// payload is a JSON value to be shown under a label. Text is empty when there is none.
type payload struct {
	Label, Text string
	// Cut says how much there is when Text is not all of it.
	Cut string
}

func newPayload(label string, value []byte) payload {
	p := payload{Label: label}
	if len(value) == 0 || string(value) == "null" {
		return p
	}
	p.Text = string(value)
	var indented bytes.Buffer
	if len(value) > maxLine && len(value) <= maxPayload && json.Indent(&indented, value, "", "  ") == nil {
		p.Text = indented.String()
	}
	if len(p.Text) > maxPayload {
		p.Cut = fmt.Sprintf("The first %d KB of %d are shown.", maxPayload>>10, (len(value)+1023)>>10)
		p.Text = cut(p.Text, maxPayload)
	}
	return p
}

// oneLine is a JSON value short enough for a row: a string without its quotes.
func oneLine(value json.RawMessage) string {
	s := strings.Join(strings.Fields(text(value)), " ")
	if len(s) > maxRow {
		return cut(s, maxRow) + "…"
	}
	return s
}

// cut is the first n bytes, or a few less, so that no character is broken.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// failure is a failure as a sentence.
func failure(f *history.Failure) string {
	if f == nil {
		return ""
	}
	var facts []string
	if f.Kind != "" {
		facts = append(facts, "kind "+f.Kind)
	}
	if f.Activity != "" {
		facts = append(facts, "from "+f.Activity)
	}
	if f.Instance != "" {
		facts = append(facts, "from instance "+f.Instance)
	}
	if f.Attempt > 1 {
		facts = append(facts, fmt.Sprintf("at attempt %d", f.Attempt))
	}
	if f.Permanent {
		facts = append(facts, "not retried, as it is permanent")
	}
	if len(facts) == 0 {
		return full(f.Message)
	}
	return strings.TrimRight(f.Message, ". ") + " (" + strings.Join(facts, ", ") + ")."
}

// full ends a text with a full stop, as a sentence does.
func full(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsRune(".!?…。！？", lastRune(s)) {
		return s
	}
	return s + "."
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}
