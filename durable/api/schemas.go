package api

// schemas are those of the document, in JSON Schema.
var schemas = map[string]any{
	"Status": object([]string{"name", "instanceId", "runtimeStatus", "input", "customStatus", "output", "createdTime", "lastUpdatedTime"}, map[string]any{
		"name": text, "instanceId": text, "runtimeStatus": typed("string", "enum", statusNames), "input": map[string]any{}, "customStatus": map[string]any{},
		"output":      map[string]any{"description": "The result; of a terminated instance the reason, of a failed one the text of its error."},
		"createdTime": instant, "lastUpdatedTime": instant, "historyEvents": listOf("HistoryEvent"),
		"tags": typed("object", "additionalProperties", text), "version": typed("integer"), "failureDetails": ref("FailureDetails"), "suspendReason": text,
		"incarnation": text, "parentInstanceId": text, "startAt": instant, "createdAt": instant, "lastUpdatedAt": instant,
	}),
	"Statuses": listOf("Status"),
	"Events":   listOf("Event"),
	"Event":    object([]string{"kind", "time", "segment"}, map[string]any{"kind": text, "time": instant, "segment": typed("integer"), "op": text, "name": text, "data": map[string]any{}}),
	"HistoryEvent": object([]string{"EventType", "Timestamp"}, map[string]any{
		"EventType": text, "Timestamp": instant, "FunctionName": text, "ScheduledTime": instant, "Result": map[string]any{}, "Input": map[string]any{},
		"Reason": text, "FireAt": instant, "Name": text, "OrchestrationStatus": text,
	}),
	"FailureDetails": object([]string{"errorType", "errorMessage", "innerFailure", "properties"}, map[string]any{
		"errorType": text, "errorMessage": text, "innerFailure": orNull("FailureDetails"), "properties": typed2("object", "null"),
	}),
	"CheckStatus": object([]string{"id", "statusQueryGetUri", "sendEventPostUri", "terminatePostUri", "rewindPostUri", "purgeHistoryDeleteUri", "restartPostUri", "suspendPostUri", "resumePostUri"},
		map[string]any{"id": text, "statusQueryGetUri": text, "sendEventPostUri": text, "terminatePostUri": text, "rewindPostUri": text, "purgeHistoryDeleteUri": text,
			"restartPostUri": text, "suspendPostUri": text, "resumePostUri": text}),
	"StatusOrCheckStatus": map[string]any{"anyOf": []any{ref("CheckStatus"), ref("Status")}},
	"Purged":              object([]string{"instancesDeleted"}, map[string]any{"instancesDeleted": typed("integer", "minimum", 0)}),
	"Problem": object([]string{"title", "status", "detail", "Message"}, map[string]any{
		"title": text, "status": typed("integer"), "detail": text, "Message": text, "ExceptionMessage": text, "error": text,
	}),
	"Failure": object([]string{"message"}, map[string]any{"message": typed("string", "minLength", 1), "kind": text, "permanent": yesOrNo,
		"properties": typed("object", "additionalProperties", text), "causes": typed("array", "items", typed("object"))}),
	"Reset": map[string]any{"type": "object", "required": []string{"operation"}, "additionalProperties": false, "properties": map[string]any{
		"operation": typed("string", "minLength", 1, "description", `Its path, such as 2 or 2.0.1, or start.`), "result": map[string]any{}, "input": map[string]any{}, "reason": text,
	}},
	"Sentence": text,
}

var text = typed("string")

func object(required []string, properties map[string]any) map[string]any {
	return map[string]any{"type": "object", "required": required, "properties": properties}
}

func listOf(schema string) map[string]any {
	return map[string]any{"type": "array", "items": ref(schema)}
}

func orNull(schema string) map[string]any {
	return map[string]any{"anyOf": []any{ref(schema), typed("null")}}
}

func typed2(names ...string) map[string]any { return map[string]any{"type": names} }
