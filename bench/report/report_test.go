package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const printed = `goos: linux
pkg: example.com/durable
BenchmarkReplay/activities=1000-2     100  700000 ns/op  700 ns/activity  1000 B/op  20 allocs/op
BenchmarkReplay/activities=1000-2     100  900000 ns/op  900 ns/activity  1000 B/op  20 allocs/op
BenchmarkReplay/activities=100000-2   10  90000000 ns/op  900 ns/activity  100000 B/op  2000 allocs/op
`

func results(t *testing.T, text string) []*result {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bench.txt")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := read([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheBestRunCounts(t *testing.T) {
	r := results(t, printed)
	if len(r) != 2 || r[0].Name != "Replay/activities=1000" || r[0].Runs != 2 || r[0].Values["ns/activity"] != 700 || r[0].Values["allocs/op"] != 20 {
		t.Errorf("read %+v", r[0])
	}
}

func TestCheck(t *testing.T) {
	baseline := filepath.Join(t.TempDir(), "baseline.txt")
	if err := check(baseline, true, results(t, printed)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, says string }{
		"the same":             {"", "", ""},
		"more allocations":     {"2000 allocs/op", "2100 allocs/op", "2100 allocs/op, and it was 2000"},
		"more bytes":           {"100000 B/op", "110000 B/op", "110000 B/op, and it was 100000"},
		"fewer":                {"2000 allocs/op", "200 allocs/op", ""},
		"time is not compared": {"900 ns/activity  100000", "1300 ns/activity  100000", ""},
		"superlinear":          {"900 ns/activity  100000", "70000 ns/activity  100000", "does something grow"},
		"another benchmark":    {"BenchmarkReplay/activities=1000-2 ", "BenchmarkOther-2 ", "was not measured"},
	} {
		text := printed
		if c.old != "" {
			text = strings.ReplaceAll(printed, c.old, c.new)
		}
		err := check(baseline, false, results(t, text))
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0.1234: "0.123", 99: "99", 1234: "1,234", 2637027712: "2,637,027,712"} {
		if got := number(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}
