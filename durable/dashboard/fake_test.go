package dashboard_test

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/dashboard"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// fake is a durable.Client over a list that remembers what it was asked.
type fake struct {
	instances []durable.Instance
	next      string
	history   []durable.HistoryEvent
	err       error
	noHistory error

	queries  []durable.Query
	events   []durable.EventRequest
	commands []durable.ManageRequest
	purged   []string
}

var _ durable.Client = (*fake)(nil)

func (f *fake) Start(context.Context, durable.StartRequest) (durable.InstanceRef, error) {
	return durable.InstanceRef{}, durable.ErrInvalid
}

func (f *fake) Get(_ context.Context, id string, _ ...durable.GetOption) (durable.Instance, error) {
	for _, in := range f.instances {
		if in.ID == id {
			return in, nil
		}
	}
	return durable.Instance{}, durable.ErrNotFound
}

func (f *fake) Raise(_ context.Context, req durable.EventRequest) error {
	f.events = append(f.events, req)
	return f.err
}

func (f *fake) Manage(_ context.Context, req durable.ManageRequest) error {
	f.commands = append(f.commands, req)
	return f.err
}

func (f *fake) Report(context.Context, durable.ReportRequest) error { return durable.ErrInvalid }

func (f *fake) Restart(context.Context, durable.RestartRequest) (durable.InstanceRef, error) {
	return durable.InstanceRef{}, f.err
}

func (f *fake) Reset(context.Context, durable.ResetRequest) error { return f.err }

func (f *fake) Purge(_ context.Context, id string) error {
	f.purged = append(f.purged, id)
	return f.err
}

func (f *fake) PurgeWhere(context.Context, durable.PurgeRequest) (durable.Purged, error) {
	return durable.Purged{}, f.err
}

func (f *fake) List(_ context.Context, q durable.Query) (durable.Page, error) {
	f.queries = append(f.queries, q)
	return durable.Page{Instances: f.instances, Continue: f.next}, f.err
}

func (f *fake) History(context.Context, string) ([]durable.HistoryEvent, error) {
	return f.history, f.noHistory
}

// answer is a page as a browser has it.
type answer struct {
	code int
	html string
	// text is the page's text, without tags and style.
	text     string
	location string
}

func get(t *testing.T, f *fake, target string) answer {
	t.Helper()
	return send(f, httptest.NewRequest(http.MethodGet, target, nil))
}

func post(t *testing.T, f *fake, target string, form url.Values, headers ...string) answer {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return send(f, r)
}

var (
	styles = regexp.MustCompile(`(?s)<style>.*?</style>`)
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

func newDashboard(f *fake) http.Handler {
	return dashboard.New(dashboard.Config{Client: f, Hub: "Orders", MailURL: "/mail"})
}

func send(f *fake, r *http.Request) answer {
	w := httptest.NewRecorder()
	newDashboard(f).ServeHTTP(w, r)
	text := tags.ReplaceAllString(styles.ReplaceAllString(w.Body.String(), ""), " ")
	return answer{
		code: w.Code, html: w.Body.String(), location: w.Header().Get("Location"),
		text: spaces.ReplaceAllString(html.UnescapeString(text), " "),
	}
}

func (a answer) check(t *testing.T, code int, texts ...string) {
	t.Helper()
	if a.code != code {
		t.Errorf("status %d, want %d", a.code, code)
	}
	for _, want := range texts {
		if !strings.Contains(a.text, want) {
			t.Errorf("the page does not say %q:\n%s", want, a.text)
		}
	}
}

// find returns what the groups of a pattern match in the page's HTML, unescaped.
func (a answer) find(pattern string) []string {
	var found []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(a.html, -1) {
		found = append(found, html.UnescapeString(m[1]))
	}
	return found
}

func instance(id string, status durable.Status) durable.Instance {
	now := time.Now()
	return durable.Instance{ID: id, Name: "ProcessOrder", Status: status, Created: now.Add(-3 * time.Hour), Updated: now.Add(-90 * time.Second)}
}

func payload(json string) history.Payload { return history.Payload{Bytes: []byte(json)} }
