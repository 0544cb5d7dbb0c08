package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable"
)

// problem is RFC 9457's object with the members by which Durable Functions' clients read an error.
type problem struct {
	Title            string `json:"title"`
	Status           int    `json:"status"`
	Detail           string `json:"detail"`
	Message          string `json:"Message"`
	ExceptionMessage string `json:"ExceptionMessage,omitempty"`
	// Error names the error of a durable.Client, for programs: one status may stand for several.
	Error string `json:"error,omitempty"`
}

// Problem answers with an error as application/problem+json. Message says what went wrong in a sentence, detail what to
// change; an empty detail repeats the message.
func Problem(w http.ResponseWriter, status int, message, detail string) {
	named(w, status, message, detail, "")
}

func named(w http.ResponseWriter, status int, message, detail, name string) {
	if detail == "" {
		detail = message
	}
	p := problem{Title: http.StatusText(status), Status: status, Detail: detail, Message: message, Error: name}
	if status == http.StatusBadRequest {
		p.ExceptionMessage = message
		if detail != message { // the Python client shows nothing else
			p.ExceptionMessage = strings.TrimSuffix(message, ".") + ": " + detail
		}
	}
	write(w, status, "application/problem+json", p)
}

// Error answers with the problem that an error of a durable.Client is: 404 for durable.ErrNotFound, 409 for ErrExists,
// ErrSuspended, ErrNotSuspended and ErrNotResettable, 410 for ErrEnded and ErrNotPending, 412 for ErrNotEnded and ErrNotFailed, 400 for ErrInvalid, and 500 for anything else.
func Error(w http.ResponseWriter, err error) {
	for _, known := range refusals {
		if errors.Is(err, known.cause) {
			named(w, known.status, known.message, err.Error(), known.name)
			return
		}
	}
	Problem(w, http.StatusInternalServerError, "Something went wrong while the request was processed.", err.Error())
}

type refusal struct {
	cause   error
	name    string
	status  int
	message string
}

var refusals = []refusal{
	{durable.ErrNotFound, "NotFound", http.StatusNotFound, "There is no instance with this id."},
	{durable.ErrEnded, "Ended", http.StatusGone, "The instance has ended."},
	{durable.ErrNotPending, "NotPending", http.StatusGone, "Nobody waits for this activity any more."},
	{durable.ErrNotEnded, "NotEnded", http.StatusPreconditionFailed, "The instance has not ended."},
	{durable.ErrNotFailed, "NotFailed", http.StatusPreconditionFailed, "The instance has not failed."},
	{durable.ErrExists, "Exists", http.StatusConflict, "An instance with this id exists and has not ended."},
	{durable.ErrSuspended, "Suspended", http.StatusConflict, "The instance is suspended already."},
	{durable.ErrNotSuspended, "NotSuspended", http.StatusConflict, "The instance is not suspended."},
	{durable.ErrNotResettable, "NotResettable", http.StatusConflict, "The instance cannot be reset so."},
	{durable.ErrInvalid, "Invalid", http.StatusBadRequest, "The request is not valid."},
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	write(w, status, "application/json; charset=utf-8", body)
}

func write(w http.ResponseWriter, status int, contentType string, body any) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		Problem(w, http.StatusInternalServerError, "The answer cannot be written as JSON.", err.Error())
		return
	}
	line := bytes.TrimSuffix(encoded.Bytes(), []byte("\n"))
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(line)))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The status is out: a client that has gone away cannot be told.
	_, _ = w.Write(line)
}

// value is a payload as a JSON value: null when there is none, and its text as a string should it not be JSON.
func value(payload []byte) json.RawMessage {
	if len(payload) == 0 {
		return json.RawMessage("null")
	}
	if json.Valid(payload) {
		return payload
	}
	text, _ := json.Marshal(string(payload))
	return text
}
