package api

import (
	"encoding/json"
	"net/http"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// failureBody is what an outsider says of work that failed.
type failureBody struct {
	Message   string `json:"message"`
	Kind      string `json:"kind"`
	Permanent bool   `json:"permanent"`
	// Properties and Causes are what a program says of its error beside that.
	Properties map[string]string `json:"properties"`
	Causes     []history.Failure `json:"causes"`
}

// complete serves POST activities/{token}/complete: the body is the result.
func (a *API) complete(w http.ResponseWriter, r request) { a.report(w, r, durable.ReportResult) }

// beat serves POST activities/{token}/heartbeat: the body is the details, if there are any.
func (a *API) beat(w http.ResponseWriter, r request) { a.report(w, r, durable.ReportHeartbeat) }

// fail serves POST activities/{token}/fail.
func (a *API) fail(w http.ResponseWriter, r request) { a.report(w, r, durable.ReportFailure) }

func (a *API) report(w http.ResponseWriter, r request, what durable.Report) {
	if m, err := history.ParseToken(r.vars["{token}"]); err == nil {
		r.note.instance = m.Instance
	}
	data, ok := readJSON(w, r.Request)
	if !ok {
		return
	}
	req := durable.ReportRequest{Token: r.vars["{token}"], Activity: r.query.text("activity"), What: what, Data: data}
	if what == durable.ReportFailure {
		var f failureBody
		if err := json.Unmarshal(data, &f); err != nil || f.Message == "" {
			Problem(w, http.StatusBadRequest, "The body does not say why the activity failed.",
				`Send {"message":"why","kind":"a kind of error, if you like","permanent":true if retrying cannot help}.`)
			return
		}
		req.Data, req.Failure = nil, &history.Failure{Kind: f.Kind, Message: f.Message, Permanent: f.Permanent, Properties: f.Properties, Causes: f.Causes}
	}
	if err := a.client.Report(r.Context(), req); err != nil {
		Error(w, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
