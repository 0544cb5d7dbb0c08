//go:build !aws

package conformance

import (
	"fmt"
	"testing"
	"time"
)

// TestConformance runs every sentence on every backend in every mode, and prints a table.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, wrong := range check(sentences) {
		t.Error(wrong)
	}
	begin := time.Now()
	results := newResults()
	t.Run("of", func(t *testing.T) {
		for _, s := range sentences {
			t.Run(s.area+"/"+s.says, func(t *testing.T) {
				t.Parallel()
				for _, b := range backends {
					for _, m := range modes {
						if s.not[m] != "" {
							continue
						}
						ok := t.Run(b.name+" "+string(m), func(t *testing.T) {
							c := &clock{now: epoch}
							play(t, s, newHost(t, m, c, b.open(t, c.Now)))
						})
						results.add(s.says, b.name, m, ok)
					}
				}
			})
		}
	})
	if *table {
		fmt.Print(results.table(sentences, time.Since(begin)))
	}
}
