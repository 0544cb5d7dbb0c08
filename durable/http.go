package durable

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/internal/code"
)

// HTTPRequest is what HTTP is to send. All of it is kept in the history, secrets as well: Token names one that is not.
type HTTPRequest struct {
	// Method is GET without.
	Method string `json:"method,omitempty"`
	// URL is absolute: of http or https.
	URL string `json:"url"`
	// Header and Body as they are sent.
	Header map[string][]string `json:"header,omitempty"`
	Body   []byte              `json:"body,omitempty"`
	// Token names the HTTPToken whose token is sent, as "Authorization: Bearer …".
	Token string `json:"token,omitempty"`
	// Timeout of one attempt; 100 seconds without it, as in .NET.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Deadline of all together: attempts, polls, pauses; none without it.
	Deadline time.Duration `json:"deadline,omitempty"`
	// Retry of an attempt that had no response, or one with a status in RetryOn. Without it there is one attempt.
	Retry Retry `json:"retry,omitzero"`
	// RetryOn is 408, 425, 429, 500, 502, 503 and 504 without.
	RetryOn []int `json:"retryOn,omitempty"`
	// NoPolling returns a response with the status 202 as any other.
	NoPolling bool `json:"noPolling,omitempty"`
	// MaxBytes that the body of a response may have; 1 MiB without it. The hub's limit of a result holds for its JSON, too, which
	// is a third longer.
	MaxBytes int64 `json:"maxBytes,omitempty"`
}

// HTTPResponse is what came back.
type HTTPResponse struct {
	Status int                 `json:"status"`
	Header map[string][]string `json:"header,omitempty"`
	Body   []byte              `json:"body,omitempty"`
}

// Get is the first value of a header, of which the case does not matter; empty when there is none.
func (r HTTPResponse) Get(name string) string {
	for _, k := range slices.Sorted(maps.Keys(r.Header)) {
		if strings.EqualFold(k, name) && len(r.Header[k]) > 0 {
			return r.Header[k][0]
		}
	}
	return ""
}

const (
	// httpName is the reserved name of the activity that every worker has.
	httpName = "durable.http"
	// httpTimeout of an attempt, and httpPause between two polls of a server that says nothing about it: as in Durable Functions.
	httpTimeout = 100 * time.Second
	httpPause   = 30 * time.Second
)

var (
	httpCall    = NewActivity[HTTPRequest, HTTPResponse](httpName)
	httpRetryOn = []int{408, 425, 429, 500, 502, 503, 504}
)

// HTTP sends a request, and returns the response, whatever its status. It is an activity that every worker has, and like any other
// it is done at least once: a server that must not do it twice needs a key of its own in Header, such as one of Context.NewID.
//
// A response with the status 202 and a Location says that the work goes on: the location is asked, with GET and after each pause
// that Retry-After names, or 30 seconds, until another status comes. No worker waits meanwhile. Header and Token go along if it is of
// the same origin. Each poll is four events of the history: of a server that wants to be asked every 5 seconds that is 2,880 an hour, so
// what takes many hours is better asked for with NoPolling and pauses of one's own.
//
// The error is an *ActivityError when there was no response; ErrTimeout or ErrCanceled when ctx's scope was over or the Deadline
// passed; and ErrInvalid when the request can never be right. Where a further attempt would begin after the Deadline it is
// ActivityTimedOut, as with activities. With the last allowed attempt a status of RetryOn is a response.
func HTTP(ctx Context, req HTTPRequest) (resp HTTPResponse, err error) {
	if err := req.check(); err != nil {
		return resp, fmt.Errorf("%w: durable.HTTP: %w", ErrInvalid, err)
	}
	end := ctx.Now().Add(req.Deadline)
	if req.Deadline > 0 {
		limited, cancel := WithTimeout(ctx, req.Deadline)
		defer cancel()
		ctx = limited
	}
	for {
		resp, err = httpCall.With(req.options(end.Sub(ctx.Now()))...).Call(ctx, req)
		location := resp.Get("Location")
		if err != nil || resp.Status != 202 || req.NoPolling || location == "" {
			return resp, err
		}
		if err := Sleep(ctx, retryAfter(resp.Get("Retry-After"), ctx.Now())); err != nil {
			return resp, err
		}
		if req, err = req.poll(location); err != nil {
			return resp, fmt.Errorf("durable.HTTP: the location of a response with the status 202 cannot be asked: %w", err)
		}
	}
}

