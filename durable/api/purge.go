package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// purgeBudget is how long one request purges. API Gateway gives up after 29 seconds.
const purgeBudget = 20 * time.Second

// purged says how many instances are gone.
type purged struct {
	Deleted int `json:"instancesDeleted"`
}

// purge serves DELETE instances/{id}.
func (a *API) purge(w http.ResponseWriter, r request) {
	if err := history.CheckInstanceID(r.id()); err != nil {
		Problem(w, http.StatusNotFound, "There is no instance with this id.", err.Error())
		return
	}
	n, err := 1, error(nil)
	if r.query.flag("recursive", false) {
		n, err = durable.PurgeTree(r.Context(), a.client, r.id())
	} else {
		err = a.client.Purge(r.Context(), r.id())
	}
	if err != nil {
		Error(w, err)
		return
	}
	r.note.purged = n
	writeJSON(w, http.StatusOK, purged{n})
}

// purgeWhere serves DELETE instances. What takes longer than one request is gone on with as a list is: the answer has the
// token of the rest.
func (a *API) purgeWhere(w http.ResponseWriter, r request) {
	query, ok := a.query(w, r)
	if !ok {
		return
	}
	if query.From.IsZero() {
		Problem(w, http.StatusBadRequest, "The createdTimeFrom is missing.",
			"Say from when on instances were created that are to be purged, as in createdTimeFrom=2026-01-01T00:00:00Z.")
		return
	}
	// A list may ignore a label that is none. Here that would delete what was not meant.
	for _, tag := range r.query.texts("tag") {
		if key, _, ok := strings.Cut(tag, "="); !ok || key == "" {
			Problem(w, http.StatusBadRequest, "A tag is not valid.", "Write it as tag=key=value.")
			return
		}
	}
	budget := purgeBudget
	if a.maxWait > 0 {
		budget = min(budget, a.maxWait)
	}
	done, err := a.client.PurgeWhere(r.Context(), durable.PurgeRequest{Where: query, Budget: budget})
	r.note.purged = done.Instances
	switch {
	case err != nil:
		Error(w, err)
	case done.Instances == 0 && done.Continue == "" && query.Continue == "":
		Problem(w, http.StatusNotFound, "There is no instance to purge.", "No instance that has ended is what the query selects.")
	default:
		goOn(w, done.Continue)
		writeJSON(w, http.StatusOK, purged{done.Instances})
	}
}
