package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// What pages of other origins may send, and see, beside what every page may (https://fetch.spec.whatwg.org).
const (
	corsMethods = "GET, POST, DELETE"
	corsHeaders = "Authorization, Content-Type, Idempotency-Key, traceparent, tracestate, x-functions-key, " + continuationHeader
	corsExposed = "Location, Retry-After, " + continuationHeader
	corsMaxAge  = "600"
)

// crossOrigin says which pages may read the answer, and answers when all that a browser wants to know is whether it may ask.
func (a *API) crossOrigin(w http.ResponseWriter, r *http.Request) (answered bool) {
	if len(a.origins) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(a.origins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		h.Set("Access-Control-Expose-Headers", corsExposed)
		return false
	}
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}

// checkOrigin refuses what no browser sends as an origin: it would let nobody in, or, as *, everybody.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
		return fmt.Errorf("api: Config.Origins has %q: an origin is a scheme and a host, as in https://example.com", origin)
	}
	return nil
}
