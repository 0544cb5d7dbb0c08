package api

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/durable-lambda/durable-lambda/durable/access"
)

// note is what an audit line says of a request.
type note struct {
	action   string
	instance string
	name     string // of an orchestration or an event
	started  string // the instance that a restart has started
	purged   int
	beside   bool // not a route of the API
}

// Guard returns a handler for routes beside the API's: who calls them needs the permission to read for GET and HEAD, and these for
// anything else. Whoever is refused has an audit line; what the routes do is theirs to write down.
func (a *API) Guard(others access.Permission, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		need := others
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			need = access.Read
		}
		a.guard(w, r, need, &note{action: r.Method + " " + r.URL.EscapedPath(), beside: true},
			func(w http.ResponseWriter, r *http.Request, _ *note) { next.ServeHTTP(w, r) })
	})
}

// guard serves a request if its caller may, and writes the audit line.
func (a *API) guard(w http.ResponseWriter, r *http.Request, need access.Permission, n *note, serve func(http.ResponseWriter, *http.Request, *note)) {
	caller, status, err := a.caller(r, need)
	if err != nil {
		switch status {
		case http.StatusUnauthorized:
			w.Header().Set("WWW-Authenticate", `Basic realm="durable", charset="UTF-8"`)
			Problem(w, status, "The request needs a key.", "Send a key that is good in the header x-functions-key. Whoever operates this makes one with durable keys.")
		case http.StatusForbidden:
			if errors.Is(err, errOtherSite) {
				Problem(w, status, "This request comes from a page of another site.", "Browsers send the password that they keep with whatever a page has them send. Send the key in the header x-functions-key, from an origin that is allowed.")
				break
			}
			Problem(w, status, "The key is not good for this.", "This needs the permission to "+need.String()+"; the key "+caller.Name+" may "+caller.May.String()+".")
		default:
			w.Header().Set("Retry-After", "5")
			Problem(w, status, "Nobody can be recognized at the moment.", "The keys cannot be read. Try again; the log says why.")
		}
		a.audited(r, slog.LevelWarn, caller, n, status, slog.String("error", err.Error()))
		return
	}
	if need&^access.Read == 0 || n.beside {
		serve(w, r, n)
		return
	}
	seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	defer func() { // whatever becomes of the handler
		if p := recover(); p != nil {
			a.audited(r, slog.LevelInfo, caller, n, http.StatusInternalServerError)
			panic(p)
		}
		a.audited(r, slog.LevelInfo, caller, n, seen.status)
	}()
	serve(seen, r, n)
}

// caller is who sent a request; with the error, the status to answer with.
func (a *API) caller(r *http.Request, need access.Permission) (c access.Caller, status int, err error) {
	if a.callers == nil {
		return access.Of(r.Context()), 0, nil
	}
	switch c, err = a.callers.Caller(r); {
	case errors.Is(err, access.ErrUnknown):
		return c, http.StatusUnauthorized, err
	case err != nil:
		return c, http.StatusServiceUnavailable, err
	case a.forged(r):
		return c, http.StatusForbidden, errOtherSite
	case !c.May.Has(need):
		return c, http.StatusForbidden, errors.New("it needs the permission to " + need.String())
	}
	return c, 0, nil
}

var errOtherSite = errors.New("a page of another site has a browser send it")

// forged reports whether a page of another site has a browser send the password that it keeps for this one.
func (a *API) forged(r *http.Request) bool {
	_, _, basic := r.BasicAuth()
	return basic && a.sites.Check(r) != nil
}

// audited writes the audit line. It has nothing of the query or of headers, where keys may be.
func (a *API) audited(r *http.Request, level slog.Level, c access.Caller, n *note, status int, more ...slog.Attr) {
	attrs := []slog.Attr{slog.String("action", n.action), slog.String("caller", c.Name), slog.Int("status", status), slog.String("address", r.RemoteAddr)}
	for _, text := range []struct{ key, value string }{{"instance", n.instance}, {"name", n.name}, {"started", n.started}} {
		if text.value != "" {
			attrs = append(attrs, slog.String(text.key, text.value))
		}
	}
	if n.purged > 0 {
		attrs = append(attrs, slog.Int("purged", n.purged))
	}
	a.audit.LogAttrs(r.Context(), level, "audit", append(attrs, more...)...)
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
