package contract

import "slices"

// POST /instances/{id}/raiseEvent/{eventName}. What is wrong is looked for in this order: the instance, its status, the content type, the JSON.
var events = []Case{
	{name: "an event is accepted", of: running, calls: []call{post("/instances/{id}/raiseEvent/Word", `{"x":1}`, 202, bare)}},
	{name: "an event without data is accepted", of: running, calls: []call{post("/instances/{id}/raiseEvent/Word", "", 202, bare)}},
	{name: "an event is accepted by one that is suspended", of: suspended, calls: []call{post("/instances/{id}/raiseevent/Word", "1", 202, bare)}},
	{name: "an event for nobody is 404, whatever it is", calls: []call{
		{method: "POST", path: "/instances/{new}/raiseEvent/Word", body: "{", header: [2]string{"Content-Type", "text/plain"}, want: 404, holds: []check{isProblem("no instance")}}}},
	{name: "an event for one that has ended is 410, whatever it is", of: completed, calls: []call{
		{method: "POST", path: "/instances/{id}/raiseEvent/Word", body: "{", header: [2]string{"Content-Type", "text/plain"}, want: 410, holds: []check{isProblem("ended")}}}},
	{name: "an event of another content type is refused, whatever it holds", of: running, calls: []call{
		{method: "POST", path: "/instances/{id}/raiseEvent/Word", body: "{", header: [2]string{"Content-Type", "text/plain"}, want: 400, holds: []check{isProblem("application/json")}}}},
	{name: "an event that is no JSON is refused", of: running, calls: []call{post("/instances/{id}/raiseEvent/Word", "{", 400, isProblem("not valid JSON"))}},
}

// POST /instances/{id}/terminate, suspend and resume.
var commands = slices.Concat(ofAll("terminate", completed, failed, terminated), ofAll("suspend", completed, failed, terminated), ofAll("resume", completed, failed, terminated), []Case{
	{name: "terminate ends an instance, and the output is the reason", of: running, own: true, calls: []call{
		post("/instances/{id}/terminate?reason=not%20needed+%C3%A4", "", 202, bare),
		becomes(terminated), get(200, "{id}", has("output", `"not needed ä"`))}},
	{name: "terminate ends one that is suspended", of: suspended, own: true, calls: []call{post("/instances/{id}/terminate", "", 202, bare), becomes(terminated)}},
	{name: "a reason may have a % that encodes nothing", of: running, own: true, direct: true, calls: []call{
		post("/instances/{id}/terminate?reason=100%", "", 202, bare), becomes(terminated), get(200, "{id}", has("output", `"100%"`))}},
	{name: "suspend and resume", of: running, own: true, calls: []call{
		post("/instances/{id}/suspend?reason=why", "", 202, bare), becomes(suspended), get(202, "{id}", has("suspendReason", `"why"`)),
		post("/instances/{id}/resume?reason=why", "", 202, bare), becomes(running), get(202, "{id}", lacks("suspendReason"))}},
	{name: "suspend of one that is suspended is 409", of: suspended, calls: []call{post("/instances/{id}/suspend", "", 409, isProblem("suspended"))}},
	{name: "resume of one that is not suspended is 409", of: running, calls: []call{post("/instances/{id}/resume", "", 409, isProblem("not suspended"))}},
})

// ofAll are the cases that commands have in common: nobody is 404, and what has ended is 410.
func ofAll(verb string, ended ...state) []Case {
	all := []Case{{name: verb + " of nobody is 404", calls: []call{post("/instances/{new}/"+verb+"?reason=x", "", 404, isProblem("no instance"))}}}
	for _, s := range ended {
		all = append(all, Case{name: verb + " of one that is " + string(s) + " is 410", of: s, calls: []call{post("/instances/{id}/"+verb+"?reason=x", "", 410, isProblem("ended"))}})
	}
	return all
}

// POST /instances/{id}/rewind and restart.
var rewinds = []Case{
	{name: "rewind of one that has failed is accepted", of: failed, own: true, calls: []call{post("/instances/{id}/rewind?reason=mended", "", 202, bare),
		{method: "GET", path: "/instances/{id}?showHistory=true", want: 200, until: true, holds: []check{contains("historyEvents", `"EventType":"ExecutionRewound"`)}}}},
	{name: "rewind of nobody is 404, with a string", calls: []call{post("/instances/{new}/rewind", "", 404, isString)}},
	{name: "rewind of one that is completed is 412, with a string", of: completed, calls: []call{post("/instances/{id}/rewind", "", 412, isString)}},
	{name: "rewind of one that is running is 412, with a string", of: running, calls: []call{post("/instances/{id}/rewind", "", 412, isString)}},
	{name: "restart starts another instance with the same input", of: completed, calls: []call{
		post("/instances/{id}/restart", "", 202, checkStatus(""), another),
		{method: "GET", path: "/instances/{last}", want: 200, until: true, holds: []check{has("name", `"Chain"`), has("input", `{"activities":1}`), has("output", "1")}}}},
	{name: "restart takes the place of one that has ended", of: failed, own: true, calls: []call{
		post("/instances/{id}/restart?restartWithNewInstanceId=false", "", 202, checkStatus(""), named("{id}")), becomes(failed)}},
	{name: "restart of a live one is another instance", of: running, calls: []call{post("/instances/{id}/restart?restartWithNewInstanceId=true", "", 202, checkStatus(""), another)}},
	{name: "restart in the place of a live one is 409", of: running, calls: []call{post("/instances/{id}/restart?restartWithNewInstanceId=False", "", 409, isProblem("exists"))}},
	{name: "restart of nobody is 404", calls: []call{post("/instances/{new}/restart", "", 404, isProblem("no instance"))}},
}

