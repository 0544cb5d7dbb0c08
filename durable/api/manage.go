package api

import (
	"net/http"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// terminate serves POST instances/{id}/terminate.
func (a *API) terminate(w http.ResponseWriter, r request) { a.manage(w, r, durable.Terminate) }

// suspend serves POST instances/{id}/suspend.
func (a *API) suspend(w http.ResponseWriter, r request) { a.manage(w, r, durable.Suspend) }

// resume serves POST instances/{id}/resume.
func (a *API) resume(w http.ResponseWriter, r request) { a.manage(w, r, durable.Resume) }

func (a *API) manage(w http.ResponseWriter, r request, command durable.Command) {
	if err := history.CheckInstanceID(r.id()); err != nil {
		Problem(w, http.StatusNotFound, "There is no instance with this id.", err.Error())
		return
	}
	err := a.client.Manage(r.Context(), durable.ManageRequest{
		Instance: r.id(), Command: command, Reason: r.query.text("reason"),
	})
	if err != nil {
		Error(w, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
