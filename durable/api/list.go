package api

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
)

// continuationHeader carries the token of the next page, in the answer and in the request for that page.
const continuationHeader = "x-ms-continuation-token"

// continuation encodes tokens. It is strict, so that each has one spelling.
var continuation = base64.RawURLEncoding.Strict()

// list serves GET instances.
func (a *API) list(w http.ResponseWriter, r request) {
	query, ok := a.query(w, r)
	if !ok {
		return
	}
	showInput := r.query.flag("showInput", true)
	query.NoInput, query.Limit = !showInput, r.query.count("top")
	page, err := a.client.List(r.Context(), query)
	if err != nil {
		Error(w, err)
		return
	}
	body := make([]statusObject, len(page.Instances))
	for i, instance := range page.Instances {
		body[i] = statusOf(instance, showInput)
	}
	goOn(w, page.Continue)
	writeJSON(w, http.StatusOK, body)
}

// query is what a request selects. When its token is none, it answers with the problem and returns false.
func (a *API) query(w http.ResponseWriter, r request) (durable.Query, bool) {
	token, err := continuation.DecodeString(r.Header.Get(continuationHeader))
	if err != nil {
		Problem(w, http.StatusBadRequest, "The continuation token is not one of this API's.",
			"Send the "+continuationHeader+" header of the page before as it is, or none for the first page.")
		return durable.Query{}, false
	}
	return durable.Query{
		IDPrefix:     r.query.text("instanceIdPrefix"),
		From:         r.query.time("createdTimeFrom"),
		To:           r.query.time("createdTimeTo"),
		Statuses:     statuses(r.query.list("runtimeStatus")),
		Names:        r.query.texts("name"),
		Tags:         r.query.tags("tag"),
		CustomStatus: r.query.text("customStatus"),
		Text:         r.query.text("q"),
		Continue:     string(token),
	}, true
}

// goOn says where the next page begins, if there is one.
func goOn(w http.ResponseWriter, token string) {
	if token != "" {
		// A header holds ASCII only, and the token may hold an instance id of any script.
		w.Header().Set(continuationHeader, continuation.EncodeToString([]byte(token)))
	}
}

// statuses drops the names that are none; when nothing is left, every status is meant.
func statuses(names []string) []durable.Status {
	var known []durable.Status
	for _, name := range names {
		for _, s := range []durable.Status{
			durable.Pending, durable.Running, durable.Suspended, durable.ContinuedAsNew,
			durable.Completed, durable.Failed, durable.Canceled, durable.Terminated,
		} {
			if strings.EqualFold(name, string(s)) {
				known = append(known, s)
			}
		}
	}
	return known
}
