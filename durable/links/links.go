package links

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

const (
	// Base is the path that links are under.
	Base = "/links/"
	// MaxPayload is how many bytes of JSON a link may carry: mail programs and gateways cut long addresses.
	MaxPayload = 2 << 10
)

// ErrNone is wrapped by URL when its context has no links.
var ErrNone = errors.New("there are no signed links here")

// Config says how links are made and what they do. Keys, BaseURL, Table and Client are required.
type Config struct {
	// Keys returns the keys, each time that one is needed: it should remember them for a while.
	Keys func(context.Context) (Ring, error)
	// BaseURL returns the address that Base is below, such as https://api.example.com/v1.
	BaseURL func(context.Context) (string, error)
	// Table keeps the marks of used links, in partitions that begin with links#, until they have expired.
	Table backend.Table
	// Client raises the events, and reads the instances that they are for.
	Client durable.Client
	// Log gets an audit line for each use, and what could not be done; never a link or a key. Nil discards it.
	Log *slog.Logger
	// Now is the clock: time.Now without it.
	Now func() time.Time
}

// Links makes links of one task hub and serves them. It is safe for concurrent use.
type Links struct{ Config }

// New returns the links of a hub. It panics when a required part is missing.
func New(c Config) *Links {
	if c.Keys == nil || c.BaseURL == nil || c.Table == nil || c.Client == nil {
		panic("links: Config needs Keys, BaseURL, Table and Client")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Links{c}
}

type contextKey struct{}

// With returns a context in which URL makes links of l: for tests of activities. In a hub, Handlers does it.
func With(ctx context.Context, l *Links) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// Handlers returns the handlers, the activities among them with l in their contexts.
func (l *Links) Handlers(hs []durable.Handler) []durable.Handler {
	out := make([]durable.Handler, len(hs))
	for i, h := range hs {
		if do := h.Do; do != nil {
			h.Do = func(ctx context.Context, input []byte) ([]byte, *history.Failure) { return do(With(ctx, l), input) }
		}
		out[i] = h
	}
	return out
}

// URL returns a link that raises event on the instance with v, once, until it expires, to the second. The context must be that of an activity
// in a hub with links, or of With: otherwise the error wraps ErrNone. The instance must be there, and it is this life of its id that the link
// is for: durable.ErrNotFound, durable.ErrEnded. What can never be a link wraps durable.ErrInvalid. Treat the link as a password.
func URL[T any](ctx context.Context, event durable.Event[T], instance string, v T, expires time.Time) (string, error) {
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("a link to raise %s on instance %s: %w", event.Name(), instance, err)
	}
	l, _ := ctx.Value(contextKey{}).(*Links)
	if l == nil {
		return fail(fmt.Errorf("%w: call links.URL in an activity, of a hub whose handlers went through links.Handlers; in a test, use links.With", ErrNone))
	}
	payload, err := json.Marshal(v)
	if err != nil {
		return fail(errors.Join(durable.ErrInvalid, err))
	}
	if len(payload) > MaxPayload {
		return fail(fmt.Errorf("%w: the payload has %d bytes of JSON, a link carries at most %d: keep it elsewhere and pass a reference", durable.ErrInvalid, len(payload), MaxPayload))
	}
	link, err := l.sign(ctx, claim{event: event.Name(), instance: instance, payload: payload, expires: expires})
	if err != nil {
		return fail(err)
	}
	return link, nil
}

func (l *Links) sign(ctx context.Context, c claim) (string, error) {
	if !c.expires.After(l.Now()) {
		return "", fmt.Errorf("%w: it would have expired already, at %s", durable.ErrInvalid, c.expires.UTC().Format(time.RFC3339))
	}
	base, err := l.BaseURL(ctx)
	if err != nil {
		return "", fmt.Errorf("the address that links begin with cannot be read: %w", err)
	}
	if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("the address %q, which links begin with, is no absolute URL of http or https", base)
	}
	ring, err := l.ring(ctx)
	if err != nil {
		return "", err
	}
	in, err := l.Client.Get(ctx, c.instance, durable.NoInput)
	if err != nil {
		return "", err
	}
	if in.Status.Ended() {
		return "", durable.ErrEnded
	}
	c.key, c.incarnation, c.nonce = ring.Current, in.Incarnation, nonce(ctx, &c)
	token := c.encode(ring.Keys[ring.Current])
	if len(token) > maxToken {
		return "", fmt.Errorf("%w: it would have %d characters, at most %d are allowed", durable.ErrInvalid, len(token), maxToken)
	}
	return strings.TrimSuffix(base, "/") + Base + token, nil
}

// ring reads the keys, and believes none that are too short.
func (l *Links) ring(ctx context.Context) (Ring, error) {
	r, err := l.Keys(ctx)
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return Ring{}, fmt.Errorf("the keys of links cannot be used: %w", err)
	}
	return r, nil
}

// nonce tells links apart. In an activity it is the same for all attempts of a call: a mail that is sent again must not make a link anew that
// was used. It need not be secret, because the signature is.
func nonce(ctx context.Context, c *claim) (n [nonceSize]byte) {
	key := durable.IdempotencyKey(ctx)
	if key == "" {
		_, _ = rand.Read(n[:]) // it never fails
		return n
	}
	h := sha256.New()
	h.Write([]byte(domain + "nonce\x00"))
	for _, part := range []string{key, c.event, c.instance, string(c.payload)} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	copy(n[:], h.Sum(nil))
	return n
}
