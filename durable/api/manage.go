package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// messageKey is the identity of an event or a command: who sends it again, because an answer was lost, sends the same.
const messageKey = "messageId"

// terminate serves POST instances/{id}/terminate.
func (a *API) terminate(w http.ResponseWriter, r request) { a.manage(w, r, durable.Terminate) }

// suspend serves POST instances/{id}/suspend.
func (a *API) suspend(w http.ResponseWriter, r request) { a.manage(w, r, durable.Suspend) }

// resume serves POST instances/{id}/resume.
func (a *API) resume(w http.ResponseWriter, r request) { a.manage(w, r, durable.Resume) }

// rewind serves POST instances/{id}/rewind. Durable Functions answers its 404 and 412 with a JSON string.
func (a *API) rewind(w http.ResponseWriter, r request) {
	err := history.CheckInstanceID(r.id())
	if err == nil {
		err = a.client.Manage(r.Context(), durable.ManageRequest{Instance: r.id(), Command: durable.Rewind, Reason: r.query.text("reason"), ID: r.query.text(messageKey)})
	} else {
		err = fmt.Errorf("%w: %w", durable.ErrNotFound, err)
	}
	switch {
	case err == nil:
		w.WriteHeader(http.StatusAccepted)
	case errors.Is(err, durable.ErrNotFound):
		writeJSON(w, http.StatusNotFound, err.Error())
	case errors.Is(err, durable.ErrNotFailed):
		writeJSON(w, http.StatusPreconditionFailed, err.Error())
	default:
		Error(w, err)
	}
}

func (a *API) manage(w http.ResponseWriter, r request, command durable.Command) {
	if err := history.CheckInstanceID(r.id()); err != nil {
		Problem(w, http.StatusNotFound, "There is no instance with this id.", err.Error())
		return
	}
	err := a.client.Manage(r.Context(), durable.ManageRequest{
		Instance: r.id(), Command: command, Reason: r.query.text("reason"), Recursive: command == durable.Terminate && r.query.flag("recursive", false),
		ID: r.query.text(messageKey),
	})
	if err != nil {
		Error(w, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
