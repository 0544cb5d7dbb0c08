//go:build aws

package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
	"github.com/durable-lambda/durable-lambda/durable/doctor"
)

// cloudFormation answers as if there were one stack.
func cloudFormation(t *testing.T, resources map[string]string) {
	t.Helper()
	var members strings.Builder
	for logical, physical := range resources {
		members.WriteString("<member><LogicalResourceId>" + logical + "</LogicalResourceId><PhysicalResourceId>" + physical +
			"</PhysicalResourceId><ResourceType>x</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>")
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("Action") != "DescribeStackResources" || r.FormValue("StackName") != "shop" {
			t.Errorf("it is asked for %v", r.Form)
		}
		_, _ = w.Write([]byte("<DescribeStackResourcesResponse><DescribeStackResourcesResult><StackResources>" + members.String() +
			"</StackResources></DescribeStackResourcesResult></DescribeStackResourcesResponse>"))
	}))
	t.Cleanup(s.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": s.URL, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"} {
		t.Setenv(name, value)
	}
}

func TestTheHubOfAStack(t *testing.T) {
	cloudFormation(t, map[string]string{"Table": "shop-table", "Payloads": "shop-payloads", "InboxQueue": "http://q/inbox.fifo",
		"WakeQueue": "http://q/wake", "ActivitiesQueue": "http://q/activities", "InboxDeadQueue": "http://q/dead.fifo"})
	c, done, err := hubFlags{Hub: "shop"}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	b := c.Store.Backend()
	if b.Table == nil || b.Blobs == nil || b.Inbox == nil || b.Wake == nil || b.Activities == nil || b.Dead.Inbox == nil || c.Exclusive {
		t.Errorf("the ports are %+v", b)
	}
}

func TestAStackThatIsNoHub(t *testing.T) {
	cloudFormation(t, map[string]string{"Table": "shop-table"})
	_, _, err := hubFlags{Hub: "shop"}.open(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the stack shop is no hub: it has no Payloads") {
		t.Errorf("got %v", err)
	}
}

func TestTheHubOfTheEnvironment(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	if _, _, err := (hubFlags{Environment: true}).open(t.Context()); err == nil || !strings.Contains(err.Error(), "DURABLE_TABLE is not set") {
		t.Errorf("got %v", err)
	}
}

// The message is of a package that knows nothing of AWS.
func TestWhoDoesNotKnowTheDeadLettersIsToldHowToNameThem(t *testing.T) {
	for _, name := range []string{aws.EnvDeadInboxURL, aws.EnvDeadWakeURL, aws.EnvDeadActivitiesURL} {
		if !strings.Contains(doctor.ErrNoDeadLetters.Error(), name) {
			t.Errorf("%q does not name %s", doctor.ErrNoDeadLetters, name)
		}
	}
}
