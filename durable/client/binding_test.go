package client_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/client"
)

const bound = `{"taskHubName":"my hub","rpcBaseUrl":"https://:k%2Fy@example.com/prod/runtime/webhooks/durabletask/",` +
	`"baseUrl":"https://example.com/prod/runtime/webhooks/durabletask","requiredQueryStringParameters":"taskHub=my%20hub&code=a%20b%26c",` +
	`"creationUrls":{"createNewInstancePostUri":"https://example.com/prod/runtime/webhooks/durabletask/orchestrators/{functionName}[/{instanceId}]?taskHub=my%20hub&code=a%20b%26c",` +
	`"createAndWaitOnNewInstancePostUri":"https://example.com/prod/runtime/webhooks/durabletask/orchestrators/{functionName}[/{instanceId}]?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&taskHub=my%20hub&code=a%20b%26c"},`

func TestBinding(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"https://:k%2Fy@example.com/prod", "https://:k%2Fy@example.com/prod/", "https://:k%2Fy@example.com/prod" + api.Base, "https://:k%2Fy@example.com/prod" + api.Base + "/"} {
		got, err := client.Binding(base, "my hub", url.Values{"code": {"a b&c"}})
		if err != nil {
			t.Fatalf("%s: %v", base, err)
		}
		if head, _, _ := strings.Cut(string(got), `"managementUrls"`); head != bound {
			t.Errorf("%s: got\n%s\nwant\n%s", base, head, bound)
		}
	}
}

// The links of a binding are those that the API gives for an instance.
func TestBindingHasTheLinksOfTheAPI(t *testing.T) {
	t.Parallel()
	got, err := client.Binding("https://example.com/prod", "my hub", url.Values{"code": {"a b&c"}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := api.New(api.Config{Client: struct{ durable.Client }{}, Hub: "my hub", PublicURL: "https://example.com/prod"})
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(a.Links(httptest.NewRequest("GET", "/?code=a+b%26c", nil), "INSTANCEID"))
	if err != nil {
		t.Fatal(err)
	}
	var binding struct{ ManagementURLs map[string]string }
	var links map[string]string
	if err := json.Unmarshal(got, &binding); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &links); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(links, binding.ManagementURLs); diff != "" {
		t.Errorf("-API +binding:\n%s", diff)
	}
}

func TestBindingRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, base, hub string
		query           url.Values
		says            string
	}{
		{"no URL", "%", "hub", nil, "the base URL"},
		{"a key in what cannot be read", "https://:secret@exam ple.com", "hub", nil, "the base URL"},
		{"no scheme", "example.com", "hub", nil, "not of the form"},
		{"another scheme", "ftp://example.com", "hub", nil, "not of the form"},
		{"a query", "https://example.com?x=1", "hub", nil, "not of the form"},
		{"a key in what it says", "ftp://:secret@example.com", "hub", nil, "xxxxx"},
		{"no hub", "https://example.com", "", nil, "missing"},
		{"a hub that is in the host", "https://orders.example.com", "orders", nil, "choose another name"},
		{"a hub that is in the path", "https://example.com", "durable", nil, "choose another name"},
		{"a hub that is taken for an id", "https://example.com", "INSTANCEID", nil, "choose another name"},
		{"a query that is taken for an id", "https://example.com", "hub", url.Values{"code": {"INSTANCEID"}}, "INSTANCEID occurs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := client.Binding(c.base, c.hub, c.query)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %s, %v; want a word about %q", got, err, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}