// check refuses what can never be right.
func (r *HTTPRequest) check() error {
	if _, err := httpURL(r.URL); err != nil {
		return err
	}
	if r.Timeout < 0 || r.Deadline < 0 || r.MaxBytes < 0 {
		return errors.New("its time-out, its deadline and its limit must not be negative")
	}
	if r.Retry.Attempts == 0 {
		return nil
	}
	return r.Retry.check()
}

// httpURL is an absolute URL of http or https.
func httpURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the URL %q is not absolute, or not of http or https", u.Redacted())
	}
	return u, nil
}

// options are the policy of one call, for which so much time is left.
func (r *HTTPRequest) options(left time.Duration) []ActivityOption {
	opts := []ActivityOption{Timeout(cmp.Or(r.Timeout, httpTimeout))}
	if r.Deadline > 0 {
		opts = append(opts, Deadline(max(left, time.Millisecond)))
	}
	if r.Retry.Attempts > 0 {
		opts = append(opts, r.Retry)
	}
	return opts
}

// poll is the request that asks a location. What the first was told about itself is only for its own origin.
func (r HTTPRequest) poll(location string) (HTTPRequest, error) {
	from, err := httpURL(r.URL)
	if err != nil {
		return r, err
	}
	to, err := from.Parse(location)
	if err != nil {
		return r, err
	}
	if to, err = httpURL(to.String()); err != nil {
		return r, err
	}
	header := map[string][]string{}
	for k, v := range r.Header {
		if !strings.HasPrefix(strings.ToLower(k), "content-") {
			header[k] = v
		}
	}
	r.Method, r.URL, r.Header, r.Body = "GET", to.String(), header, nil
	if origin(to) != origin(from) {
		r.Header, r.Token = nil, ""
	}
	return r, nil
}

// origin is whom a URL is of (RFC 6454): a port that is the scheme's own may be left out.
func origin(u *url.URL) string {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// retryAfter reads how long to wait: seconds, or a date (RFC 9110, section 10.2.3). A second is the least.
func retryAfter(value string, now time.Time) time.Duration {
	pause := httpPause
	if n, err := strconv.Atoi(value); err == nil {
		pause = time.Duration(min(n, int(maxRetryAfter/time.Second))) * time.Second
	} else if t, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", value); err == nil {
		pause = min(t.Sub(now), maxRetryAfter)
	}
	return max(pause, time.Second)
}

// maxRetryAfter keeps a server from having the instance wait for ever.
const maxRetryAfter = 30 * 24 * time.Hour

// BindHTTP gives HTTP another body than the worker's own, which uses the net: in tests, or for a proxy. Like any body it makes one
// request; retries by status, and polls, are not its business.
func BindHTTP(body func(context.Context, HTTPRequest) (HTTPResponse, error)) Handler {
	return httpCall.Bind(func(ctx context.Context, req HTTPRequest) (HTTPResponse, error) {
		resp, err := body(ctx, req)
		retryOn := req.RetryOn
		if len(retryOn) == 0 {
			retryOn = httpRetryOn
		}
		if err == nil && Attempt(ctx) < req.Retry.Attempts && slices.Contains(retryOn, resp.Status) {
			return resp, fmt.Errorf("the response has the status %d", resp.Status)
		}
		return resp, err
	})
}

// HTTPToken names a source of bearer tokens, to be given to a worker beside its activities: HTTPRequest.Token asks for it, and no
// history ever has the token. The source is asked for each request, and keeps a token as long as it may.
func HTTPToken(name string, source func(context.Context) (string, error)) Handler {
	mustName("HTTP token", name)
	return Handler{Kind: code.Token, Name: name, Token: source}
}
