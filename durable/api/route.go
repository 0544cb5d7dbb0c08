package api

import (
	"net/http"
	"net/url"
	"strings"
)

// request is a request with what its path and its query say.
type request struct {
	*http.Request
	query query
	vars  map[string]string
}

func (r request) id() string { return r.vars["{id}"] }

type route struct {
	method  string
	pattern []string
	serve   func(*API, http.ResponseWriter, request)
}

var routes = []route{
	{http.MethodPost, []string{"orchestrators", "{name}"}, (*API).start},
	{http.MethodPost, []string{"orchestrators", "{name}", "{id}"}, (*API).start},
	{http.MethodGet, []string{"instances"}, (*API).list},
	{http.MethodGet, []string{"instances", "{id}"}, (*API).status},
	{http.MethodPost, []string{"instances", "{id}", "raiseEvent", "{event}"}, (*API).raise},
	{http.MethodPost, []string{"instances", "{id}", "terminate"}, (*API).terminate},
	{http.MethodPost, []string{"instances", "{id}", "suspend"}, (*API).suspend},
	{http.MethodPost, []string{"instances", "{id}", "resume"}, (*API).resume},

	{http.MethodPost, []string{"activities", "{token}", "complete"}, (*API).complete},
	{http.MethodPost, []string{"activities", "{token}", "fail"}, (*API).fail},
	{http.MethodPost, []string{"activities", "{token}", "heartbeat"}, (*API).beat},

	{http.MethodDelete, []string{"instances"}, (*API).purgeWhere},
	{http.MethodDelete, []string{"instances", "{id}"}, (*API).purge},
	{http.MethodPost, []string{"instances", "{id}", "rewind"}, (*API).rewind},
	{http.MethodPost, []string{"instances", "{id}", "restart"}, (*API).restart},
	{http.MethodPost, []string{"instances", "{id}", "reset"}, (*API).reset},
	{http.MethodGet, []string{"entities"}, unavailable("list entities")},
	{http.MethodGet, []string{"entities", "{name}"}, unavailable("list entities")},
	{http.MethodGet, []string{"entities", "{name}", "{key}"}, unavailable("read an entity")},
	{http.MethodPost, []string{"entities", "{name}"}, unavailable("signal an entity")},
	{http.MethodPost, []string{"entities", "{name}", "{key}"}, unavailable("signal an entity")},
	{http.MethodDelete, []string{"entities", "{name}", "{key}"}, unavailable("delete an entity")},
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
