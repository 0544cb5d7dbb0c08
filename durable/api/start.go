package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// start serves POST orchestrators/{name}/{id?}.
func (a *API) start(w http.ResponseWriter, r request) {
	waiting, err := a.waiting(r.query)
	if err != nil {
		Problem(w, http.StatusBadRequest, "The waiting time is not valid.", err.Error())
		return
	}
	if id := r.id(); id != "" {
		if err := history.CheckInstanceID(id); err != nil {
			Problem(w, http.StatusBadRequest, "The instance id is not valid.", err.Error())
			return
		}
	}
	input, ok := a.input(w, r)
	if !ok {
		return
	}
	req := a.startRequest(r, input)
	if what, instead := r.query.terms(&req); what != "" {
		Problem(w, http.StatusBadRequest, what, instead)
		return
	}
	ref, err := a.startOnce(r.Context(), req, r.Header.Get("Idempotency-Key"))
	id := ref.ID
	if id != "" {
		r.note.instance = id // otherwise it is the one that was asked for
	}
	names(w, ref)
	switch {
	case err != nil:
		Error(w, err)
	case waiting.asked:
		a.answerAtEnd(w, r, id, waiting)
	default:
		a.Accepted(w, r.Request, id)
	}
}

// input returns the body as it was received, if it is an input that the orchestration takes. When it cannot, it answers with the
// problem and returns false.
func (a *API) input(w http.ResponseWriter, r request) (json.RawMessage, bool) {
	name := r.vars["{name}"]
	definition, known := a.definitions[name]
	if !known && len(a.definitions) > 0 {
		Problem(w, http.StatusBadRequest, fmt.Sprintf("There is no orchestration %q.", name),
			"The orchestrations are "+quoteAll(a.names)+".")
		return nil, false
	}
	body, ok := readBody(w, r.Request)
	if !ok {
		return nil, false
	}
	if err := checkJSON(body); err != nil {
		Problem(w, http.StatusBadRequest, "The body is not valid JSON.", explainJSON(err, "body"))
		return nil, false
	}
	if !known {
		return body, true
	}
	checked := body
	if checked == nil {
		checked = []byte("null")
	}
	if _, err := definition.CheckInput(checked); err != nil {
		Problem(w, http.StatusBadRequest, fmt.Sprintf("The orchestration %q does not take this input.", name), explainJSON(err, "input"))
		return nil, false
	}
	return body, true
}

func (a *API) startRequest(r request, input json.RawMessage) durable.StartRequest {
	var current uint32
	if d, ok := a.definitions[r.vars["{name}"]].(Versioned); ok {
		current = d.CurrentVersion()
	}
	req := durable.StartRequest{
		Name:    r.vars["{name}"],
		Version: r.query.version("version", current),
		ID:      r.id(),
		Input:   input,
	}
	if parent := r.Header.Get("traceparent"); traceParent.MatchString(parent) {
		req.TraceParent = parent
		if state := strings.Join(r.Header.Values("tracestate"), ","); len(state) <= maxTraceState {
			req.TraceState = state
		}
	}
	return req
}

// incarnationHeader names the life of an instance that an answer is about.
const incarnationHeader = "Durable-Incarnation"

func names(w http.ResponseWriter, ref durable.InstanceRef) {
	if ref.Incarnation != "" {
		w.Header().Set(incarnationHeader, ref.Incarnation)
	}
}

var conflicts = map[string]durable.Conflict{"": durable.RefuseStart, "refuse": durable.RefuseStart, "useexisting": durable.UseExisting, "usesame": durable.UseSame, "replaceexisting": durable.ReplaceExisting}

// terms reads on which terms an instance is to be started. What cannot be read is refused: without it something else would be started.
func (q query) terms(req *durable.StartRequest) (what, instead string) {
	if q.text("startAt") != "" {
		if req.At = q.time("startAt"); req.At.IsZero() {
			return "The startAt is not valid.", "Write it as in startAt=2026-01-01T00:00:00Z."
		}
	}
	conflict, ok := conflicts[strings.ToLower(q.text("conflict"))]
	if !ok {
		return fmt.Sprintf("There is no conflict %q.", q.text("conflict")), "It is refuse, useExisting, useSame or replaceExisting."
	}
	req.Conflict = conflict
	for _, name := range q.list("reuse") {
		found := statuses([]string{name})
		switch {
		case strings.EqualFold(name, "never"):
			req.Reuse |= durable.ReuseNever
		case len(found) == 1 && found[0].Ended():
			req.Reuse |= durable.ReuseWhen(found[0])
		default:
			return fmt.Sprintf("There is no reuse %q.", name), "It is never, or those of Completed, Failed, Terminated and Canceled that may be replaced, with commas between them."
		}
	}
	for _, tag := range q.texts("tag") {
		if key, _, ok := strings.Cut(tag, "="); !ok || key == "" {
			return "A tag is not valid.", "Write it as tag=key=value."
		}
	}
	req.Tags = q.tags("tag")
	return "", ""
}

// W3C Trace Context, version 1: what is not of this form is to be ignored, and a vendor may cut states over 512 bytes.
var traceParent = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}`)

const maxTraceState = 512

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	return strings.Join(quoted, ", ")
}
