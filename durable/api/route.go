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
}

var routes = []route{
	{http.MethodPost, []string{"orchestrators", "{name}"}, (*API).start, "start", access.Operate},
	{http.MethodPost, []string{"orchestrators", "{name}", "{id}"}, (*API).start, "start", access.Operate},
	{http.MethodGet, []string{"instances"}, (*API).list, "list", access.Read},
	{http.MethodGet, []string{"instances", "{id}"}, (*API).status, "read", access.Read},
	{http.MethodPost, []string{"instances", "{id}", "raiseEvent", "{event}"}, (*API).raise, "raise event", access.Operate},
	{http.MethodPost, []string{"instances", "{id}", "terminate"}, (*API).terminate, "terminate", access.Operate},
	{http.MethodPost, []string{"instances", "{id}", "suspend"}, (*API).suspend, "suspend", access.Operate},
	{http.MethodPost, []string{"instances", "{id}", "resume"}, (*API).resume, "resume", access.Operate},

	{http.MethodPost, []string{"activities", "{token}", "complete"}, (*API).complete, "complete activity", access.Operate},
	{http.MethodPost, []string{"activities", "{token}", "fail"}, (*API).fail, "fail activity", access.Operate},
	{http.MethodPost, []string{"activities", "{token}", "heartbeat"}, (*API).beat, "heartbeat", access.Operate},

	{http.MethodDelete, []string{"instances"}, (*API).purgeWhere, "purge many", access.Administer},
	{http.MethodDelete, []string{"instances", "{id}"}, (*API).purge, "purge", access.Administer},
	{http.MethodPost, []string{"instances", "{id}", "rewind"}, (*API).rewind, "rewind", access.Administer},
	{http.MethodPost, []string{"instances", "{id}", "restart"}, (*API).restart, "restart", access.Operate},
	{http.MethodPost, []string{"instances", "{id}", "reset"}, (*API).reset, "reset", access.Administer},
	{http.MethodGet, []string{"entities"}, unavailable("list entities"), "list entities", access.Read},
	{http.MethodGet, []string{"entities", "{name}"}, unavailable("list entities"), "list entities", access.Read},
	{http.MethodGet, []string{"entities", "{name}", "{key}"}, unavailable("read an entity"), "read an entity", access.Read},
	{http.MethodPost, []string{"entities", "{name}"}, unavailable("signal an entity"), "signal an entity", access.Operate},
	{http.MethodPost, []string{"entities", "{name}", "{key}"}, unavailable("signal an entity"), "signal an entity", access.Operate},
	{http.MethodDelete, []string{"entities", "{name}", "{key}"}, unavailable("delete an entity"), "delete an entity", access.Operate},
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
