package httpclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

const continuation = "X-Ms-Continuation-Token"

// Get returns the status of an instance.
func (c *client) Get(ctx context.Context, id string, opts ...durable.GetOption) (durable.Instance, error) {
	q := url.Values{}
	for _, o := range opts {
		if o == durable.NoInput {
			q.Set("showInput", "false")
		}
	}
	a, err := c.do(ctx, call{what: "get", method: http.MethodGet, query: q, again: true}.of(id, ""))
	if err != nil {
		return durable.Instance{}, err
	}
	var s status
	err = decode(a, &s)
	return s.instance(), err
}

// List returns a page of instances.
func (c *client) List(ctx context.Context, q durable.Query) (durable.Page, error) {
	query, err := selection(q)
	if err != nil {
		return durable.Page{}, err
	}
	if q.NoInput {
		query.Set("showInput", "false")
	}
	a, err := c.do(ctx, call{what: "list", method: http.MethodGet, path: "/instances", query: query, header: from(q.Continue), again: true})
	if err != nil {
		return durable.Page{}, err
	}
	var all []status
	if err := decode(a, &all); err != nil {
		return durable.Page{}, err
	}
	page := durable.Page{Continue: a.header.Get(continuation)}
	for _, s := range all {
		page.Instances = append(page.Instances, s.instance())
	}
	return page, nil
}

func from(token string) http.Header {
	if token == "" {
		return nil
	}
	return http.Header{continuation: {token}}
}

func selection(q durable.Query) (url.Values, error) {
	out := url.Values{}
	set(out, "instanceIdPrefix", q.IDPrefix)
	if !q.From.IsZero() {
		out.Set("createdTimeFrom", instant(q.From))
	}
	if !q.To.IsZero() {
		out.Set("createdTimeTo", instant(q.To))
	}
	for _, s := range q.Statuses {
		switch s {
		case durable.Pending, durable.Running, durable.Suspended, durable.ContinuedAsNew, durable.Completed, durable.Failed, durable.Canceled, durable.Terminated:
			out.Add("runtimeStatus", string(s))
		default:
			return nil, fmt.Errorf("%w: there is no status %q", durable.ErrInvalid, s)
		}
	}
	for _, name := range q.Names {
		out.Add("name", name)
	}
	set(out, "customStatus", q.CustomStatus)
	set(out, "q", q.Text)
	if q.Limit > 0 {
		out.Set("top", strconv.Itoa(q.Limit))
	}
	return out, tags(out, q.Tags)
}

// History returns what happened in an instance so far.
func (c *client) History(ctx context.Context, id string) ([]durable.HistoryEvent, error) {
	var events []durable.HistoryEvent
	token := ""
	for begun := 0; ; {
		a, err := c.do(ctx, call{what: "history of", method: http.MethodGet, header: from(token), again: true}.of(id, "/history"))
		if token != "" && errors.Is(err, durable.ErrInvalid) && begun < 3 {
			events, token = nil, "" // it has begun anew in between
			begun++
			continue
		}
		if err != nil {
			return nil, err
		}
		var page []durable.HistoryEvent
		if err := decode(a, &page); err != nil {
			return nil, err
		}
		events = append(events, page...)
		if token = a.header.Get(continuation); token == "" {
			return events, nil
		}
	}
}

// Purge removes an instance that has ended.
func (c *client) Purge(ctx context.Context, id string) error {
	_, err := c.do(ctx, call{what: "purge", method: http.MethodDelete, again: true, done: "NotFound"}.of(id, ""))
	return err
}

// earliest is a time before all that there is: the API wants one for a purge.
var earliest = time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)

// PurgeWhere purges what a query selects, in as many requests as it takes.
func (c *client) PurgeWhere(ctx context.Context, req durable.PurgeRequest) (durable.Purged, error) {
	began, done := time.Now(), durable.Purged{Continue: req.Where.Continue}
	q := req.Where
	if q.From.IsZero() {
		q.From = earliest
	}
	for {
		left := req.Budget - time.Since(began)
		query, err := selection(q)
		if err != nil {
			return done, err
		}
		if req.Budget > 0 {
			query.Set("budget", strconv.FormatFloat(max(left, time.Millisecond).Seconds(), 'f', 3, 64))
		}
		a, err := c.do(ctx, call{what: "purge", method: http.MethodDelete, path: "/instances", query: query, header: from(done.Continue), again: true})
		if f := (*refused)(nil); errors.As(err, &f) && f.name == "NotFound" {
			return durable.Purged{Instances: done.Instances}, nil
		}
		if err != nil {
			return done, err
		}
		var gone struct {
			Deleted int `json:"instancesDeleted"`
		}
		if err := decode(a, &gone); err != nil {
			return done, err
		}
		done.Instances, done.Continue = done.Instances+gone.Deleted, a.header.Get(continuation)
		if q.Limit > 0 {
			q.Limit -= gone.Deleted
		}
		if done.Continue == "" || req.Where.Limit > 0 && q.Limit <= 0 || req.Budget > 0 && time.Since(began) >= req.Budget {
			return done, nil
		}
	}
}
