package httpclient

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
)

// sentinels by the names that the API gives them.
var sentinels = map[string]error{
	"NotFound": durable.ErrNotFound, "Exists": durable.ErrExists, "Ended": durable.ErrEnded, "NotEnded": durable.ErrNotEnded, "NotFailed": durable.ErrNotFailed,
	"Suspended": durable.ErrSuspended, "NotSuspended": durable.ErrNotSuspended, "NotResettable": durable.ErrNotResettable, "NotPending": durable.ErrNotPending, "Invalid": durable.ErrInvalid,
}

// refused is an answer that is none.
type refused struct {
	status int
	// name of the durable error, if it is one.
	name, text string
}

func (f *refused) Error() string {
	if f.text == "" {
		return fmt.Sprintf("the answer is %d %s", f.status, http.StatusText(f.status))
	}
	return fmt.Sprintf("%s (%d)", f.text, f.status)
}

// Unwrap is the error of durable that it stands for.
func (f *refused) Unwrap() error { return sentinels[f.name] }

// refusedBy reads a problem. One without a name, which the API has checked itself, is what its status means on the route; an answer that
// the API has not made, a gateway's, is none of these.
func refusedBy(k call, a *answer) *refused {
	f := &refused{status: a.status}
	var p struct{ Title, Detail, Message, Error string }
	var sentence string
	switch {
	case json.Unmarshal(a.body, &sentence) == nil: // a rewind's
		f.text = sentence
	case json.Unmarshal(a.body, &p) == nil && p.Detail != "" && p.Title != "":
		f.name, f.text = p.Error, p.Detail
		if p.Message != p.Detail {
			f.text = strings.TrimSuffix(p.Message, ".") + ": " + p.Detail
		}
	default:
		return f
	}
	if f.name == "" {
		f.name = map[int]string{http.StatusBadRequest: "Invalid", http.StatusRequestEntityTooLarge: "Invalid", http.StatusNotFound: "NotFound", http.StatusGone: "Ended",
			http.StatusPreconditionFailed: map[string]string{"rewind": "NotFailed"}[k.what]}[a.status]
	}
	return f
}

// explain says what a call was for, and what to do where nobody else says so.
func explain(k call, err error) error {
	what := k.what
	if k.names != "" {
		what += " " + k.names
	}
	f, ok := err.(*refused)
	switch {
	case !ok:
		return fmt.Errorf("httpclient: %s: %w", what, err)
	case f.status == http.StatusUnauthorized && f.text == "":
		return fmt.Errorf("httpclient: %s: %w: the API needs a signed request, or a key: set Config.Authorize", what, err)
	case f.status == http.StatusForbidden && f.text == "":
		return fmt.Errorf("httpclient: %s: %w: the caller may not do this, or the request is not signed as the API wants it", what, err)
	case f.status == http.StatusNotFound && f.text == "":
		return fmt.Errorf("httpclient: %s: %w: no management API answers there: check Config.URL", what, err)
	}
	return fmt.Errorf("httpclient: %s: %w", what, err)
}
