package api

import "net/http"

// unavailable serves an operation that the contract has and this version cannot do. It is not 404: that would say that
// there is no such instance, or entity.
func unavailable(operation string) func(*API, http.ResponseWriter, request) {
	return func(_ *API, w http.ResponseWriter, _ request) {
		Problem(w, http.StatusNotImplemented, "Not available yet.", "This version cannot "+operation+".")
	}
}
