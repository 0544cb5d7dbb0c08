package httpclient

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

const (
	// maxAnswer is how large an answer may be: a payload of 64 MiB, the most that any hub takes, and what is around it.
	maxAnswer  = 80 << 20
	firstPause = 200 * time.Millisecond
	maxPause   = 5 * time.Second
)

// call is one request.
type call struct {
	what, method, path string
	query              url.Values
	header             http.Header
	body               []byte
	// again: it may be made again when it may have been one already. done is the error that means then that it was.
	again bool
	done  string
	// never is why it is not made at all.
	never error
	// names is the instance that it is about.
	names string
}

// of is the path of an instance. An id that cannot be one leads elsewhere, or nowhere.
func (k call) of(instance, rest string) call {
	k.names, k.path = instance, "/instances/"+escape(instance)+rest
	if err := history.CheckInstanceID(instance); err != nil {
		k.never = fmt.Errorf("%w: %w", durable.ErrNotFound, err)
	}
	return k
}

// answer is what came back: of a status below 300, or 202's.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes a request, again and again if need be.
func (c *client) do(ctx context.Context, k call) (*answer, error) {
	if k.never != nil {
		return nil, explain(k, k.never)
	}
	began, doubtful := time.Now(), false
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		a, err := c.once(ctx, k)
		var f *refused
		if err == nil && a.status < 300 {
			return a, nil
		}
		wait, may := time.Duration(0), false
		if err == nil {
			f = refusedBy(k, a)
			if doubtful && k.done != "" && f.name == k.done {
				return a, nil // the try before has done it
			}
			wait, may = after(a), busy(a.status) && (k.again || a.status == http.StatusTooManyRequests)
			doubtful = doubtful || a.status >= 500
			err = f
		} else {
			may = ctx.Err() == nil && (k.again || unsent(err)) && !errors.As(err, new(*unauthorized))
			doubtful = doubtful || !unsent(err)
		}
		wait = max(wait, pause/2+mathrand.N(pause/2+1))
		if !may || time.Since(began)+wait > c.patience {
			return nil, explain(k, err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, explain(k, err)
		}
	}
}

// once makes one try.
func (c *client) once(ctx context.Context, k call) (*answer, error) {
	u := c.base + k.path
	if len(k.query) > 0 {
		u += "?" + k.query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, k.method, u, bytes.NewReader(k.body))
	if err != nil {
		return nil, err
	}
	for name, values := range k.header {
		r.Header[name] = values
	}
	if len(k.body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.authorize != nil {
		if err := c.authorize(ctx, r, k.body); err != nil {
			return nil, &unauthorized{err}
		}
	}
	resp, err := c.http.Do(r)
	if err != nil {
		var shown *url.Error // it has the URL, and that may have a token of an activity
		if errors.As(err, &shown) {
			err = shown.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	return &answer{resp.StatusCode, resp.Header, body}, err
}

// unauthorized is why a request got nothing that lets it in.
type unauthorized struct{ error }

func (u *unauthorized) Unwrap() error { return u.error }

// unsent reports whether a request surely did not arrive.
func unsent(err error) bool {
	var dial *net.OpError
	var dns *net.DNSError
	return errors.As(err, &dns) || errors.As(err, &dial) && dial.Op == "dial" || errors.Is(err, syscall.ECONNREFUSED)
}

// busy reports whether it is worth to ask again.
func busy(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusInternalServerError:
		return true
	}
	return false
}

// after is what an answer says about when to ask again.
func after(a *answer) time.Duration {
	n, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}

func decode(a *answer, into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("httpclient: the answer is not what the management API says: %w: is the URL right?", err)
	}
	return nil
}

func encode(body any) ([]byte, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", durable.ErrInvalid, err)
	}
	return b, nil
}

func newID() string { return rand.Text() }
