package dashboard

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
)

const pageSize = 50

var statuses = []durable.Status{
	durable.Running, durable.Pending, durable.Suspended, durable.Completed, durable.Failed, durable.Terminated,
}

type listPage struct {
	head
	Filters []filter
	Prefix  string
	// Status is the chosen one, kept by the search form.
	Status durable.Status
	Rows   []row
	Next   string
	// Done says what a form has done.
	Done string
	// Empty says why there are no rows.
	Empty string
}

// filter is a link that shows the instances of one status.
type filter struct {
	Name, URL string
	Chosen    bool
}

type row struct {
	ID, URL, Name string
	Status        durable.Status
	CustomStatus  string
	Created       moment
}

func (d *dashboard) list(w http.ResponseWriter, r *http.Request) {
	form := r.URL.Query()
	p := listPage{head: d.head("Instances"), Prefix: form.Get("prefix"), Status: durable.Status(form.Get("status"))}
	if !slices.Contains(statuses, p.Status) {
		p.Status = ""
	}
	if form.Get("done") == "purge" {
		p.Done = purged
	}
	p.follow(r)
	p.Filters = p.filters()
	q := durable.Query{IDPrefix: p.Prefix, Limit: pageSize, Continue: form.Get("after")}
	if p.Status != "" {
		q.Statuses = []durable.Status{p.Status}
	}
	found, err := d.client.List(r.Context(), q)
	if err != nil {
		d.message(w, statusOf(err), "The instances cannot be listed: "+sentence(err))
		return
	}
	now := time.Now()
	for _, in := range found.Instances {
		p.Rows = append(p.Rows, row{
			ID: in.ID, URL: instanceURL(in.ID), Name: in.Name, Status: in.Status,
			CustomStatus: oneLine(in.CustomStatus), Created: momentOf(in.Created, now),
		})
	}
	if found.Continue != "" {
		p.Next = p.url(url.Values{"after": {found.Continue}})
	}
	p.Empty = p.empty(q.Continue != "" || found.Continue != "")
	d.render(w, http.StatusOK, "list", p)
}

func (p *listPage) filters() []filter {
	filters := []filter{{Name: "All", URL: p.urlOf(""), Chosen: p.Status == ""}}
	for _, s := range statuses {
		filters = append(filters, filter{Name: string(s), URL: p.urlOf(s), Chosen: p.Status == s})
	}
	return filters
}

// url is the list's URL with what is chosen now and more.
func (p *listPage) url(more url.Values) string {
	if p.Status != "" {
		more.Set("status", string(p.Status))
	}
	if p.Prefix != "" {
		more.Set("prefix", p.Prefix)
	}
	if len(more) == 0 {
		return "/"
	}
	return "/?" + more.Encode()
}

func (p *listPage) urlOf(s durable.Status) string {
	other := listPage{Status: s, Prefix: p.Prefix}
	more := url.Values{}
	if p.Follow {
		more.Set("follow", "1")
	}
	return other.url(more)
}

func (p *listPage) empty(paged bool) string {
	var with []string
	if p.Status != "" {
		with = append(with, "that is "+string(p.Status))
	}
	if p.Prefix != "" {
		with = append(with, "whose id begins with “"+p.Prefix+"”")
	}
	switch {
	case paged:
		return "Nothing on this page."
	case len(with) > 0:
		return "There is no instance " + strings.Join(with, " and ") + "."
	}
	return "There are no instances yet. Start one, and it shows up here."
}

// follow reads and links the page that loads itself again.
func (h *head) follow(r *http.Request) {
	form := r.URL.Query()
	h.Follow = form.Get("follow") == "1"
	form.Del("done")
	form.Set("follow", "1")
	if h.Follow {
		form.Del("follow")
	}
	h.Again = r.URL.EscapedPath()
	if len(form) > 0 {
		h.Again += "?" + form.Encode()
	}
}
