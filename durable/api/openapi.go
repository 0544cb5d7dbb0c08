package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/durable-lambda/durable-lambda/durable/access"
)

// about describes a route to programs that read OpenAPI.
type about struct {
	summary string
	// query and headers are keys of parameters.
	query, headers []string
	// must are the keys of the query without which it is 400.
	must []string
	// body names a schema; any is JSON of any kind. needsBody: it must be there.
	body      string
	needsBody bool
	// answers are the schemas of statuses; none is an answer without a body. Those that every route has are added: see everywhere.
	answers map[int]string
}

// parameter describes a key of the query, or a header.
type parameter struct {
	about  string
	schema map[string]any
}

func typed(name string, more ...any) map[string]any {
	schema := map[string]any{"type": name}
	for i := 0; i < len(more); i += 2 {
		schema[more[i].(string)] = more[i+1]
	}
	return schema
}

var (
	yesOrNo     = typed("boolean")
	instant     = typed("string", "format", "date-time")
	statusNames = []string{"Running", "Completed", "ContinuedAsNew", "Failed", "Canceled", "Terminated", "Pending", "Suspended"}

	parameters = map[string]parameter{
		timeoutKey:                           {"Wait for the end, for so many seconds; the answer is as that of the status then, or 202 when the time is up. A key needs the permission to read for that, too.", typed("number", "minimum", 0)},
		"pollingInterval":                    {"How often to look while waiting, in seconds. At most the timeout.", typed("number", "minimum", 0)},
		"version":                            {"Of the orchestration; the current one without it.", typed("integer", "minimum", 0, "maximum", 4294967295)},
		"startAt":                            {"When the code is to begin, at the earliest; at once without it.", instant},
		"reuse":                              {"Which instances that have ended a start under their id replaces: never, or statuses, with commas between them; all without it.", typed("string")},
		"conflict":                           {"What becomes of a start whose id is in use: refuse, useExisting, useSame or replaceExisting.", typed("string")},
		messageKey:                           {"An identity: sent again with the same one it is the same event or command.", typed("string", "maxLength", 256)},
		"activity":                           {"The name that the activity must have.", typed("string")},
		"budget":                             {"For how many seconds to purge at most.", typed("number", "minimum", 0)},
		"showInput":                          {"false leaves inputs out.", yesOrNo},
		"showHistory":                        {"Show what happened.", yesOrNo},
		"showHistoryOutput":                  {"Show results in the history.", yesOrNo},
		"reason":                             {"Why: it is kept in the history.", typed("string")},
		"recursive":                          {"The instance's sub-orchestrations, too, and theirs.", yesOrNo},
		"restartWithNewInstanceId":           {"false has the new run take the place of the old one, which must have ended.", yesOrNo},
		"returnInternalServerErrorOnFailure": {"Answer with the status 500 when the instance has failed.", yesOrNo},
		"instanceIdPrefix":                   {"What ids begin with.", typed("string")},
		"createdTimeFrom":                    {"Created then or later.", instant},
		"createdTimeTo":                      {"Created then or before.", instant},
		"runtimeStatus":                      {"Statuses, separated by commas or repeated. Unknown ones are ignored.", typed("string")},
		"name":                               {"Of the orchestration. It may be repeated.", typed("string")},
		"tag":                                {"A tag that the instance has, or is to have: key=value. It may be repeated.", typed("string")},
		"customStatus":                       {"Text that the custom status contains.", typed("string")},
		"q":                                  {"Text that the id, the name, a tag or the custom status contains, in any case.", typed("string")},
		"top":                                {"How many at most; 100 without it.", typed("integer", "minimum", 0, "maximum", 2147483647)},
		continuationHeader:                   {"Where to go on: the header of this name of the answer before.", typed("string")},
		"Idempotency-Key":                    {"A request with a key that has started an instance before is answered with that instance.", typed("string", "maxLength", 256)},
		"traceparent":                        {"W3C trace context.", typed("string")},
		"tracestate":                         {"W3C trace context.", typed("string")},
	}

	filters = []string{"instanceIdPrefix", "createdTimeFrom", "createdTimeTo", "runtimeStatus", "name", "tag", "customStatus", "q"}
	starts  = []string{timeoutKey, "pollingInterval"}
)

const anyJSON = "Any"

// document is the description of the API.
func document() map[string]any {
	paths := map[string]map[string]any{}
	for _, rt := range routes {
		path := Base + "/" + strings.Join(rt.pattern, "/")
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(rt.method)] = rt.operation(path)
	}
	return map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{"title": "Durable orchestrations", "version": "1",
			"description": "The HTTP management API of Durable Functions. Literals and keys of the query match in any case; values of the query that cannot be read are ignored."},
		"paths":      paths,
		"components": map[string]any{"schemas": schemas, "securitySchemes": security},
		"security":   []any{map[string]any{}, map[string]any{"key": []any{}}, map[string]any{"code": []any{}}, map[string]any{"basic": []any{}}, map[string]any{"bearer": []any{}}},
	}
}

