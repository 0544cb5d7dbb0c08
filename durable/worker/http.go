package worker

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
	// httpMaxBytes of a response whose request does not say.
	httpMaxBytes = 1 << 20
	// httpMost bytes are read, whatever a request says: no hub keeps more.
	httpMost = 64 << 20
	// httpMaxRedirects are followed, as by package net/http.
	httpMaxRedirects = 10
)

// http is the body of durable.HTTP: one request, and its response.
func (w *Worker) http(ctx context.Context, in durable.HTTPRequest) (out durable.HTTPResponse, err error) {
	req, err := http.NewRequestWithContext(ctx, in.Method, in.URL, bytes.NewReader(in.Body))
	if err != nil {
		return out, durable.Permanent(err)
	}
	if err := web(req.URL); err != nil {
		return out, durable.Permanent(err)
	}
	for k, v := range in.Header {
		req.Header[http.CanonicalHeaderKey(k)] = v
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	if in.Token != "" {
		token, err := w.token(ctx, in.Token)
		if err != nil {
			return out, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{CheckRedirect: redirect}
	resp, err := client.Do(req)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	limit := min(cmp.Or(in.MaxBytes, httpMaxBytes), httpMost)
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return out, fmt.Errorf("the response of %s broke off: %w", req.URL.Redacted(), err)
	}
	if int64(len(body)) > limit {
		return out, durable.Permanent(fmt.Errorf("%w: the response of %s has more than %d bytes: ask for less, or set MaxBytes", durable.ErrTooLarge, req.URL.Redacted(), limit))
	}
	return durable.HTTPResponse{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// token asks a source that was bound. What it says when it fails is for the log: it may tell more than a history should.
func (w *Worker) token(ctx context.Context, name string) (string, error) {
	source := w.tokens[name]
	if source == nil {
		return "", fmt.Errorf("no durable.HTTPToken of the name %q is bound in the worker that runs activities", name)
	}
	token, err := source(ctx)
	if err != nil {
		w.log.Error("a source of HTTP tokens failed", "token", name, "error", err)
		return "", fmt.Errorf("there is no token of %q: the worker's log has the reason", name)
	}
	return token, nil
}

// web refuses what is no URL of the web.
func web(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("the URL %q is not absolute, or not of http or https", u.Redacted())
	}
	return nil
}

// redirect follows to where http and https lead. Another origin gets nothing that the first was told about the sender; http is another
// one than https.
func redirect(req *http.Request, via []*http.Request) error {
	if len(via) >= httpMaxRedirects {
		return durable.Permanent(fmt.Errorf("it was redirected %d times", httpMaxRedirects))
	}
	if err := web(req.URL); err != nil {
		return durable.Permanent(err)
	}
	first := via[0].URL
	if req.URL.Scheme != first.Scheme || !strings.EqualFold(req.URL.Host, first.Host) {
		req.Header = http.Header{}
	}
	return nil
}
