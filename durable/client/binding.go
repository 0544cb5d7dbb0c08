package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

const (
	// managementPath is where the management API is served: api.Base.
	managementPath = "/runtime/webhooks/durabletask"
	// anyInstance stands for an id in the links: clients put an instance's id in its place, as text.
	anyInstance = "INSTANCEID"
)

// binding is what the host of Azure Functions passes on to a client.
type binding struct {
	TaskHubName                   string          `json:"taskHubName"`
	RPCBaseURL                    string          `json:"rpcBaseUrl"`
	BaseURL                       string          `json:"baseUrl"`
	RequiredQueryStringParameters string          `json:"requiredQueryStringParameters"`
	CreationURLs                  creationURLs    `json:"creationUrls"`
	ManagementURLs                managementLinks `json:"managementUrls"`
}

type creationURLs struct {
	New        string `json:"createNewInstancePostUri"`
	NewAndWait string `json:"createAndWaitOnNewInstancePostUri"`
}

// managementLinks are those of a check-status answer.
type managementLinks struct {
	ID        string `json:"id"`
	Status    string `json:"statusQueryGetUri"`
	SendEvent string `json:"sendEventPostUri"`
	Terminate string `json:"terminatePostUri"`
	Rewind    string `json:"rewindPostUri"`
	Purge     string `json:"purgeHistoryDeleteUri"`
	Restart   string `json:"restartPostUri"`
	Suspend   string `json:"suspendPostUri"`
	Resume    string `json:"resumePostUri"`
}

// Binding returns the client binding of a task hub, in JSON: what the clients of Azure's packages azure-functions-durable, for Python,
// and durable-functions, for Node, are constructed from. docs/http-api.md shows how.
//
// BaseURL is what the URLs of the hub's HTTP API begin with, such as https://example.com/prod; the path of the management API may follow,
// or not. A key may be the password of its userinfo: the clients send it, and no link has it. Links carry the query beside the hub's name:
// where they are to let in whoever has them, that is a key as its code.
//
// The hub's name must not occur elsewhere in the links, because clients replace it there as text.
func Binding(baseURL, hub string, query url.Values) (json.RawMessage, error) {
	u, err := url.Parse(baseURL)
	if err != nil {
		var bad *url.Error
		errors.As(err, &bad)
		return nil, fmt.Errorf("client: the base URL cannot be read: %w", bad.Err) // without the URL, which may hold a key
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("client: the base URL %q is not of the form https://host[/path]", u.Redacted())
	}
	path, _ := strings.CutSuffix(strings.TrimRight(u.EscapedPath(), "/"), managementPath)
	rest := u.Host + path + managementPath
	base, rpc := u.Scheme+"://"+rest, u.Scheme+"://"+rest+"/"
	if u.User != nil {
		rpc = u.Scheme + "://" + u.User.String() + "@" + rest + "/"
	}
	carried := "taskHub=" + escape(hub)
	if len(query) > 0 {
		carried += "&" + strings.ReplaceAll(query.Encode(), "+", "%20")
	}
	switch {
	case hub == "":
		return nil, fmt.Errorf("client: the task hub's name is missing")
	case strings.Contains(base, hub):
		return nil, fmt.Errorf("client: the task hub's name %q occurs in %q, where clients would replace it: choose another name", hub, base)
	case strings.Contains(base+carried, anyInstance):
		return nil, fmt.Errorf("client: %s occurs in the links, where clients would replace it by an instance's id: choose another name", anyInstance)
	}
	return encode(binding{TaskHubName: hub, RPCBaseURL: rpc, BaseURL: base, RequiredQueryStringParameters: carried,
		CreationURLs: creationURLs{
			New:        base + "/orchestrators/{functionName}[/{instanceId}]?" + carried,
			NewAndWait: base + "/orchestrators/{functionName}[/{instanceId}]?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&" + carried,
		},
		ManagementURLs: links(base+"/instances/"+anyInstance, carried),
	}), nil
}

func links(instance, carried string) managementLinks {
	return managementLinks{
		ID:        anyInstance,
		Status:    instance + "?" + carried,
		SendEvent: instance + "/raiseEvent/{eventName}?" + carried,
		Terminate: instance + "/terminate?reason={text}&" + carried,
		Rewind:    instance + "/rewind?reason={text}&" + carried,
		Purge:     instance + "?" + carried,
		Restart:   instance + "/restart?" + carried,
		Suspend:   instance + "/suspend?reason={text}&" + carried,
		Resume:    instance + "/resume?reason={text}&" + carried,
	}
}

// escape encodes a space as %20, and not as the + that only forms know.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// encode leaves & in URLs as it is, for those who read it.
func encode(b binding) json.RawMessage {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(b); err != nil {
		panic(err) // strings can be encoded
	}
	return bytes.TrimSpace(out.Bytes())
}
