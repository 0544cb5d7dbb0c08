package api

import (
	"net/http"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// purge serves DELETE instances/{id}.
func (a *API) purge(w http.ResponseWriter, r request) {
	if err := history.CheckInstanceID(r.id()); err != nil {
		Problem(w, http.StatusNotFound, "There is no instance with this id.", err.Error())
		return
	}
	if err := a.client.Purge(r.Context(), r.id()); err != nil {
		Error(w, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Deleted int `json:"instancesDeleted"`
	}{1})
}
