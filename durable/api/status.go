package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// statusObject is an instance as Durable Functions shows it: its members in its order, the first eight always there,
// and what it does not have after them.
type statusObject struct {
	Name            string            `json:"name"`
	InstanceID      string            `json:"instanceId"`
	RuntimeStatus   durable.Status    `json:"runtimeStatus"`
	Input           json.RawMessage   `json:"input"`
	CustomStatus    json.RawMessage   `json:"customStatus"`
	Output          json.RawMessage   `json:"output"`
	CreatedTime     string            `json:"createdTime"`
	LastUpdatedTime string            `json:"lastUpdatedTime"`
	HistoryEvents   []historyEvent    `json:"historyEvents,omitzero"`
	Tags            map[string]string `json:"tags,omitempty"`
	Version         uint32            `json:"version,omitempty"`
	FailureDetails  *failureDetails   `json:"failureDetails,omitempty"`
	SuspendReason   string            `json:"suspendReason,omitempty"`
	// Which life of the id it is, who has asked for it, when the code was to begin, and the times to the millisecond.
	Incarnation   string    `json:"incarnation,omitempty"`
	Parent        string    `json:"parentInstanceId,omitempty"`
	StartAt       time.Time `json:"startAt,omitzero"`
	CreatedAt     time.Time `json:"createdAt,omitzero"`
	LastUpdatedAt time.Time `json:"lastUpdatedAt,omitzero"`
}

// status serves GET instances/{id}.
func (a *API) status(w http.ResponseWriter, r request) {
	instance, ok := a.instance(w, r)
	if ok {
		a.writeStatus(w, r, instance)
	}
}

// instance returns the instance that the path names. When it cannot, it answers with the problem and returns false.
func (a *API) instance(w http.ResponseWriter, r request) (durable.Instance, bool) {
	if err := history.CheckInstanceID(r.id()); err != nil {
		Problem(w, http.StatusNotFound, "There is no instance with this id.", err.Error())
		return durable.Instance{}, false
	}
	instance, err := a.client.Get(r.Context(), r.id(), r.leaveOut()...)
	if err != nil {
		Error(w, err)
		return durable.Instance{}, false
	}
	return instance, true
}

// leaveOut is what of an instance need not be read.
func (r request) leaveOut() []durable.GetOption {
	if r.query.flag("showInput", true) {
		return nil
	}
	return []durable.GetOption{durable.NoInput}
}

func (a *API) writeStatus(w http.ResponseWriter, r request, instance durable.Instance) {
	showInput := r.query.flag("showInput", true)
	body := statusOf(instance, showInput)
	if r.query.flag("showHistory", false) {
		events, err := a.client.History(r.Context(), instance.ID)
		if err != nil {
			Error(w, err)
			return
		}
		body.HistoryEvents = historyView(events, showInput, r.query.flag("showHistoryOutput", false))
	}
	switch {
	case !instance.Status.Ended():
		w.Header().Set("Location", a.thisURL(r.Request))
		w.Header().Set("Retry-After", "5")
		writeJSON(w, http.StatusAccepted, body)
	case instance.Status == durable.Failed && r.query.flag("returnInternalServerErrorOnFailure", false):
		writeJSON(w, http.StatusInternalServerError, body)
	default:
		writeJSON(w, http.StatusOK, body)
	}
}

// thisURL is the absolute URL of the request.
func (a *API) thisURL(r *http.Request) string {
	u := a.origin(r) + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		u += "?" + asciiOnly(r.URL.RawQuery)
	}
	return u
}

// asciiOnly encodes what a client may send unencoded in a query, and what a header may not hold.
func asciiOnly(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] > ' ' && s[i] < 0x7f {
			b.WriteByte(s[i])
			continue
		}
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func statusOf(instance durable.Instance, showInput bool) statusObject {
	s := statusObject{
		Name:            instance.Name,
		InstanceID:      instance.ID,
		RuntimeStatus:   instance.Status,
		CustomStatus:    value(instance.CustomStatus),
		Output:          value(instance.Output),
		CreatedTime:     formatStatusTime(instance.Created),
		LastUpdatedTime: formatStatusTime(instance.Updated),
		Tags:            instance.Tags,
		Version:         instance.Version,
		SuspendReason:   instance.SuspendReason,
		Incarnation:     instance.Incarnation, Parent: instance.Parent, StartAt: instance.StartAt.UTC(),
		CreatedAt: instance.Created.UTC(), LastUpdatedAt: instance.Updated.UTC(),
	}
	if showInput {
		s.Input = value(instance.Input)
	}
	if instance.Failure != nil {
		s.FailureDetails = detailsOf(*instance.Failure)
	}
	return s
}

// failureDetails is Durable Functions' shape of a failure.
type failureDetails struct {
	ErrorType    string             `json:"errorType"`
	ErrorMessage string             `json:"errorMessage"`
	InnerFailure *failureDetails    `json:"innerFailure"`
	Properties   *failureProperties `json:"properties"`
}

type failureProperties struct {
	Activity  string `json:"activity,omitempty"`
	Instance  string `json:"instance,omitempty"`
	Attempt   uint32 `json:"attempt,omitempty"`
	Permanent bool   `json:"permanent,omitempty"`
	// Custom are the properties that the code gave the error.
	Custom map[string]string `json:"custom,omitempty"`
	// OtherCauses are those besides the inner failure: Durable Functions knows one.
	OtherCauses []*failureDetails `json:"otherCauses,omitempty"`
}

func detailsOf(f history.Failure) *failureDetails {
	d := &failureDetails{ErrorType: f.Kind, ErrorMessage: f.Message}
	p := failureProperties{Activity: f.Activity, Instance: f.Instance, Attempt: f.Attempt, Permanent: f.Permanent, Custom: f.Properties}
	for i, cause := range f.Causes {
		if i == 0 {
			d.InnerFailure = detailsOf(cause)
			continue
		}
		p.OtherCauses = append(p.OtherCauses, detailsOf(cause))
	}
	if p.Activity != "" || p.Instance != "" || p.Attempt != 0 || p.Permanent || p.OtherCauses != nil || p.Custom != nil {
		d.Properties = &p
	}
	return d
}
