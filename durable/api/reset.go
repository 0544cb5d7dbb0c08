package api

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// resetBody is what a reset is asked for with. A result or input that is null is one; absent it is none.
type resetBody struct {
	Operation string          `json:"operation"`
	Result    json.RawMessage `json:"result"`
	Input     json.RawMessage `json:"input"`
	Reason    string          `json:"reason"`
}

// reset serves POST instances/{id}/reset. Durable Functions has nothing like it. A member that is not known is refused: without it,
// what was to be replaced would run again instead.
func (a *API) reset(w http.ResponseWriter, r request) {
	if err := history.CheckInstanceID(r.id()); err != nil {
		Problem(w, http.StatusNotFound, "There is no instance with this id.", err.Error())
		return
	}
	data, ok := readJSON(w, r.Request)
	if !ok {
		return
	}
	var body resetBody
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&body)
	if err != nil || body.Operation == "" {
		why := `Send {"operation":"2"} with "result" or "input", if it is to have another one, and "reason"; the operation is "start" for the beginning.`
		if err != nil && len(data) > 0 {
			why = explainJSON(err, "body") + ". " + why
		}
		Problem(w, http.StatusBadRequest, "The body does not say what to reset.", why)
		return
	}
	err = a.client.Reset(r.Context(), durable.ResetRequest{Instance: r.id(), Operation: body.Operation,
		Result: body.Result, Input: body.Input, Reason: body.Reason, ID: r.query.text(messageKey)})
	if err != nil {
		Error(w, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
