package api

import (
	"mime"
	"net/http"

	"github.com/durable-lambda/durable-lambda/durable"
)

// raise serves POST instances/{id}/raiseEvent/{event}. Durable Functions checks in this order: the instance, its status,
// the content type, the JSON.
func (a *API) raise(w http.ResponseWriter, r request) {
	instance, ok := a.instance(w, r)
	if !ok {
		return
	}
	if instance.Status.Ended() {
		Problem(w, http.StatusGone, "The instance has ended.", "It is "+string(instance.Status)+" and takes no events any more.")
		return
	}
	data, ok := readBody(w, r.Request)
	if !ok {
		return
	}
	if len(data) > 0 && !isJSON(r.Header.Get("Content-Type")) {
		Problem(w, http.StatusBadRequest, "Only application/json is accepted.", "Send the event's data as JSON with the header Content-Type: application/json.")
		return
	}
	if !wantJSON(w, data) {
		return
	}
	err := a.client.Raise(r.Context(), durable.EventRequest{Instance: r.id(), Name: r.vars["{event}"], Data: data, ID: r.query.text(messageKey)})
	if err != nil {
		Error(w, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func isJSON(contentType string) bool {
	mediaType, _, _ := mime.ParseMediaType(contentType) // empty when there is none
	return mediaType == "application/json"
}
