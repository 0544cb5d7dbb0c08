package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// Links are the URLs by which an instance is managed: the body of a check-status answer, its members in Durable
// Functions' order. Clients replace {eventName} and {text} in them, and append to their queries.
type Links struct {
	ID                    string `json:"id"`
	StatusQueryGetURI     string `json:"statusQueryGetUri"`
	SendEventPostURI      string `json:"sendEventPostUri"`
	TerminatePostURI      string `json:"terminatePostUri"`
	RewindPostURI         string `json:"rewindPostUri"`
	PurgeHistoryDeleteURI string `json:"purgeHistoryDeleteUri"`
	RestartPostURI        string `json:"restartPostUri"`
	SuspendPostURI        string `json:"suspendPostUri"`
	ResumePostURI         string `json:"resumePostUri"`
}

// Links returns the links of an instance for whoever sent the request. They carry the request's taskHub, connection and
// code.
func (a *API) Links(r *http.Request, id string) Links {
	instance := a.origin(r) + Base + "/instances/" + escape(id)
	carried := a.carried(parseQuery(r.URL.RawQuery))
	return Links{
		ID:                    id,
		StatusQueryGetURI:     instance + "?" + carried,
		SendEventPostURI:      instance + "/raiseEvent/{eventName}?" + carried,
		TerminatePostURI:      instance + "/terminate?reason={text}&" + carried,
		RewindPostURI:         instance + "/rewind?reason={text}&" + carried,
		PurgeHistoryDeleteURI: instance + "?" + carried,
		RestartPostURI:        instance + "/restart?" + carried,
		SuspendPostURI:        instance + "/suspend?reason={text}&" + carried,
		ResumePostURI:         instance + "/resume?reason={text}&" + carried,
	}
}

// Accepted answers a request that has started an instance, or that found it running: 202 with the instance's links, where
// its status is, and that it is worth asking again in 10 seconds. It is for an application's own routes too.
func (a *API) Accepted(w http.ResponseWriter, r *http.Request, id string) {
	links := a.Links(r, id)
	w.Header().Set("Location", links.StatusQueryGetURI)
	w.Header().Set("Retry-After", "10")
	writeJSON(w, http.StatusAccepted, links)
}

// WithPublicURL returns a context for a request whose links are to begin with base, as in "https://example.com/prod". It
// is for what turns the events of a gateway into requests, and knows from the event how the client reached it.
// Config.PublicURL, where there is one, comes first. An empty base makes links without a scheme and host.
func WithPublicURL(ctx context.Context, base string) context.Context {
	return context.WithValue(ctx, publicURLKey{}, strings.TrimRight(base, "/"))
}

type publicURLKey struct{}

// origin is what the links of an answer begin with.
func (a *API) origin(r *http.Request) string {
	base, given := r.Context().Value(publicURLKey{}).(string)
	switch {
	case a.publicURL != "":
		return a.publicURL
	case given:
		return base
	case r.URL.Scheme != "" && r.URL.Host != "":
		return r.URL.Scheme + "://" + r.URL.Host
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// carried is the query that every link has.
func (a *API) carried(q query) string {
	hub := q.text("taskHub")
	if strings.TrimSpace(hub) == "" {
		hub = a.hub
	}
	carried := "taskHub=" + escape(hub)
	connection := q.text("connection")
	if connection == "" {
		connection = q.text("connectionName")
	}
	if connection != "" {
		carried += "&connection=" + escape(connection)
	}
	if code := q.text("code"); code != "" {
		carried += "&code=" + escape(code)
	}
	return carried
}

// escape encodes all but RFC 3986's unreserved characters, for a path or a query: a space is %20 in both.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
