package api

import (
	"net/http"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// restart serves POST instances/{id}/restart.
func (a *API) restart(w http.ResponseWriter, r request) {
	waiting, err := a.waiting(r.query)
	if err != nil {
		Problem(w, http.StatusBadRequest, "The waiting time is not valid.", err.Error())
		return
	}
	if err := history.CheckInstanceID(r.id()); err != nil {
		Problem(w, http.StatusNotFound, "There is no instance with this id.", err.Error())
		return
	}
	ref, err := a.client.Restart(r.Context(), durable.RestartRequest{
		Instance: r.id(), NewID: r.query.flag("restartWithNewInstanceId", true),
	})
	r.note.started = ref.ID
	names(w, ref)
	switch {
	case err != nil:
		Error(w, err)
	case waiting.asked:
		a.answerAtEnd(w, r, ref.ID, waiting)
	default:
		a.Accepted(w, r.Request, ref.ID)
	}
}
