package links

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

type failure = history.Failure

// outcome is what has become of a link.
type outcome int

const (
	open    outcome = iota
	unknown         // no link of ours
	expired
	used
	over // nobody waits for the event any more
	trouble
	done
)

var statuses = map[outcome]int{open: 200, unknown: 404, expired: 410, used: 410, over: 410, trouble: 503, done: 200}

var outcomes = map[outcome]string{unknown: "unknown", expired: "expired", used: "used before", over: "over", trouble: "failed", done: "done"}

// kept is how long a mark outlives the last link that it may be for: those which are used once have different times of expiry, and clocks differ.
const kept = MaxLife + 30*24*time.Hour

// Before returns a handler that serves links, for which nobody needs a key, and gives everything else to next. A http.ServeMux would answer
// unclean paths of next with redirects.
func (l *Links) Before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, Path) {
			l.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ServeHTTP shows what a link is about to do, and does it when that is posted.
func (l *Links) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, token, _ := strings.Cut(r.URL.Path, Path)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		c, o := l.look(r.Context(), token)
		l.render(w, r, c, o)
	case http.MethodPost:
		c, o := l.look(r.Context(), token)
		if o == open {
			o = l.follow(r.Context(), c)
		}
		if o != unknown {
			l.cfg.Audit.LogAttrs(r.Context(), slog.LevelInfo, "audit", slog.String("action", "follow link"), slog.String("instance", c.instance),
				slog.String("name", c.event), slog.String("use", c.use), slog.String("outcome", outcomes[o]), slog.String("address", r.RemoteAddr))
		}
		l.render(w, r, c, o)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// look says what a link says, and whether it can be followed.
func (l *Links) look(ctx context.Context, token string) (claim, outcome) {
	ring, err := l.ring(ctx)
	if err != nil {
		return l.failed("its keys cannot be read", claim{}, err)
	}
	c, err := ring.unseal(token)
	switch {
	case err != nil:
		return claim{}, unknown
	case !l.cfg.Now().Before(c.expires):
		return c, expired
	}
	mark, err := l.cfg.Table.Get(ctx, c.mark())
	switch {
	case err != nil:
		return l.failed("nobody can tell whether it was used", c, err)
	case mark != nil:
		return c, used
	}
	in, err := l.cfg.Client.Get(ctx, c.instance, durable.NoInput)
	switch {
	case errors.Is(err, durable.ErrNotFound), err == nil && (in.Incarnation != c.incarnation || in.Status.Ended()):
		return c, over
	case err != nil:
		return l.failed("its instance cannot be read", c, err)
	}
	return c, open
}

// follow raises the event, and then marks the link as used. Both can be done again: the event has the link's identity, so that it is raised
// once even by two who follow the link at the same time, and a mark that is there already is as good.
func (l *Links) follow(ctx context.Context, c claim) outcome {
	err := l.cfg.Client.Raise(ctx, durable.EventRequest{Instance: c.instance, Name: c.event, Data: c.payload, ID: "link-" + c.use})
	switch {
	case errors.Is(err, durable.ErrNotFound), errors.Is(err, durable.ErrEnded):
		return over
	case err != nil:
		_, o := l.failed("its event cannot be raised", c, err)
		return o
	}
	at := l.cfg.Now()
	err = l.cfg.Table.Put(ctx, backend.Item{Key: c.mark(), Owner: "link", Value: []byte(at.UTC().Format(time.RFC3339)), Expires: at.Add(kept)}, backend.Absent())
	if found := new(backend.ConditionError); err != nil && !errors.As(err, &found) {
		_, o := l.failed("it cannot be marked as used: it is to be followed again", c, err)
		return o
	}
	return done
}

// mark is where it is kept that a link was used.
func (c claim) mark() backend.Key { return backend.Key{Partition: "link#" + c.use, Sort: "used"} }

// failed writes down why a link cannot be served now. Neither the link nor a key is in it.
func (l *Links) failed(what string, c claim, err error) (claim, outcome) {
	l.cfg.Audit.Error("a link cannot be served now: "+what, "instance", c.instance, "name", c.event, "error", fmt.Sprint(err))
	return c, trouble
}
