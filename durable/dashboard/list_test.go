package dashboard_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/google/go-cmp/cmp"
)

func TestListShowsInstances(t *testing.T) {
	t.Parallel()
	running := instance("order-42", durable.Running)
	running.CustomStatus = json.RawMessage(`"waiting for <approval>"`)
	failed := instance("order-41", durable.Failed)
	failed.CustomStatus = json.RawMessage(`{"step":2}`)
	page := get(t, &fake{instances: []durable.Instance{running, failed}}, "/")
	page.check(t, http.StatusOK, "Orders", "Mail", "Running order-42 ProcessOrder waiting for <approval>", "3 h ago", `Failed order-41 ProcessOrder {"step":2}`)
	if strings.Contains(page.html, "<approval>") {
		t.Error("a custom status is not escaped")
	}
	if strings.Contains(page.html, "Next page") {
		t.Error("the only page has a next page")
	}
}

func TestLinksOfAnyScriptLeadToTheirInstance(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"order-42", "a b", "a+b", "100%", "50%25", `"quoted" <b> & 'more'`, "注文-三つ", "طلب-٧", "a;b,c=d:e", "{{.ID}}", strings.Repeat("é", 256),
	} {
		f := &fake{instances: []durable.Instance{instance(id, durable.Running)}}
		links := get(t, f, "/").find(`<a href="(/i/[^"]*)"`)
		if len(links) != 1 {
			t.Errorf("%q has the links %q, want one", id, links)
			continue
		}
		page := get(t, f, links[0])
		page.check(t, http.StatusOK, "History")
		if got := page.find(`<h1><bdi>(.*?)</bdi>`); len(got) != 1 || got[0] != id {
			t.Errorf("%s shows %q, want %q", links[0], got, id)
		}
		for _, action := range page.find(`action="(/i/[^"]*)"`) {
			if answer := post(t, f, action, map[string][]string{"event": {"Go"}}); answer.code != http.StatusSeeOther || answer.location == "" {
				t.Errorf("the form of %q at %s answers %d", id, action, answer.code)
			}
		}
		if len(f.events) != 1 || f.events[0].Instance != id || len(f.commands) != 2 || f.commands[0].Instance != id {
			t.Errorf("the forms of %q reached %v and %v", id, f.events, f.commands)
		}
	}
}

func TestListQueries(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, target string
		want         durable.Query
	}{
		{"everything", "/", durable.Query{Limit: 50}},
		{"one status", "/?status=Failed", durable.Query{Limit: 50, Statuses: []durable.Status{durable.Failed}}},
		{"a status that is none", "/?status=Sleeping", durable.Query{Limit: 50}},
		{"a prefix", "/?prefix=order+4", durable.Query{Limit: 50, IDPrefix: "order 4"}},
		{"a later page", "/?after=a%26b", durable.Query{Limit: 50, Continue: "a&b"}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Parallel()
			f := &fake{}
			get(t, f, tc.target).check(t, http.StatusOK)
			if diff := cmp.Diff([]durable.Query{tc.want}, f.queries); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListLinksKeepWhatIsChosen(t *testing.T) {
	t.Parallel()
	f := &fake{next: "a&b c"}
	page := get(t, f, "/?status=Failed&prefix=x")
	if got, want := page.find(`<a class="button" href="([^"]*)"`), []string{"/?after=a%26b+c&prefix=x&status=Failed"}; !cmp.Equal(got, want) {
		t.Errorf("the next page is %q, want %q", got, want)
	}
	if got, want := page.find(`<a href="([^"]*)">Running</a>`), []string{"/?prefix=x&status=Running"}; !cmp.Equal(got, want) {
		t.Errorf("the filter is %q, want %q", got, want)
	}
	if got, want := page.find(`<a href="([^"]*)" aria-current="true">`), []string{"/?prefix=x&status=Failed"}; !cmp.Equal(got, want) {
		t.Errorf("the chosen filter is %q, want %q", got, want)
	}
	if got, want := page.find(`<a href="([^"]*)">Follow</a>`), []string{"/?follow=1&prefix=x&status=Failed"}; !cmp.Equal(got, want) {
		t.Errorf("the page that follows is %q, want %q", got, want)
	}
	if page := get(t, f, "/?follow=1"); !strings.Contains(page.html, `http-equiv="refresh"`) {
		t.Error("the page that follows does not load itself again")
	}
}

func TestAnEmptyListSaysWhy(t *testing.T) {
	t.Parallel()
	get(t, &fake{}, "/").check(t, http.StatusOK, "There are no instances yet.")
	get(t, &fake{}, "/?status=Failed&prefix=x").check(t, http.StatusOK, "There is no instance that is Failed and whose id begins with “x”.")
	get(t, &fake{next: "more"}, "/?status=Failed").check(t, http.StatusOK, "Nothing on this page.", "Next page")
}

func TestErrorsAreSentences(t *testing.T) {
	t.Parallel()
	get(t, &fake{err: errors.New("query: throttled")}, "/").check(t, http.StatusInternalServerError,
		"The instances cannot be listed: the backend says: query: throttled.")
	get(t, &fake{}, "/i/order-42").check(t, http.StatusNotFound, "The instance “order-42” cannot be shown: there is no instance with this id.")
	get(t, &fake{}, "/nothing").check(t, http.StatusNotFound, "There is no such page.")
}
