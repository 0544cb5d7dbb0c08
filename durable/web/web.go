// Package web makes the requests of durable.HTTP. It is apart from package worker, which does no I/O of its own: who runs
// workers puts Do into their configuration.
package web

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
)

const (
	// maxBytes of a response whose request does not say.
	maxBytes = 1 << 20
	// most bytes are read, whatever a request says: no hub keeps more.
	most = 64 << 20
	// maxRedirects are followed, as by package net/http.
	maxRedirects = 10
)

// Do makes one request of durable.HTTP, with a bearer token unless that is empty, and returns its response. It is safe for
// concurrent use.
func Do(ctx context.Context, in durable.HTTPRequest, token string) (out durable.HTTPResponse, err error) {
	req, err := http.NewRequestWithContext(ctx, in.Method, in.URL, bytes.NewReader(in.Body))
	if err != nil {
		return out, durable.Permanent(err)
	}
	if err := check(req.URL); err != nil {
		return out, durable.Permanent(err)
	}
	for k, v := range in.Header {
		req.Header[http.CanonicalHeaderKey(k)] = v
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{CheckRedirect: redirect}
	resp, err := client.Do(req)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	limit := min(cmp.Or(in.MaxBytes, maxBytes), most)
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return out, fmt.Errorf("the response of %s broke off: %w", req.URL.Redacted(), err)
	}
	if int64(len(body)) > limit {
		return out, durable.Permanent(fmt.Errorf("%w: the response of %s has more than %d bytes: ask for less, or set MaxBytes", durable.ErrTooLarge, req.URL.Redacted(), limit))
	}
	return durable.HTTPResponse{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// check refuses what is no URL of the web.
func check(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("the URL %q is not absolute, or not of http or https", u.Redacted())
	}
	return nil
}

// redirect follows to where http and https lead. Another origin gets nothing that the first was told about the sender; http is another
// one than https.
func redirect(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return durable.Permanent(fmt.Errorf("it was redirected %d times", maxRedirects))
	}
	if err := check(req.URL); err != nil {
		return durable.Permanent(err)
	}
	first := via[0].URL
	if req.URL.Scheme != first.Scheme || !strings.EqualFold(req.URL.Host, first.Host) {
		req.Header = http.Header{}
	}
	return nil
}
