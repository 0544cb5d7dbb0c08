package contract

// GET /instances/{id}.
var reads = []Case{
	{name: "what has not ended is 202", of: running, calls: []call{get(202, "{id}", status(running), has("output", "null"))}},
	{name: "what is suspended is 202", of: suspended, calls: []call{get(202, "{id}", status(suspended))}},
	{name: "what is completed is 200 with its output", of: completed, calls: []call{get(200, "{id}", status(completed), has("output", "1"))}},
	{name: "what has failed is 200 with the error's text", of: failed, calls: []call{get(200, "{id}", status(failed), contains("output", "activities must be from 1"))}},
	{name: "what has failed is 500 when asked for", of: failed, calls: []call{
		get(500, "{id}?returnInternalServerErrorOnFailure=True", status(failed), contains("output", "activities must be from 1"))}},
	{name: "what has failed has the details", of: failed, calls: []call{get(200, "{id}", contains("failureDetails", `"errorMessage":"activities must be from 1`))}},
	{name: "what is terminated is 200 with the reason", of: terminated, calls: []call{get(200, "{id}", status(terminated), has("output", `"enough"`))}},
	{name: "what there is not is 404", calls: []call{get(404, "{new}", isProblem("no instance"))}},
	{name: "the input is left out when asked for", of: completed, calls: []call{
		get(200, "{id}", has("input", `{"activities":1}`)),
		get(200, "{id}?SHOWINPUT=False", statusObject, has("input", "null"))}},
	{name: "no history unless asked for", of: completed, calls: []call{get(200, "{id}", lacks("historyEvents"))}},
	{name: "the history has one event for each outcome", of: completed, calls: []call{
		get(200, "{id}?showHistory=true", history("ExecutionStarted", "TaskCompleted", "ExecutionCompleted"), eventsLack("Result"))}},
	{name: "the history has results when asked for", of: completed, calls: []call{
		get(200, "{id}?showHistory=true&showHistoryOutput=true", contains("historyEvents", `"Result":1`), contains("historyEvents", `"Result":{"number":1`))}},
	{name: "the history has inputs unless they are left out", of: completed, calls: []call{
		get(200, "{id}?showHistory=true", contains("historyEvents", `"Input":{"activities":1}`)),
		get(200, "{id}?showHistory=true&showInput=false", eventsLack("Input"))}},
	{name: "unknown keys of the query are ignored", of: completed, calls: []call{get(200, "{id}?frobnicate=yes&taskHub=other&showInput=perhaps", has("input", `{"activities":1}`))}},
}

// GET /instances.
var lists = []Case{
	{name: "a list is an array of status objects", of: completed, calls: []call{
		list("?instanceIdPrefix={id}", ids("{id}"), header(continuation, ""))}},
	{name: "a list of what there is not is empty", calls: []call{list("?instanceIdPrefix={new}", is("[]"), header(continuation, ""))}},
	{name: "a list goes on where the page before ended", calls: []call{
		{method: "POST", path: nap + "/{word}1", body: hour, want: 202},
		{method: "POST", path: nap + "/{word}2", body: hour, want: 202},
		{method: "POST", path: nap + "/{word}3", body: hour, want: 202},
		list("?instanceIdPrefix={word}", ids("{word}1", "{word}2", "{word}3")),
		list("?instanceIdPrefix={word}&top=2", pages("{word}1", "{word}2", "{word}3")),
		list("?instanceIdPrefix={word}&top=none", ids("{word}1", "{word}2", "{word}3"), header(continuation, ""))}},
	{name: "a list by status", of: completed, calls: []call{
		list("?instanceIdPrefix={id}&runtimeStatus=running,Completed", ids("{id}")),
		list("?instanceIdPrefix={id}&runtimeStatus=Failed&runtimeStatus=COMPLETED", ids("{id}")),
		list("?instanceIdPrefix={id}&runtimeStatus=Failed", is("[]")),
		list("?instanceIdPrefix={id}&runtimeStatus=Happy", ids("{id}"))}},
	{name: "a list by time", of: completed, calls: []call{
		list("?instanceIdPrefix={id}&createdTimeFrom=2001-02-03T04:05:06.1234567Z&createdTimeTo=2999-01-01T00:00:00", ids("{id}")),
		list("?instanceIdPrefix={id}&createdTimeTo=2001-02-03T04:05:06Z", is("[]")),
		list("?instanceIdPrefix={id}&createdTimeTo=2001-02-03T04:05:06.1234567%2B01:00", is("[]")),
		list("?instanceIdPrefix={id}&createdTimeTo=1-02-03T04:05:06", is("[]")),
		list("?instanceIdPrefix={id}&createdTimeFrom=2999-01-01T00:00:00Z", is("[]")),
		list("?instanceIdPrefix={id}&createdTimeFrom=tomorrow", ids("{id}"))}},
	{name: "a list leaves inputs out when asked for", of: completed, calls: []call{
		list("?instanceIdPrefix={id}&showInput=false", ids("{id}"), without(`"activities"`)),
		list("?instanceIdPrefix={id}", with(`"input":{"activities":1}`))}},
	{name: "a token of somebody else is refused", calls: []call{
		{method: "GET", path: "/instances", header: [2]string{continuation, "*"}, want: 400, holds: []check{isProblem("token")}}}},
	{name: "beyond Azure: a list by name and by text", of: completed, calls: []call{
		list("?instanceIdPrefix={id}&name=Chain", ids("{id}")),
		list("?instanceIdPrefix={id}&name=Nap", is("[]")),
		list("?instanceIdPrefix={id}&q=cHAIN", ids("{id}"))}},
}
