package links

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// Path is where links are served, below their address.
const Path = "/links/"

// Limits of a link: of the JSON of its payload, of its title, and of the time up to its expiry.
const (
	MaxPayload = 2 << 10
	MaxTitle   = 200
	MaxLife    = 366 * 24 * time.Hour
)

// Config says what links are made of. All but Audit and Now are required.
type Config struct {
	// Keys returns the keys. It is called for each link that is made or followed: it should remember them for a while.
	Keys func(context.Context) (Ring, error)
	// Address is where people reach the server, such as https://example.com/v1.
	Address func(context.Context) (string, error)
	// Table keeps which links were used.
	Table backend.Table
	// Client raises the events.
	Client durable.Client
	// Audit gets a line for each use of a link.
	Audit *slog.Logger
	Now   func() time.Time
}

// Links makes links, and is the handler that serves them at Path. It is safe for concurrent use.
type Links struct{ cfg Config }

// New returns the links that cfg describes.
func New(cfg Config) (*Links, error) {
	if cfg.Keys == nil || cfg.Address == nil || cfg.Table == nil || cfg.Client == nil {
		return nil, errors.New("links: Config needs Keys, Address, Table and Client")
	}
	if cfg.Audit == nil {
		cfg.Audit = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Links{cfg: cfg}, nil
}

type linksKey struct{}

// With returns a context in which URL finds the links.
func With(ctx context.Context, l *Links) context.Context {
	return context.WithValue(ctx, linksKey{}, l)
}

// Handlers returns handlers whose activities find the links in their contexts. Others stay as they are.
func (l *Links) Handlers(all []durable.Handler) []durable.Handler {
	out := make([]durable.Handler, 0, len(all))
	for _, h := range all {
		if do := h.Do; do != nil {
			h.Do = func(ctx context.Context, input []byte) ([]byte, *failure) { return do(With(ctx, l), input) }
		}
		out = append(out, h)
	}
	return out
}

// Option is what Title returns.
type Option func(*claim)

// Title is an Option: what the page calls the link, instead of the event's name.
func Title(text string) Option { return func(c *claim) { c.title = text } }

// ErrNone is returned by URL where nobody has links.
var ErrNone = errors.New("links: this context has none: call links.URL in an activity of a worker that has links, or use links.With")

// URL makes a link that raises an event with a value for an instance, once, until it expires. It reads the instance, and so is for activities
// and not for orchestrations. Every attempt of the same call of an activity makes links that count as one, so v should not differ.
//
// ErrNone; durable.ErrInvalid: a value or title that is too long, an expiry that has passed or is more than MaxLife ahead;
// durable.ErrNotFound, durable.ErrEnded: nobody waits for the event.
func URL[T any](ctx context.Context, e durable.Event[T], instance string, v T, expires time.Time, opts ...Option) (string, error) {
	l, _ := ctx.Value(linksKey{}).(*Links)
	if l == nil {
		return "", ErrNone
	}
	payload, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("links: %w: %w", durable.ErrInvalid, err)
	}
	c := claim{event: e.Name(), instance: instance, payload: payload, expires: expires}
	for _, opt := range opts {
		opt(&c)
	}
	return l.make(ctx, c)
}

func (l *Links) make(ctx context.Context, c claim) (string, error) {
	now := l.cfg.Now()
	switch {
	case len(c.payload) > MaxPayload:
		return "", fmt.Errorf("links: %w: the value has %d bytes of JSON, at most %d fit into a link: let the event name what it is about", durable.ErrInvalid, len(c.payload), MaxPayload)
	case len(c.title) > MaxTitle || !utf8.ValidString(c.title):
		return "", fmt.Errorf("links: %w: the title has %d bytes: at most %d, in UTF-8, are taken", durable.ErrInvalid, len(c.title), MaxTitle)
	case !c.expires.After(now) || c.expires.After(now.Add(MaxLife)):
		return "", fmt.Errorf("links: %w: it is to expire at %s: that must be to come, within a year", durable.ErrInvalid, c.expires.UTC().Format(time.RFC3339))
	}
	in, err := l.cfg.Client.Get(ctx, c.instance, durable.NoInput)
	switch {
	case err != nil:
		return "", fmt.Errorf("links: instance %s: %w", c.instance, err)
	case in.Status.Ended():
		return "", fmt.Errorf("links: instance %s: %w", c.instance, durable.ErrEnded)
	}
	c.incarnation, c.use = in.Incarnation, use(durable.IdempotencyKey(ctx), c)
	ring, err := l.ring(ctx)
	if err != nil {
		return "", fmt.Errorf("links: %w", err)
	}
	address, err := l.cfg.Address(ctx)
	if err != nil {
		return "", fmt.Errorf("links: %w", err)
	}
	c.key = ring.Current
	return strings.TrimRight(address, "/") + Path + c.seal(ring.Keys[c.key]), nil
}

// ring is the keys, of which none is too short: whoever can guess a key can make links.
func (l *Links) ring(ctx context.Context) (Ring, error) {
	ring, err := l.cfg.Keys(ctx)
	if err == nil {
		err = ring.check()
	}
	return ring, err
}

// use is what links have in common that are used once: those of one call of an activity which say the same. Outside of activities each
// link is its own.
func use(call string, c claim) string {
	if call == "" {
		return rand.Text()
	}
	sum := sha256.New()
	for _, part := range []string{call, c.event, c.instance, string(c.payload)} {
		fmt.Fprintf(sum, "%d %s", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