var variable = regexp.MustCompile(`\{(\w+)\}`)

func (rt route) operation(path string) map[string]any {
	params := []any{}
	for _, v := range variable.FindAllStringSubmatch(path, -1) {
		params = append(params, map[string]any{"name": v[1], "in": "path", "required": true, "schema": typed("string", "minLength", 1)})
	}
	for in, keys := range map[string][]string{"query": rt.about.query, "header": rt.about.headers} {
		for _, key := range keys {
			p := parameters[key]
			param := map[string]any{"name": key, "in": in, "description": p.about, "schema": p.schema}
			if in == "query" && slices.Contains(rt.about.must, key) {
				param["required"] = true
			}
			params = append(params, param)
		}
	}
	slices.SortStableFunc(params, func(a, b any) int {
		in := func(v any) string { return v.(map[string]any)["in"].(string) }
		return strings.Compare(map[string]string{"path": "0", "query": "1", "header": "2"}[in(a)], map[string]string{"path": "0", "query": "1", "header": "2"}[in(b)])
	})
	op := map[string]any{"summary": rt.about.summary, "operationId": rt.id(), "responses": rt.responses()}
	if len(params) > 0 {
		op["parameters"] = params
	}
	if rt.needs != 0 {
		op["description"] = "A key needs the permission to " + rt.needs.String() + "."
	}
	if rt.about.body != "" {
		op["requestBody"] = map[string]any{"required": rt.about.needsBody, "content": content("application/json", rt.about.body)}
	}
	return op
}

// id names an operation for generated clients: the action, and what its path has more than others of the action.
func (rt route) id() string {
	words := strings.Fields(rt.action)
	for i := range words[1:] {
		words[i+1] = strings.ToUpper(words[i+1][:1]) + words[i+1][1:]
	}
	id := strings.Join(words, "")
	if n := len(rt.pattern); rt.pattern[n-1] == "{id}" && rt.action == "start" {
		id += "WithId"
	} else if rt.pattern[0] == "entities" && rt.pattern[n-1] == "{name}" {
		id += "OfName"
	}
	return id
}

// everywhere are the answers of every route: to what cannot be read, to who may not, to what is too large, and when something does not work.
var everywhere = map[int]string{400: "Problem", 401: "Problem", 403: "Problem", 413: "Problem", 429: "Problem", 500: "Problem", 503: "Problem"}

func (rt route) responses() map[string]any {
	out := map[string]any{}
	for _, answers := range []map[int]string{everywhere, rt.about.answers} {
		for status, schema := range answers {
			answer := map[string]any{"description": http.StatusText(status)}
			switch {
			case schema == "Problem":
				answer["content"] = content("application/problem+json", schema)
			case schema != "":
				answer["content"] = content("application/json", schema)
			}
			if sent := rt.sent(status, schema); sent != nil {
				answer["headers"] = sent
			}
			out[strconv.Itoa(status)] = answer
		}
	}
	if slices.Contains(rt.about.query, "returnInternalServerErrorOnFailure") {
		media := content("application/problem+json", "Problem")
		media["application/json"] = content("application/json", "Status")["application/json"]
		out["500"].(map[string]any)["content"] = media
	}
	return out
}

// sent are the headers of an answer that say where to go on.
func (rt route) sent(status int, schema string) map[string]any {
	switch {
	case status == http.StatusAccepted && schema != "":
		return map[string]any{
			"Location":    map[string]any{"description": "Where the status of the instance is.", "required": true, "schema": text},
			"Retry-After": map[string]any{"description": "After how many seconds it is worth asking.", "required": true, "schema": typed("integer")},
		}
	case status == http.StatusOK && slices.Contains(rt.about.headers, continuationHeader):
		return map[string]any{continuationHeader: map[string]any{"description": "Where the next page begins; it is not there at the end.", "schema": text}}
	}
	return nil
}

func content(mediaType, schema string) map[string]any {
	return map[string]any{mediaType: map[string]any{"schema": ref(schema)}}
}

func ref(schema string) map[string]any {
	if schema == anyJSON {
		return map[string]any{}
	}
	return map[string]any{"$ref": "#/components/schemas/" + schema}
}

var security = map[string]any{
	"key":    map[string]any{"type": "apiKey", "in": "header", "name": "x-functions-key"},
	"code":   map[string]any{"type": "apiKey", "in": "query", "name": "code"},
	"basic":  map[string]any{"type": "http", "scheme": "basic"},
	"bearer": map[string]any{"type": "http", "scheme": "bearer"},
}

// openAPI serves GET openapi.json.
func (a *API) openAPI(w http.ResponseWriter, _ request) { writeJSON(w, http.StatusOK, description()) }

// description is the document, encoded once it is asked for.
func description() json.RawMessage {
	b, err := json.Marshal(document())
	if err != nil {
		panic(err) // it has nothing in it that cannot be encoded
	}
	return b
}

// descriptionRoute serves the document.
var descriptionRoute = route{method: http.MethodGet, pattern: []string{"openapi.json"}, serve: (*API).openAPI, action: "describe", needs: access.Read}