// DELETE /instances/{id} and /instances.
var purges = []Case{
	{name: "purge removes one that has ended", of: completed, own: true, calls: []call{
		purge("/instances/{id}", 200, is(`{"instancesDeleted":1}`)), get(404, "{id}"), purge("/instances/{id}", 404, isProblem("no instance"))}},
	{name: "purge of nobody is 404", calls: []call{purge("/instances/{new}", 404, isProblem("no instance"))}},
	{name: "purge of one that has not ended is 412", of: running, calls: []call{purge("/instances/{id}", 412, isProblem("not ended")), get(202, "{id}")}},
	{name: "purge of many removes what has ended, and says how many", of: terminated, own: true, calls: []call{
		{method: "POST", path: nap + "/{word}live", body: hour, want: 202},
		purge("/instances?createdTimeFrom=2001-01-01T00:00:00Z&instanceIdPrefix={word}", 200, is(`{"instancesDeleted":1}`)),
		get(404, "{id}"), get(202, "{word}live", has("name", `"Nap"`))}},
	{name: "purge of many leaves what has not ended, whatever it is told", of: running, calls: []call{
		purge("/instances?createdTimeFrom=2001-01-01T00:00:00Z&instanceIdPrefix={id}&runtimeStatus=Running", 404, isProblem("no instance")), get(202, "{id}")}},
	{name: "purge of many by time and status", of: completed, calls: []call{
		purge("/instances?createdTimeFrom=2001-01-01T00:00:00Z&createdTimeTo=2001-01-02T00:00:00Z&instanceIdPrefix={id}", 404),
		purge("/instances?createdTimeFrom=2001-01-01T00:00:00Z&runtimeStatus=Failed,Terminated&instanceIdPrefix={id}", 404), get(200, "{id}")}},
	{name: "purge of many needs to know since when", calls: []call{purge("/instances?instanceIdPrefix={new}", 400, isProblem("createdTimeFrom"))}},
}

// Entities are not there yet, and say so: 404 would say that there is none of that name.
var entities = []Case{
	{name: "entities are not there yet", calls: []call{
		{method: "GET", path: "/entities", want: 501, holds: []check{isProblem("entities")}},
		{method: "GET", path: "/entities/counter", want: 501, holds: []check{isProblem("entities")}},
		{method: "GET", path: "/entities/counter/one", want: 501, holds: []check{isProblem("entity")}},
		post("/entities/counter/one?op=add", "1", 501, isProblem("entity")),
		post("/entities/counter?op=add", "1", 501, isProblem("entity")),
		{method: "DELETE", path: "/entities/counter/one", want: 501, holds: []check{isProblem("entity")}}}},
}

// Paths and verbs.
var paths = []Case{
	{name: "literals match in any case, and a slash at the end counts for nothing", of: completed, calls: []call{
		{method: "GET", path: "/Instances/{id}/", want: 200, holds: []check{status(completed)}},
		post("/INSTANCES/{id}/TERMINATE/", "", 410, isProblem("ended"))}},
	{name: "ids match as they are", of: completed, calls: []call{{method: "GET", path: "/instances/{id}X", want: 404}}},
	{name: "the base matches in any case", of: completed, direct: true, calls: []call{
		{method: "GET", base: "/RUNTIME/webHooks/DurableTask", path: "/instances/{id}", want: 200, holds: []check{status(completed)}}}},
	{name: "a wrong verb is 404 without a body", of: completed, calls: []call{
		{method: "PUT", path: "/instances/{id}", want: 404, holds: []check{bare}},
		{method: "GET", path: "/orchestrators/Chain", want: 404, holds: []check{bare}},
		post("/instances", "", 404, bare),
		{method: "DELETE", path: "/instances/{id}/terminate", want: 404, holds: []check{bare}}}},
	{name: "an unknown route is 404 without a body", of: completed, calls: []call{
		{method: "GET", path: "/nothing", want: 404, holds: []check{bare}},
		post("/instances/{id}/frobnicate", "", 404, bare),
		{method: "GET", path: "/instances/{id}/nothing", want: 404, holds: []check{bare}}}},
	{name: "the API describes itself", calls: []call{{method: "GET", path: "/openapi.json", want: 200, holds: []check{with(`"openapi":"3.1.`)}}}},
}

func post(path, body string, want int, holds ...check) call {
	return call{method: "POST", path: path, body: body, want: want, holds: holds}
}

func purge(path string, want int, holds ...check) call {
	return call{method: "DELETE", path: path, want: want, holds: holds}
}

func list(query string, holds ...check) call {
	return call{method: "GET", path: "/instances" + query, want: 200, holds: holds, until: true}
}
