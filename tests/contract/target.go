package contract

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Target is a server.
type Target struct {
	// URL is what the URLs of the API begin with, as in https://example.com/prod.
	URL string
	// Hub is the name of the task hub in links.
	Hub string
	// Client sends the requests; it must not follow redirects. http.DefaultTransport's without it.
	Client *http.Client
	// Pause is how long to wait before something is asked for again, and Patience for how long to ask.
	Pause, Patience time.Duration
	// Gateway says that something is between, so that what it decodes, refuses or routes itself cannot be held to the contract.
	Gateway bool
}

const base = "/runtime/webhooks/durabletask"

// Run holds the target to the contract. The cases run in parallel, each with instances of its own or with some that nothing changes.
func Run(t *testing.T, to Target) {
	if to.Client == nil {
		to.Client = &http.Client{Timeout: time.Minute}
	}
	to.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	to.URL = strings.TrimRight(to.URL, "/")
	r := &run{Target: to, ctx: t.Context(), word: "c-" + strings.ToLower(rand.Text()[:8]), shared: map[state]*instance{}}
	for _, s := range []state{running, completed, failed, suspended, terminated} {
		r.shared[s] = &instance{id: r.word + "-shared-" + string(s), state: s}
	}
	n := 0
	for _, group := range [][]Case{starts, waits, reads, lists, events, commands, rewinds, purges, entities, paths} {
		for _, c := range group {
			if c.direct && to.Gateway {
				continue
			}
			n++
			word := fmt.Sprintf("%s-%d-", r.word, n)
			t.Run(c.name, func(t *testing.T) { t.Parallel(); r.play(t, c, word) })
		}
	}
	if n < 60 {
		t.Errorf("the table has %d cases", n)
	}
}
