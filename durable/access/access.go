package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Caller is who sent a request.
type Caller struct {
	// Name of whoever it is: of a key, an ARN of IAM. Empty when nobody knows.
	Name string
	May  Permission
}

// ErrUnknown is returned for a request without a key that is good. It does not tell a missing key from a wrong or an expired one.
var ErrUnknown = errors.New("the request has no key that is good here")

// With returns a context whose requests are sent by a caller who was recognized before, as API Gateway does.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

type callerKey struct{}

// Of is the caller of a context; the zero Caller when there is none.
func Of(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// Keys recognizes callers by their keys. It is safe for concurrent use.
type Keys struct {
	source func(context.Context) (File, error)
	now    func() time.Time

	mu     sync.Mutex
	known  map[string]Key
	read   time.Time // when the source was read last, and it was well
	failed time.Time // when it was read last, and it was not
	err    error
}

const (
	// fresh is how long keys are good without another look at the source: a key that was removed stops to work within it.
	fresh = time.Minute
	// again is how long after an error the source is left alone.
	again = 5 * time.Second
	// stale is how long keys hold while the source cannot be read.
	stale = 10 * time.Minute
	// patience is how long a look at the source may take: others wait for it.
	patience = 5 * time.Second
)

// NewKeys returns keys that are read from a source, such as Stored.Read. They are read when somebody first calls, and once a minute after that. While the source fails those that were read before hold, for ten minutes.
func NewKeys(source func(context.Context) (File, error)) *Keys {
	return &Keys{source: source, now: time.Now}
}

// Caller says who sent a request. The error is ErrUnknown, or the source's, when there are no keys to compare with.
func (k *Keys) Caller(r *http.Request) (Caller, error) {
	text := presented(r)
	if text == "" {
		return Caller{}, ErrUnknown
	}
	known, err := k.keys(r.Context())
	if err != nil {
		return Caller{}, err
	}
	// Looking the hash up tells nothing about keys that are near: nobody can choose a text by its hash.
	key, ok := known[hash(text)]
	if !ok || !key.Expires.IsZero() && !k.now().Before(key.Expires) {
		return Caller{}, ErrUnknown
	}
	return Caller{Name: key.Name, May: key.May}, nil
}

// presented is the key that a request brings. Of several the first counts, so that a wrong one is not made up for by another.
func presented(r *http.Request) string {
	if key := r.Header.Get("x-functions-key"); key != "" {
		return key
	}
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err != nil || !strings.EqualFold(key, "code") {
			continue
		}
		code, _ := url.QueryUnescape(value) // what cannot be read is no key
		return code
	}
	return ""
}

func (k *Keys) keys(ctx context.Context) (map[string]Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if now.Sub(k.read) < fresh || now.Sub(k.failed) < again {
		return k.last(now)
	}
	// The keys are everybody's: whoever hangs up while they are read must not make the source one that fails.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	f, err := k.source(ctx)
	if err != nil {
		k.failed, k.err = now, fmt.Errorf("the keys cannot be read: %w", err)
		return k.last(now)
	}
	k.known = map[string]Key{}
	for _, key := range f.Keys {
		k.known[key.Hash] = key
	}
	k.read = now
	return k.known, nil
}

// last are the keys that were read last, unless that is too long ago.
func (k *Keys) last(now time.Time) (map[string]Key, error) {
	if k.known == nil || now.Sub(k.read) >= stale {
		return nil, k.err
	}
	return k.known, nil
}
