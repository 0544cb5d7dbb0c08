package links_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durable-lambda/durable-lambda/durable"
	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/memory"
	"github.com/durable-lambda/durable-lambda/durable/durabletest"
	"github.com/durable-lambda/durable-lambda/durable/links"
)

type decision struct {
	Approved bool   `json:"approved"`
	By       string `json:"by,omitempty"`
}

var (
	approval = durable.NewEvent[decision]("Approval")
	other    = durable.NewEvent[decision]("Other")
	waits    = durable.NewOrchestration[durable.None, []decision]("Waits")
)

// site is a hub whose instances wait for an approval, and its links.
type site struct {
	t    *testing.T
	sys  *durabletest.System
	l    *links.Links
	ring links.Ring
	log  *bytes.Buffer
	// table keeps the marks; they cannot be read, or written.
	table         backend.Table
	fail, failPut *bool
}

type flaky struct {
	backend.Table
	fail, failPut *bool
	put           *func(backend.Item)
}

// puts has each item shown that is put.
func (f flaky) puts(show func(backend.Item)) { *f.put = show }

func (f flaky) Get(ctx context.Context, k backend.Key) (*backend.Item, error) {
	if *f.fail {
		return nil, errors.New("throttled")
	}
	return f.Table.Get(ctx, k)
}

func (f flaky) Put(ctx context.Context, i backend.Item, c backend.Condition) error {
	if *f.failPut {
		return errors.New("throttled")
	}
	(*f.put)(i)
	return f.Table.Put(ctx, i, c)
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, log: new(bytes.Buffer), fail: new(bool), failPut: new(bool), ring: links.NewRing(durabletest.Epoch)}
	s.sys = durabletest.New(t, waits.Bind(func(ctx durable.Context, _ durable.None) (all []decision, err error) {
		for d, err := range approval.All(ctx) {
			if all = append(all, d); err != nil || !d.Approved {
				return all, err
			}
		}
		return all, nil
	}))
	s.table = flaky{memory.New(memory.Options{}).Backend().Table, s.fail, s.failPut, new(func(backend.Item))}
	s.table.(flaky).puts(func(backend.Item) {})
	var err error
	s.l, err = links.New(links.Config{
		Keys:    func(context.Context) (links.Ring, error) { return s.ring, nil },
		Address: func(context.Context) (string, error) { return "https://shop.example.com/v1/", nil },
		Table:   s.table, Client: s.sys.Client, Now: s.sys.Now,
		Audit: slog.New(slog.NewJSONHandler(s.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) start(id string) {
	s.t.Helper()
	if _, err := waits.Submit(s.t.Context(), s.sys.Client, durable.None{}, durable.ID(id)); err != nil {
		s.t.Fatal(err)
	}
	s.sys.Settle()
}

// call is the context of an activity's call.
func (s *site) call(key string) context.Context {
	return links.With(durable.WithActivityInfo(s.t.Context(), durable.ActivityInfo{Key: key}), s.l)
}

func (s *site) link(key, id string, d decision, opts ...links.Option) string {
	s.t.Helper()
	u, err := links.URL(s.call(key), approval, id, d, s.sys.Now().Add(time.Hour), opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func (s *site) send(method, u string) (status int, body string, h http.Header) {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.l.ServeHTTP(w, httptest.NewRequest(method, strings.TrimPrefix(u, "https://shop.example.com/v1"), nil))
	s.sys.Settle()
	return w.Code, w.Body.String(), w.Header()
}

// events are how many approvals an instance has had.
func (s *site) events(id string) (n int) {
	s.t.Helper()
	all, err := s.sys.Client.History(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range all {
		if e.Name == "Approval" || e.Name == "Other" {
			n++
		}
	}
	return n
}
