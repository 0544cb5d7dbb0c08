package api

import (
	"fmt"
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
	var err error
	if r.query.flag("recursive", false) {
		r.note.purged, err = durable.PurgeTree(r.Context(), a.client, r.id())
	} else if err = a.client.Purge(r.Context(), r.id()); err == nil {
		r.note.purged = 1
	}
	if err != nil {
		Error(w, err)
		return
	}
	writeJSON(w, http.StatusOK, purged{r.note.purged})
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
	if what, instead := r.query.unread(); what != "" {
		Problem(w, http.StatusBadRequest, what, instead)
		return
	}
	query.Limit = r.query.count("top")
	budget := purgeBudget
	if asked, ok := r.query.seconds("budget"); ok {
		budget = min(budget, max(asked, time.Millisecond))
	}
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

// unread says which condition cannot be read, and how to write it. A list ignores such a condition, as Durable Functions does. Here that would
// delete what was not meant.
func (q query) unread() (what, instead string) {
	for _, tag := range q.texts("tag") {
		if key, _, ok := strings.Cut(tag, "="); !ok || key == "" {
			return "A tag is not valid.", "Write it as tag=key=value."
		}
	}
	if q.text("createdTimeTo") != "" && q.time("createdTimeTo").IsZero() {
		return "The createdTimeTo is not valid.", "Write it as in createdTimeTo=2026-01-01T00:00:00Z, or leave it out."
	}
	for _, name := range q.list("runtimeStatus") {
		if len(statuses([]string{name})) == 0 {
			return fmt.Sprintf("There is no status %q.", name), "Instances that have ended are Completed, Failed or Terminated."
		}
	}
	return "", ""
}
