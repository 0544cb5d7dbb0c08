package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/access"
)

// request is a request with what its path and its query say.
type request struct {
	*http.Request
	query query
	vars  map[string]string
	note  *note
}

func (r request) id() string { return r.vars["{id}"] }

type route struct {
	method  string
	pattern []string
	serve   func(*API, http.ResponseWriter, request)
	action  string // in audit lines
	needs   access.Permission
	about   about
}

// match reports whether the route serves the path, and what stands for its variables there.
func (rt route) match(method string, path []string) (map[string]string, bool) {
	if method != rt.method || len(path) != len(rt.pattern) {
		return nil, false
	}
	vars := make(map[string]string, 2)
	for i, want := range rt.pattern {
		switch {
		case !strings.HasPrefix(want, "{"):
			if !strings.EqualFold(want, path[i]) {
				return nil, false
			}
		case path[i] == "":
			return nil, false
		default:
			vars[want] = path[i]
		}
	}
	return vars, true
}

// below returns the decoded segments of the path below Base. Segments are told apart before they are decoded, so that an
// id with an encoded slash stays one segment, and is refused as an id.
func below(u *url.URL) ([]string, bool) {
	segments := strings.Split(strings.TrimRight(u.EscapedPath(), "/"), "/")
	for i, s := range segments {
		segments[i] = unescape(s, false)
	}
	base := strings.Split(Base, "/")
	if len(segments) < len(base) {
		return nil, false
	}
	for i, want := range base {
		if !strings.EqualFold(want, segments[i]) {
			return nil, false
		}
	}
	return segments[len(base):], true
}
