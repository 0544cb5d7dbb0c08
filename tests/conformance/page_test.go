package conformance

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	table  = flag.Bool("table", false, "print what ran, where")
	update = flag.Bool("update", false, "write docs/conformance.md")
)

const page = "../../docs/conformance.md"

// results is what came of each sentence where it ran.
type results struct {
	mu  sync.Mutex
	all map[string]bool
}

func newResults() *results { return &results{all: map[string]bool{}} }

func column(backend string, m mode) string { return backend + " " + string(m) }

func (r *results) add(says, backend string, m mode, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[says+"|"+column(backend, m)] = ok
}

// table is a line for each sentence, and the totals.
func (r *results) table(all []sentence, took time.Duration) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, be := range backends {
		for _, m := range modes {
			fmt.Fprintf(&b, "%-14s", column(be.name, m))
		}
	}
	b.WriteByte('\n')
	passed, failed, left := 0, 0, 0
	for _, s := range all {
		for _, be := range backends {
			for _, m := range modes {
				ok, ran := r.all[s.says+"|"+column(be.name, m)]
				word := "ok"
				switch {
				case !ran:
					word = "-"
					left++
				case !ok:
					word = "FAILED"
					failed++
				default:
					passed++
				}
				fmt.Fprintf(&b, "%-14s", word)
			}
		}
		fmt.Fprintf(&b, "%s: %s\n", s.area, s.says)
	}
	fmt.Fprintf(&b, "%d sentences, %d runs in %v: %d passed, %d failed, %d not promised\n", len(all), passed+failed,
		took.Round(100*time.Millisecond), passed, failed, left)
	return b.String()
}

// TestThePageIsUpToDate compares docs/conformance.md with the sentences.
func TestThePageIsUpToDate(t *testing.T) {
	t.Parallel()
	want := document(sentences)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/conformance.md is out of date: go test ./tests/conformance -run TestThePage -update")
	}
}

// document is the page: what is promised, and where it is shown.
func document(all []sentence) string {
	var b strings.Builder
	marked := 0
	for _, s := range all {
		if s.aws {
			marked++
		}
	}
	fmt.Fprintf(&b, `# Conformance

What orchestrations can rely on: %d sentences, each of which is a case in
[tests/conformance](../tests/conformance). `+"`make conformance`"+` runs them all and fails when one is not kept. This page is
generated from the cases; a test fails when it is out of date.

Each runs on the backends memory and Pebble, in five modes: **plain**, one worker; **replay**, each message by a worker that knows
nothing and replays from the beginning; **warm**, a worker that keeps every instance where it waits; **crash**, where the worker
dies before each call that changes something (put, delete, send), the next one after it, and a third goes on; **coded**, as plain, and all that is stored and sent is encrypted. %d of them, marked *aws*, also run in mode plain on
DynamoDB, SQS and S3 in LocalStack.
`, len(all), marked)
	var areas []string
	for _, s := range all {
		if !slices.Contains(areas, s.area) {
			areas = append(areas, s.area)
		}
	}
	for _, area := range areas {
		fmt.Fprintf(&b, "\n## %s%s\n\n| sentence | memory, Pebble | aws |\n|---|---|---|\n", strings.ToUpper(area[:1]), area[1:])
		for _, s := range all {
			if s.area != area {
				continue
			}
			where, aws := "all modes", ""
			var but []string
			if s.aws {
				aws = "aws"
			}
			for _, m := range modes {
				if why := s.not[m]; why != "" {
					but = append(but, string(m)+" ("+why+")")
				}
			}
			if len(but) > 0 {
				where += " but " + strings.Join(but, " and ")
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", s.says, where, aws)
		}
	}
	return b.String()
}
