package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

type instancePage struct {
	head
	ID, Name string
	Version  uint32
	Status   durable.Status
	Live     bool
	// URL is the page's own, under which its forms are.
	URL, JSONURL     string
	Created, Updated moment
	Tags             []tag
	// Why says in a sentence why the instance is what it is; Causes what its failure goes back to.
	Why    string
	Causes []string
	// Done says what a form has done, Refused why it has not.
	Done, Refused string
	// Event and Data are what the form to raise an event was filled in with.
	Event, Data string
	Payloads    []payload
	Timeline    []entry
	// LeftOut is how many entries the timeline does not show; NoHistory why it shows none.
	LeftOut   int
	NoHistory string
}

type tag struct{ Key, Value string }

// refused is a form that was not carried out: it is shown again with the reason.
type refused struct {
	status      int
	sentence    string
	event, data string
}

func (d *dashboard) instance(w http.ResponseWriter, r *http.Request) {
	d.showInstance(w, r, refused{status: http.StatusOK})
}

func (d *dashboard) showInstance(w http.ResponseWriter, r *http.Request, form refused) {
	id := r.PathValue("id")
	in, err := d.client.Get(r.Context(), id)
	if err != nil {
		d.message(w, statusOf(err), fmt.Sprintf("The instance “%s” cannot be shown: %s", id, sentence(err)))
		return
	}
	now := time.Now()
	p := instancePage{
		head: d.head(in.ID), ID: in.ID, Name: in.Name, Version: in.Version, Status: in.Status, Live: !in.Status.Ended(),
		URL: instanceURL(in.ID), JSONURL: jsonURL(in.ID),
		Created: momentOf(in.Created, now), Updated: momentOf(in.Updated, now), Tags: tagsOf(in.Tags),
		Why: why(in), Causes: causes(in.Failure), Done: done[r.URL.Query().Get("done")], Refused: form.sentence,
		Event: form.event, Data: form.data,
		Payloads: []payload{newPayload("Input", in.Input), newPayload("Custom status", in.CustomStatus), newPayload("Output", in.Output)},
	}
	p.follow(r)
	if r.Method != http.MethodGet {
		p.Follow, p.Again = false, p.URL+"?follow=1"
	}
	if events, err := d.client.History(r.Context(), in.ID); err != nil {
		p.NoHistory = "The history cannot be read: " + sentence(err)
	} else {
		p.Timeline = timeline(events)
		p.LeftOut = max(0, len(p.Timeline)-maxEntries)
		p.Timeline = p.Timeline[p.LeftOut:]
	}
	d.render(w, form.status, "instance", p)
}

func instanceURL(id string) string { return "/i/" + url.PathEscape(id) }

func jsonURL(id string) string {
	return api.Base + "/instances/" + url.PathEscape(id) + "?showHistory=true&showHistoryOutput=true"
}

func tagsOf(tags map[string]string) []tag {
	var sorted []tag
	for key, value := range tags {
		sorted = append(sorted, tag{key, value})
	}
	slices.SortFunc(sorted, func(a, b tag) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	return sorted
}

// why says what is behind the status of an instance; nothing when that says it all.
func why(in durable.Instance) string {
	switch {
	case in.Status == durable.Failed && in.Failure != nil:
		return "It failed: " + failure(in.Failure)
	case in.Status == durable.Failed:
		return "It failed: " + full(text(in.Output))
	case in.Status == durable.Terminated && text(in.Output) != "":
		return "It was terminated: " + full(text(in.Output))
	case in.Status == durable.Terminated:
		return "It was terminated, and nobody said why."
	case in.Status == durable.Suspended && in.SuspendReason != "":
		return "It is suspended: " + full(in.SuspendReason) + " It keeps every message until it is resumed."
	case in.Status == durable.Suspended:
		return "It is suspended, and nobody said why. It keeps every message until it is resumed."
	}
	return ""
}

func causes(f *history.Failure) []string {
	if f == nil {
		return nil
	}
	var all []string
	for i := range f.Causes {
		all = append(all, failure(&f.Causes[i]))
		all = append(all, causes(&f.Causes[i])...)
	}
	return all
}

// text is a JSON string's text, and any other value's JSON.
func text(value json.RawMessage) string {
	var s string
	if err := json.Unmarshal(value, &s); err == nil {
		return s
	}
	if string(value) == "null" {
		return ""
	}
	return string(value)
}
