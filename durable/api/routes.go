package api

import (
	"net/http"
	"slices"

	"github.com/durable-lambda/durable-lambda/durable/access"
)

var startHeaders = []string{"Idempotency-Key", "traceparent", "tracestate"}

var (
	started    = map[int]string{200: anyJSON, 202: "StatusOrCheckStatus", 409: "Problem"}
	accepted   = map[int]string{202: "", 404: "Problem", 410: "Problem"}
	disturbed  = map[int]string{202: "", 404: "Problem", 409: "Problem", 410: "Problem"}
	reported   = map[int]string{202: "", 404: "Problem", 410: "Problem"}
	unheard    = map[int]string{501: "Problem"}
	terms      = []string{"version", "startAt", "tag", "reuse", "conflict"}
	listing    = slices.Concat(filters, []string{"showInput", "top"})
	pageHeader = []string{continuationHeader}
)

// routes are all that the API serves, beside the document that describes them.
var routes = []route{
	{http.MethodPost, []string{"orchestrators", "{name}"}, (*API).start, "start", access.Operate, about{
		summary: "Start an instance, with an id that is made up. The body is the input.",
		query:   slices.Concat(starts, terms), headers: startHeaders, body: anyJSON, answers: started}},
	{http.MethodPost, []string{"orchestrators", "{name}", "{id}"}, (*API).start, "start", access.Operate, about{
		summary: "Start an instance with this id. One that has ended is replaced.",
		query:   slices.Concat(starts, terms), headers: startHeaders, body: anyJSON, answers: started}},
	{http.MethodGet, []string{"instances"}, (*API).list, "list", access.Read, about{
		summary: "List instances, the newest first.",
		query:   listing, headers: pageHeader, answers: map[int]string{200: "Statuses"}}},
	{http.MethodGet, []string{"instances", "{id}"}, (*API).status, "read", access.Read, about{
		summary: "Show an instance: 202 while it has not ended.",
		query:   []string{"showInput", "showHistory", "showHistoryOutput", "returnInternalServerErrorOnFailure"},
		answers: map[int]string{200: "Status", 202: "Status", 404: "Problem"}}},
	{http.MethodGet, []string{"instances", "{id}", "history"}, (*API).history, "read history", access.Read, about{
		summary: "Show all that is recorded of an instance, a page at a time.", headers: pageHeader,
		answers: map[int]string{200: "Events", 404: "Problem"}}},
	{http.MethodPost, []string{"instances", "{id}", "raiseEvent", "{event}"}, (*API).raise, "raise event", access.Operate, about{
		summary: "Raise an external event. The body is its data.", query: []string{messageKey}, body: anyJSON, answers: accepted}},
	{http.MethodPost, []string{"instances", "{id}", "terminate"}, (*API).terminate, "terminate", access.Operate, about{
		summary: "End an instance where it is.", query: []string{"reason", "recursive", messageKey}, answers: accepted}},
	{http.MethodPost, []string{"instances", "{id}", "suspend"}, (*API).suspend, "suspend", access.Operate, about{
		summary: "Have an instance wait until it is resumed.", query: []string{"reason", messageKey}, answers: disturbed}},
	{http.MethodPost, []string{"instances", "{id}", "resume"}, (*API).resume, "resume", access.Operate, about{
		summary: "Have a suspended instance go on.", query: []string{"reason", messageKey}, answers: disturbed}},

	{http.MethodPost, []string{"activities", "{token}", "complete"}, (*API).complete, "complete activity", access.Operate, about{
		summary: "Report the result of an asynchronous activity: the body.", query: []string{"activity"}, body: anyJSON, answers: reported}},
	{http.MethodPost, []string{"activities", "{token}", "fail"}, (*API).fail, "fail activity", access.Operate, about{
		summary: "Report that an asynchronous activity has failed.", query: []string{"activity"}, body: "Failure", needsBody: true, answers: reported}},
	{http.MethodPost, []string{"activities", "{token}", "heartbeat"}, (*API).beat, "heartbeat", access.Operate, about{
		summary: "Say that an asynchronous activity goes on. The body is how far it has come.", query: []string{"activity"}, body: anyJSON, answers: reported}},

	{http.MethodDelete, []string{"instances"}, (*API).purgeWhere, "purge many", access.Administer, about{
		summary: "Remove instances that have ended. createdTimeFrom must be there; what cannot be read of tag, createdTimeTo or runtimeStatus is refused.",
		query:   slices.Concat(filters, []string{"top", "budget"}), must: []string{"createdTimeFrom"}, headers: pageHeader, answers: map[int]string{200: "Purged", 404: "Problem"}}},
	{http.MethodDelete, []string{"instances", "{id}"}, (*API).purge, "purge", access.Administer, about{
		summary: "Remove an instance that has ended.", query: []string{"recursive"},
		answers: map[int]string{200: "Purged", 404: "Problem", 412: "Problem"}}},
	{http.MethodPost, []string{"instances", "{id}", "rewind"}, (*API).rewind, "rewind", access.Administer, about{
		summary: "Have what failed run again.", query: []string{"reason", messageKey},
		answers: map[int]string{202: "", 404: "Sentence", 412: "Sentence"}}},
	{http.MethodPost, []string{"instances", "{id}", "restart"}, (*API).restart, "restart", access.Operate, about{
		summary: "Start an instance once more, with the same input.", query: slices.Concat(starts, []string{"restartWithNewInstanceId"}),
		answers: map[int]string{200: anyJSON, 202: "StatusOrCheckStatus", 404: "Problem", 409: "Problem"}}},
	{http.MethodPost, []string{"instances", "{id}", "reset"}, (*API).reset, "reset", access.Administer, about{
		summary: "Go back to an operation, and run again from there.", query: []string{messageKey}, body: "Reset", needsBody: true,
		answers: map[int]string{202: "", 404: "Problem", 409: "Problem"}}},

	{http.MethodGet, []string{"entities"}, unavailable("list entities"), "list entities", access.Read, about{
		summary: "Not available yet.", answers: unheard}},
	{http.MethodGet, []string{"entities", "{name}"}, unavailable("list entities"), "list entities", access.Read, about{
		summary: "Not available yet.", answers: unheard}},
	{http.MethodGet, []string{"entities", "{name}", "{key}"}, unavailable("read an entity"), "read an entity", access.Read, about{
		summary: "Not available yet.", answers: unheard}},
	{http.MethodPost, []string{"entities", "{name}"}, unavailable("signal an entity"), "signal an entity", access.Operate, about{
		summary: "Not available yet.", body: anyJSON, answers: unheard}},
	{http.MethodPost, []string{"entities", "{name}", "{key}"}, unavailable("signal an entity"), "signal an entity", access.Operate, about{
		summary: "Not available yet.", body: anyJSON, answers: unheard}},
	{http.MethodDelete, []string{"entities", "{name}", "{key}"}, unavailable("delete an entity"), "delete an entity", access.Operate, about{
		summary: "Not available yet.", answers: unheard}},
}
