package links

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
)

const (
	// use is where the page's form posts to, below Base. No token is as short.
	use = "use"
	// maxForm is what is read of a form: a token, its name, and escapes.
	maxForm = maxToken + 1<<10
	// usedSort is the sort key of the mark of a used link, in the partition of its nonce.
	usedSort = "used"
	// kept is for how long a mark stays after its link has expired: clocks differ.
	kept = 24 * time.Hour
)

// Handler serves the links, under Base. It asks nobody who they are: the link says what they may do. Put it outside of what asks for keys,
// and of what writes paths to a log.
func (l *Links) Handler() http.Handler { return http.HandlerFunc(l.serve) }

func (l *Links) serve(w http.ResponseWriter, r *http.Request) {
	rest, under := strings.CutPrefix(r.URL.Path, Base)
	switch {
	case under && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		c, o := l.look(r.Context(), rest)
		write(w, o, c, rest)
	case under && rest == use && r.Method == http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		token := ""
		if r.ParseForm() == nil {
			token = r.PostForm.Get("token")
		}
		c, o := l.use(r.Context(), token)
		l.audit(r, c, o)
		write(w, o, c, "")
	default:
		write(w, unknown, nil, "")
	}
}

// look finds out what a link would do now. Nothing but the keys is read for a token that is not right.
func (l *Links) look(ctx context.Context, token string) (*claim, outcome) {
	ring, err := l.ring(ctx)
	if err != nil {
		return nil, l.failed(ctx, "the keys of links cannot be read", nil, err)
	}
	c, err := ring.open(token)
	if err != nil {
		return nil, unknown
	}
	if !l.Now().Before(c.expires) {
		return c, expired
	}
	mark, err := l.Table.Get(ctx, c.mark())
	if err != nil {
		return c, l.failed(ctx, "whether a link was used cannot be read", c, err)
	}
	if mark != nil {
		return c, used
	}
	switch in, err := l.Client.Get(ctx, c.instance, durable.NoInput); {
	case errors.Is(err, durable.ErrNotFound):
		return c, ended
	case err != nil:
		return c, l.failed(ctx, "the instance of a link cannot be read", c, err)
	case in.Incarnation != c.incarnation || in.Status.Ended():
		return c, ended
	}
	return c, ready
}

// use raises the event, and then marks the link. Both may be repeated: after a crash between them the link is ready, and the same event again
// is no other. Of several at the same time, one makes the mark.
func (l *Links) use(ctx context.Context, token string) (*claim, outcome) {
	c, o := l.look(ctx, token)
	if o != ready {
		return c, o
	}
	err := l.Client.Raise(ctx, durable.EventRequest{Instance: c.instance, Name: c.event, Data: c.payload, ID: c.eventID()})
	switch {
	case errors.Is(err, durable.ErrNotFound), errors.Is(err, durable.ErrEnded):
		return c, ended
	case err != nil:
		return c, l.failed(ctx, "the event of a link cannot be raised", c, err)
	}
	item := backend.Item{Key: c.mark(), Owner: c.eventID(), Value: []byte(l.Now().UTC().Format(time.RFC3339)), Expires: c.expires.Add(kept)}
	var taken *backend.ConditionError
	switch err := l.Table.Put(ctx, item, backend.Absent()); {
	case errors.As(err, &taken):
		return c, used
	case err != nil:
		return c, l.failed(ctx, "a link cannot be marked as used", c, err)
	}
	return c, raised
}

// mark is where it says that the link was used.
func (c *claim) mark() backend.Key {
	return backend.Key{Partition: "links#" + c.eventID(), Sort: usedSort}
}

// failed writes down what went wrong: whoever has the link is not told.
func (l *Links) failed(ctx context.Context, what string, c *claim, err error) outcome {
	attrs := []slog.Attr{slog.String("error", err.Error())}
	if c != nil {
		attrs = append(attrs, slog.String("instance", c.instance), slog.String("name", c.event))
	}
	l.Log.LogAttrs(ctx, slog.LevelError, what, attrs...)
	return unavailable
}

// audit writes what a use has come to. Of a link that was not right there is nothing to say but where it came from.
func (l *Links) audit(r *http.Request, c *claim, o outcome) {
	attrs := []slog.Attr{slog.String("action", "link"), slog.String("outcome", o.word), slog.Int("status", o.status), slog.String("address", r.RemoteAddr)}
	if c != nil {
		attrs = append(attrs, slog.String("instance", c.instance), slog.String("name", c.event), slog.String("event", c.eventID()), slog.String("key", c.key))
	}
	l.Log.LogAttrs(r.Context(), o.level, "audit", attrs...)
}
