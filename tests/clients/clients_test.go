//go:build clients

package clients_test

import (
	"slices"
	"testing"
)

// scene is what a client does, and what Azure's contract says of it.
type scene struct {
	name string
	do   func(session)
	// only names the language that can do it; both can without it.
	only string
}

func TestClients(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			d := k.start(t)
			for _, c := range slices.Concat(starts, reads, events, commands, lists) {
				if c.only != "" && (c.only == "python") != k.python() {
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					s := session{t, d, serve(t)}
					s.open(binding(t, s.hub.origin, nil))
					c.do(s)
				})
			}
		})
	}
}
