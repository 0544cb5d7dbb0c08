package api_test

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/api"
	"github.com/durable-lambda/durable-lambda/durable/history"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// fake is a durable.Client over a map that remembers what it was asked.
type fake struct {
	mu        sync.Mutex
	instances map[string]durable.Instance
	history   map[string][]durable.HistoryEvent
	page      durable.Page
	err       error

	starts   []durable.StartRequest
	events   []durable.EventRequest
	commands []durable.ManageRequest
	purged   []string
	reports  []durable.ReportRequest
	queries  []durable.Query
	gets     int
	purges   []durable.PurgeRequest
	gone     durable.Purged
	restarts []durable.RestartRequest
	resets   []durable.ResetRequest
	// restarted is an instance that a restart finds there, instead of one that it starts.
	restarted string
}

var _ durable.Client = (*fake)(nil)

var created = time.Date(2026, 3, 14, 15, 9, 26, 535_897_932, time.UTC)

func newFake(instances ...durable.Instance) *fake {
	f := &fake{instances: map[string]durable.Instance{}, history: map[string][]durable.HistoryEvent{}}
	for _, in := range instances {
		f.put(in)
	}
	return f
}

func (f *fake) put(in durable.Instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if in.Created.IsZero() {
		in.Created, in.Updated = created, created.Add(time.Minute)
	}
	f.instances[in.ID] = in
}

func (f *fake) Start(_ context.Context, req durable.StartRequest) (durable.InstanceRef, error) {
	f.mu.Lock()
	f.starts = append(f.starts, req)
	old, exists := f.instances[req.ID]
	f.mu.Unlock()
	if f.err != nil {
		return durable.InstanceRef{}, f.err
	}
	if exists && (!old.Status.Ended() || req.Reuse == durable.ReuseNever) {
		return durable.InstanceRef{}, durable.ErrExists
	}
	if req.ID == "" {
		req.ID = "made-up"
	}
	f.put(durable.Instance{ID: req.ID, Name: req.Name, Status: durable.Pending, Input: req.Input, Tags: req.Tags})
	return durable.InstanceRef{ID: req.ID, Incarnation: "1"}, nil
}

func (f *fake) Get(_ context.Context, id string, _ ...durable.GetOption) (durable.Instance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gets++
	if f.err != nil {
		return durable.Instance{}, f.err
	}
	in, ok := f.instances[id]
	if !ok {
		return durable.Instance{}, durable.ErrNotFound
	}
	return in, nil
}

func (f *fake) Restart(ctx context.Context, req durable.RestartRequest) (durable.InstanceRef, error) {
	in, err := f.Get(ctx, req.Instance)
	if err != nil {
		return durable.InstanceRef{}, err
	}
	f.restarts = append(f.restarts, req)
	if f.restarted != "" {
		return durable.InstanceRef{ID: f.restarted}, nil
	}
	again := durable.StartRequest{Name: in.Name, ID: in.ID}
	if req.NewID {
		again.ID = ""
	}
	return f.Start(ctx, again)
}

func (f *fake) Raise(_ context.Context, req durable.EventRequest) error {
	if err := f.live(req.Instance); err != nil {
		return err
	}
	f.events = append(f.events, req)
	return nil
}

func (f *fake) Manage(_ context.Context, req durable.ManageRequest) error {
	if req.Command == durable.Rewind {
		in, err := f.Get(context.Background(), req.Instance)
		if err == nil && in.Status != durable.Failed {
			err = durable.ErrNotFailed
		}
		if err == nil {
			f.commands = append(f.commands, req)
		}
		return err
	}
	if err := f.live(req.Instance); err != nil {
		return err
	}
	suspended := f.instances[req.Instance].Status == durable.Suspended
	switch {
	case req.Command == durable.Suspend && suspended:
		return durable.ErrSuspended
	case req.Command == durable.Resume && !suspended:
		return durable.ErrNotSuspended
	}
	f.commands = append(f.commands, req)
	return nil
}

func (f *fake) Report(_ context.Context, req durable.ReportRequest) error {
	f.reports = append(f.reports, req)
	return f.err
}

func (f *fake) Reset(_ context.Context, req durable.ResetRequest) error {
	if _, ok := f.instances[req.Instance]; !ok {
		return durable.ErrNotFound
	}
	f.resets = append(f.resets, req)
	return f.err
}

func (f *fake) Purge(_ context.Context, id string) error {
	in, err := f.Get(context.Background(), id)
	if err == nil && !in.Status.Ended() {
		return durable.ErrNotEnded
	}
	if err == nil {
		f.purged = append(f.purged, id)
	}
	return err
}

func (f *fake) PurgeWhere(_ context.Context, req durable.PurgeRequest) (durable.Purged, error) {
	f.purges = append(f.purges, req)
	return f.gone, f.err
}

func (f *fake) live(id string) error {
	in, err := f.Get(context.Background(), id)
	if err == nil && in.Status.Ended() {
		return durable.ErrEnded
	}
	return err
}

func (f *fake) List(_ context.Context, q durable.Query) (durable.Page, error) {
	f.queries = append(f.queries, q)
	return f.page, f.err
}

func (f *fake) History(_ context.Context, id string) ([]durable.HistoryEvent, error) {
	return f.history[id], f.err
}

// serve sends one request to an API over f. Header pairs are alternating names and values.
func serve(t *testing.T, f *fake, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return serveWith(t, api.Config{Client: f, Hub: "Orders"}, method, target, body, headers...)
}

func serveWith(t *testing.T, cfg api.Config, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	a, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	path, query, _ := strings.Cut(target, "?")
	r := httptest.NewRequest(method, "http://localhost:7071"+path, strings.NewReader(body))
	r.URL.Scheme, r.URL.Host = "", "" // as a server has it
	r.URL.RawQuery = query
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	checkBody(t, w)
	return w
}

// checkBody holds every answer to the rule that a body is JSON and says so.
func checkBody(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	contentType := w.Header().Get("Content-Type")
	if w.Body.Len() == 0 {
		if contentType != "" {
			t.Errorf("an empty body has the content type %q", contentType)
		}
		return
	}
	if !json.Valid(w.Body.Bytes()) {
		t.Errorf("the body is not JSON: %s", w.Body)
	}
	want := "application/json; charset=utf-8"
	if text := w.Body.Bytes()[0] == '"'; !text && w.Code >= 400 && w.Code != http.StatusInternalServerError {
		want = "application/problem+json"
	}
	if contentType != want && contentType != "application/problem+json" {
		t.Errorf("status %d has the content type %q, want %q", w.Code, contentType, want)
	}
}

// golden compares a whole answer, status line, headers and body, with a file in testdata.
func golden(t *testing.T, w *httptest.ResponseRecorder, name string) {
	t.Helper()
	var got strings.Builder
	got.WriteString(http.StatusText(w.Code) + "\n")
	w.Header().Del("Content-Length")
	if err := w.Header().Write(&got); err != nil {
		t.Fatal(err)
	}
	got.WriteString("\n" + w.Body.String() + "\n")
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(got.String(), "\r\n", "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), strings.ReplaceAll(got.String(), "\r\n", "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func event(after time.Duration, e history.Event) durable.HistoryEvent {
	return durable.HistoryEvent{Event: e, Time: created.Add(after)}
}

func payload(json string) history.Payload { return history.Payload{Bytes: []byte(json)} }
