package contract

// POST /orchestrators/{name}/{instanceId?}, and what all starts and restarts may wait for.
var starts = []Case{
	{name: "a start makes up an id", calls: []call{
		{method: "POST", path: nap, body: hour, want: 202, holds: []check{checkStatus("")}},
		get(202, "{last}", statusObject, has("instanceId", `"{last}"`))}},
	{name: "a start has the id that it is given", calls: []call{
		{method: "POST", path: chain + "/{new}", body: one, want: 202, holds: []check{checkStatus(""), named("{new}")}}}},
	{name: "an instance can be read as soon as its start is answered", calls: []call{
		{method: "POST", path: nap + "/{new}", body: hour, want: 202},
		get(202, "{new}", statusObject, has("name", `"Nap"`), has("instanceId", `"{new}"`))}},
	{name: "the input is shown as it was received", calls: []call{
		{method: "POST", path: nap + "/{new}", body: `{"millis":3600000,"big":12345678901234567890}`, want: 202},
		get(202, "{new}", has("input", `{"millis":3600000,"big":12345678901234567890}`))}},
	{name: "the content type of a start is ignored", calls: []call{
		{method: "POST", path: nap + "/{new}", body: hour, header: [2]string{"Content-Type", "text/plain"}, want: 202}}},
	{name: "an input that is encoded twice is taken", calls: []call{
		{method: "POST", path: chain + "?timeout=20&pollingInterval=0.2", body: `"{\"activities\":1}"`, want: 200, holds: []check{is("1")}}}},
	{name: "a body that is no JSON is refused", calls: []call{
		{method: "POST", path: chain + "/{new}", body: "{", want: 400, holds: []check{isProblem("JSON")}},
		get(404, "{new}")}},
	{name: "an input of another type is refused", calls: []call{
		{method: "POST", path: chain + "/{new}", body: "[1]", want: 400, holds: []check{isProblem("object")}}}},
	{name: "no input is refused where there must be one", calls: []call{
		{method: "POST", path: chain + "/{new}", want: 400, holds: []check{isProblem("activities")}}}},
	{name: "an unknown orchestration is refused", calls: []call{
		{method: "POST", path: "/orchestrators/Nobody/{new}", body: one, want: 400, holds: []check{isProblem("Nobody")}}}},
	{name: "names of orchestrations are not matched in any case", calls: []call{
		{method: "POST", path: "/orchestrators/chain/{new}", body: one, want: 400}}},
	{name: "an id that is not allowed is refused", calls: []call{
		{method: "POST", path: chain + "/@x@y", body: one, want: 400, holds: []check{isProblem("@")}}}},
	{name: "an id of a live instance is refused", of: running, calls: []call{
		{method: "POST", path: chain + "/{id}", body: one, want: 409, holds: []check{isProblem("exists")}},
		get(202, "{id}", has("name", `"Nap"`))}},
	{name: "a start takes the place of an instance that has ended", of: completed, own: true, calls: []call{
		{method: "POST", path: nap + "/{id}", body: hour, want: 202, holds: []check{checkStatus(""), named("{id}")}},
		get(202, "{id}", has("name", `"Nap"`), has("output", "null"))}},
	{name: "links carry what the request was for", calls: []call{
		{method: "POST", path: chain + "?connectionName=Storage%20A&code=a%2Fb&taskhub=", body: one, want: 202,
			holds: []check{checkStatus("&connection=Storage%20A&code=a%2Fb")}}}},
	{name: "an id of other characters is encoded in links", calls: []call{
		{method: "POST", path: nap + "/{word}%C3%A4%20b+c", body: hour, want: 202, holds: []check{checkStatus(""), named("{word}ä b+c")}},
		get(202, "{word}%C3%A4%20b+c", has("instanceId", `"{word}ä b+c"`))}},
	{name: "a key makes one instance of several starts", calls: []call{
		{method: "POST", path: nap, body: hour, header: [2]string{"Idempotency-Key", "{word}"}, want: 202},
		{method: "POST", path: nap, body: hour, header: [2]string{"Idempotency-Key", "{word}"}, want: 202, holds: []check{named("{last}")}}}},
	{name: "a trace context is no reason to refuse", calls: []call{
		{method: "POST", path: nap, body: hour, header: [2]string{"traceparent", "what it likes"}, want: 202}}},
}

// The waiting of a start. Restarts wait in the same way.
var waits = []Case{
	{name: "who waits for an instance gets its bare output", calls: []call{
		{method: "POST", path: chain + "?timeout=20&pollingInterval=0.2", body: one, want: 200, holds: []check{is("1")}}}},
	{name: "who waits for one that fails gets its status", calls: []call{
		{method: "POST", path: chain + "?timeout=20&pollingInterval=0.2", body: none, want: 200, holds: []check{statusObject, has("runtimeStatus", `"Failed"`)}}}},
	{name: "who waits for one that fails gets 500 when asked for", calls: []call{
		{method: "POST", path: chain + "?timeout=20&pollingInterval=0.2&returnInternalServerErrorOnFailure=true", body: none, want: 500,
			holds: []check{statusObject, has("runtimeStatus", `"Failed"`)}}}},
	{name: "who waits in vain gets the links", calls: []call{
		{method: "POST", path: nap + "?timeout=0.3&pollingInterval=0.1", body: hour, want: 202, holds: []check{checkStatus("")}}}},
	{name: "an interval that is longer than the timeout is refused", calls: []call{
		{method: "POST", path: nap + "/{new}?timeout=1&pollingInterval=2", body: hour, want: 400, holds: []check{isProblem("pollingInterval")}},
		get(404, "{new}")}},
	{name: "a timeout that is none is ignored", calls: []call{
		{method: "POST", path: nap + "?timeout=soon", body: hour, want: 202, holds: []check{checkStatus("")}}}},
	{name: "who waits for a restart gets the output of the new run", of: completed, calls: []call{
		{method: "POST", path: "/instances/{id}/restart?timeout=20&pollingInterval=0.2", want: 200, holds: []check{is("1")}}}},
}
