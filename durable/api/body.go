package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"
)

// MaxBody is how large the body of a request may be: Amazon API Gateway and Lambda pass on no more than this safely.
const MaxBody = 4 << 20

// readBody reads the whole body of a request; empty and blank bodies are nil. When it cannot, it answers with the
// problem and returns false.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		Problem(w, http.StatusRequestEntityTooLarge, "The body is too large.", "At most 4 MiB are accepted: pass a reference to larger data.")
		return nil, false
	case err != nil:
		Problem(w, http.StatusBadRequest, "The body cannot be read.", err.Error())
		return nil, false
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if data = bytes.Trim(data, " \t\r\n"); len(data) == 0 {
		return nil, true
	}
	return data, true
}

// readJSON is readBody for a body that must be JSON, or nothing.
func readJSON(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	data, ok := readBody(w, r)
	return data, ok && wantJSON(w, data)
}

// wantJSON answers with the problem, and returns false, when a body is not JSON.
func wantJSON(w http.ResponseWriter, data []byte) bool {
	err := checkJSON(data)
	if err != nil {
		Problem(w, http.StatusBadRequest, "The body is not valid JSON.", explainJSON(err, "body"))
	}
	return err == nil
}

// checkJSON refuses a body that is not JSON in UTF-8.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("the body is not in UTF-8")
	}
	if len(data) == 0 || json.Valid(data) {
		return nil
	}
	var ignored any
	return json.Unmarshal(data, &ignored)
}
